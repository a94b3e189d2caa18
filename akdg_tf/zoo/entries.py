"""One entry of the zoo, and which there are."""

import dataclasses
import functools
import json
import pathlib
import re

import numpy as np

from akdg_tf.reporting import pictures
from akdg_tf.errors import UserError
from akdg_tf.latents import sample_frozen
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.load import load_generator
from akdg_tf.zoo import checksums

ZOO = pathlib.Path("zoo")
LITERT = "model.tflite"
FILES = {"saved_model/saved_model.pb", "card.md", "metrics.json", "config.gin"}  # of every entry
FILES_BY_KIND = {"classifier": set(), "teacher": {"samples.png"}, "student": {"samples.png", LITERT}}
METRICS_KEYS = {"experiment", "network", "method", "dataset", "command", "gin_files", "seed", "steps", "metrics"}
METRICS_KEYS |= {"over_seeds"}
GENERATOR_KEYS = {"teacher", "teacher_name", "student", "machine"}
NAME = re.compile(r"\w[\w.-]*", re.ASCII)
UNFINISHED = (".part", ".old")  # what `files.replace_folder` may leave when it is killed
GRID, GRID_COLUMNS, GRID_POINTS = 64, 8, 2000


@dataclasses.dataclass(frozen=True)
class Entry:
    """The folder of an entry, `zoo/<name>`.

    It holds `saved_model/`, `model.tflite` of a student, `card.md`, `metrics.json`, `config.gin` (operative),
    `samples.png` of a generator, `SHA256SUMS` of all these, and links that make the folder itself a SavedModel.
    """

    folder: pathlib.Path

    @property
    def name(self) -> str:
        return self.folder.name

    @functools.cached_property
    def metrics(self) -> dict:
        """What `metrics.json` holds.

        Raises:
            UserError: there is none that can be read, or it lacks what an entry must tell.
        """
        return read_metrics(self.folder / "metrics.json")

    @property
    def kind(self) -> str:
        """One of "student", "teacher" and "classifier"."""
        if "classifier" in self.metrics:
            return "classifier"
        return "student" if self.metrics["teacher"] else "teacher"

    @property
    def network(self) -> dict:
        """Counts, sizes and metrics of the entry's own network."""
        return self.metrics["classifier" if self.kind == "classifier" else "student"]

    def load(self) -> FrozenGenerator:
        """The generator, frozen, loaded anew."""
        return load_generator(self.folder / "saved_model")

    def draw_samples(self) -> np.ndarray:
        """The picture in `samples.png`: the generator's first 64 images, or 2,000 points, of the entry's seed.

        Returns:
            uint8 [height, width, 3].
        """
        generator, seed = self.load(), self.metrics["seed"]
        samples = sample_frozen(generator, GRID, seed)
        if samples.ndim == 4:
            return pictures.tile(samples, GRID_COLUMNS)
        return pictures.side_by_side({"": sample_frozen(generator, GRID_POINTS, seed)})

    def check(self) -> None:
        """Checks that the entry is whole, and its files are those that `SHA256SUMS` lists.

        Raises:
            UserError: they are not; the file is named.
        """
        checksums.check(self.folder, FILES)
        for name in FILES_BY_KIND[self.kind]:
            if not (self.folder / name).is_file():
                raise UserError(f"{self.folder} is no whole entry of a {self.kind}: it lacks {name}")


def read_metrics(path: pathlib.Path) -> dict:
    """The metrics of an entry, or the result of a run.

    Raises:
        UserError: the file cannot be read, or lacks what an entry must tell.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path.parent} holds no sound {path.name}") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} holds no JSON object")
    found.setdefault("over_seeds", {})
    lacking = METRICS_KEYS - set(found) | (set() if "classifier" in found else GENERATOR_KEYS - set(found))
    if lacking:
        raise UserError(f"{path} lacks {', '.join(sorted(lacking))}")
    return found


def check_name(name: str) -> str:
    """Returns the name of an entry.

    Raises:
        UserError: it is no name that an entry may have.
    """
    if not NAME.fullmatch(name) or name.endswith(UNFINISHED):
        raise UserError(f"{name!r} is not the name of an entry")
    return name


def entries(zoo: pathlib.Path = ZOO) -> list[Entry]:
    """The entries of a zoo, sorted by name; what lies there half-made is none."""
    folders = sorted(path.parent for path in zoo.glob("*/metrics.json"))
    return [Entry(folder) for folder in folders if not folder.name.endswith(UNFINISHED)]


@dataclasses.dataclass(frozen=True)
class Group:
    """A teacher with its students.

    Attributes:
        name: of the teacher; None of students whose teacher has none.
        teacher: its entry, None where it has none.
        students: in the order of their names.
    """

    name: str | None
    teacher: Entry | None
    students: list[Entry]

    @property
    def members(self) -> list[Entry]:
        """The teacher, where it has an entry, then the students."""
        return [*([self.teacher] if self.teacher else []), *self.students]


def groups(found: list[Entry]) -> list[Group]:
    """The generators among entries, each with its teacher: first the teachers that have an entry, then the others."""
    teachers = {entry.name: entry for entry in found if entry.kind == "teacher"}
    students: dict[str | None, list[Entry]] = {name: [] for name in teachers}
    for entry in found:
        if entry.kind == "student":
            students.setdefault(entry.metrics["teacher_name"], []).append(entry)
    return [Group(name, teachers.get(name), group) for name, group in students.items()]
