"""An entry of the zoo, the entries of a zoo, and their groups by teacher."""

import dataclasses
import functools
import os
import pathlib
import re

from akdg_tf.artifacts import result as results
from akdg_tf.artifacts.result import CALLABLE, ExportedModel, Result
from akdg_tf.errors import UserError
from akdg_tf.files import OLD, PART
from akdg_tf.places import ZOO_VARIABLE, expanded
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.saved_model import load_generator
from akdg_tf.zoo import checksums

ZOO = pathlib.Path("zoo")
LITERT = "model.tflite"
ONNX = "model.onnx"
SAMPLES = "samples.png"
CONFIG = "config.gin"  # in every entry that was trained
LICENSE = "LICENSE"  # in every entry that was converted
FILES = {"saved_model/saved_model.pb", "card.md", "metrics.json"}  # in every entry
NAME = re.compile(r"\w[\w.-]*", re.ASCII)
UNFINISHED = (PART, OLD)  # folders that `files.replacing` may leave when its process is killed


def default_zoo() -> pathlib.Path:
    """The folder of the zoo if a command is not given another: $AKDG_ZOO, or zoo/."""
    return pathlib.Path(expanded(os.environ.get(ZOO_VARIABLE) or ZOO))


@dataclasses.dataclass(frozen=True)
class Entry:
    """The folder of an entry, `zoo/<name>`.

    It holds `saved_model/`, `model.tflite` and `model.onnx` if the run exported them, `card.md`, `metrics.json`,
    `config.gin` (the configuration as used), `samples.png` for a generator, `SHA256SUMS` of all these, and links that
    make the folder itself a SavedModel. An entry that was converted has a `LICENSE` in place of `config.gin`.
    """

    folder: pathlib.Path

    @property
    def name(self) -> str:
        """The folder's name, without the dot and the suffix of an unfinished folder."""
        return self.folder.name.removesuffix(PART).removeprefix(".")

    @functools.cached_property
    def result(self) -> Result:
        """The content of `metrics.json`.

        Raises:
            UserError: it cannot be read, or belongs to another entry.
        """
        path = self.folder / "metrics.json"
        found = results.read(path)
        if found.experiment != self.name:
            raise UserError(f"{path} belongs to the entry {found.experiment[:80]!r}, but its folder is {self.name!r}")
        return found

    @property
    def kind(self) -> str:
        """One of `artifacts.result.KINDS`."""
        return self.result.kind

    @property
    def converted(self) -> bool:
        """Whether the network was trained elsewhere and only converted here."""
        return self.result.origin is not None

    @property
    def exported(self) -> dict[str, ExportedModel]:
        """The records of the optional exports, by the name of the file."""
        records = {LITERT: self.result.litert, ONNX: self.result.onnx}
        return {name: record for name, record in records.items() if record}

    @property
    def teacher_name(self) -> str | None:
        """Name of a student's teacher; None if the teacher is a Python callable, or the entry is not a student."""
        teacher = self.result.teacher
        return teacher.name if teacher and teacher.name != CALLABLE else None

    def sibling(self, name: str) -> "Entry | None":
        """The entry of this name in the same zoo, None if there is none."""
        folder = self.folder.parent / name
        return Entry(folder) if is_name(name) and (folder / "metrics.json").exists() else None

    def load(self) -> FrozenGenerator:
        """Loads the generator, frozen. Every call loads it again.

        Raises:
            UserError: the SavedModel is damaged.
        """
        return load_generator(self.folder / "saved_model")

    def check(self) -> None:
        """Checks that the entry is complete, and that its files match `SHA256SUMS`.

        Raises:
            UserError: a file is wrong or missing. The error names the file.
        """
        checksums.check(self.folder, FILES)
        wanted = {LICENSE if self.converted else CONFIG}
        wanted |= set() if self.kind == "classifier" else {SAMPLES}
        wanted |= set(self.exported)
        for name in (CONFIG, LICENSE, SAMPLES, LITERT, ONNX):
            if (self.folder / name).is_file() != (name in wanted):
                what = "lacks" if name in wanted else "must not hold"
                raise UserError(f"{self.folder} is not a correct entry of a {self.kind}: it {what} {name}")


def is_name(name: str) -> bool:
    """Whether this is a valid name of an entry."""
    return bool(NAME.fullmatch(name)) and not name.endswith(UNFINISHED)


def check_name(name: str) -> str:
    """Returns the name if it is a valid name of an entry.

    Raises:
        UserError: it is not.
    """
    if not is_name(name):
        raise UserError(f"{name[:80]!r} is not the name of an entry: use letters, digits, '_', '-' and '.'")
    return name


def entries(zoo: pathlib.Path = ZOO) -> list[Entry]:
    """The entries of a zoo, sorted by name, without unfinished ones."""
    folders = sorted(path.parent for path in zoo.glob("*/metrics.json"))
    return [Entry(folder) for folder in folders if not folder.name.endswith(UNFINISHED)]


@dataclasses.dataclass(frozen=True)
class Group:
    """A teacher with its students.

    Attributes:
        name: the teacher's name, None if it has no name.
        teacher: the teacher's entry, None if it has no entry.
        students: their entries, in the given order.
    """

    name: str | None
    teacher: Entry | None
    students: list[Entry]

    @property
    def members(self) -> list[Entry]:
        """The teacher, if it has an entry, followed by the students."""
        return [*([self.teacher] if self.teacher else []), *self.students]


def groups(found: list[Entry]) -> list[Group]:
    """The generators among some entries, grouped by teacher.

    The groups of entries of the kind "teacher" come first. A student that teaches others is a student in its teacher's
    group, and the teacher of its own group.
    """
    generators = {entry.name: entry for entry in found if entry.kind != "classifier"}
    students: dict[str | None, list[Entry]] = {
        name: [] for name, entry in generators.items() if entry.kind == "teacher"
    }
    for entry in generators.values():
        if entry.kind == "student":
            students.setdefault(entry.teacher_name, []).append(entry)
    return [Group(name, generators.get(name) if name else None, group) for name, group in students.items()]
