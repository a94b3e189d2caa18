"""One entry of the zoo: what its folder holds, and the checksums that tell when a file of it was changed."""

import dataclasses
import functools
import json
import pathlib
import re

import numpy as np

from akdg_tf import pictures
from akdg_tf.errors import UserError
from akdg_tf.files import sha256
from akdg_tf.latents import sample_frozen
from akdg_tf.teachers import Teacher, load_generator

ZOO = pathlib.Path("zoo")
SUMS = "SHA256SUMS"
LITERT = "model.tflite"
LINKS = ("saved_model.pb", "variables")  # into saved_model/, so that the entry itself is a SavedModel
METRICS_KEYS = {"experiment", "network", "method", "dataset", "seed", "gin_files", "steps", "metrics", "over_seeds"}
NAME = re.compile(r"\w[\w.-]*", re.ASCII)
GRID, GRID_COLUMNS, GRID_POINTS = 64, 8, 2000


@dataclasses.dataclass(frozen=True)
class Entry:
    """The folder of an entry, `zoo/<name>`.

    It holds `saved_model/`, `model.tflite` of a student, `card.md`, `metrics.json`, `config.gin` (operative),
    `samples.png` of a generator, and `SHA256SUMS` of them all, in the format of the program sha256sum.
    """

    folder: pathlib.Path

    @property
    def name(self) -> str:
        """Of the experiment; the folder's too, when the entry is in its place."""
        return self.metrics["experiment"]

    @functools.cached_property
    def metrics(self) -> dict:
        """What `metrics.json` holds.

        Raises:
            UserError: there is none that can be read, or it lacks what an entry must tell.
        """
        try:
            found = json.loads((self.folder / "metrics.json").read_text())
        except (OSError, ValueError) as error:
            raise UserError(f"{self.folder} is not an entry of a zoo: it holds no sound metrics.json") from error
        lacking = METRICS_KEYS - set(found)
        if lacking:
            raise UserError(f"{self.folder}: metrics.json lacks {', '.join(sorted(lacking))}")
        return found

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

    def load(self) -> Teacher:
        """The generator, frozen, loaded anew."""
        return load_generator(self.folder / "saved_model")

    def draw_samples(self, generator: Teacher) -> np.ndarray:
        """The picture in `samples.png`: the generator's first 64 images, or 2,000 points, of the entry's seed.

        Returns:
            uint8 [height, width, 3].
        """
        samples = sample_frozen(generator, GRID_POINTS, self.metrics["seed"])
        return (
            pictures.tile(samples[:GRID], GRID_COLUMNS) if samples.ndim == 4 else pictures.side_by_side({"": samples})
        )

    def files(self) -> list[str]:
        """Paths below the entry, sorted, of all files that `SHA256SUMS` is to list: all but itself and the links."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        names = sorted(path.relative_to(self.folder).as_posix() for path in paths)
        return [name for name in names if name != SUMS and name.partition("/")[0] not in LINKS]

    def write_sums(self) -> None:
        """Writes `SHA256SUMS`, and the links."""
        lines = [f"{sha256(self.folder / name)}  {name}\n" for name in self.files()]
        (self.folder / SUMS).write_text("".join(lines))
        for name in LINKS:
            (self.folder / name).symlink_to(pathlib.Path("saved_model", name))

    def sums(self) -> dict[str, str]:
        """What `SHA256SUMS` says: path below the entry to SHA-256, in hex.

        Raises:
            UserError: there is none, or it is malformed.
        """
        try:
            return parse_sums((self.folder / SUMS).read_text())
        except OSError:
            raise UserError(f"{self.folder} is not an entry of a zoo: it holds no {SUMS}") from None

    def check(self) -> None:
        """Holds every file against `SHA256SUMS`.

        Raises:
            UserError: a file was changed, is missing, or is not listed; it is named.
        """
        sums = self.sums()
        for name, expected in sums.items():
            path = self.folder / name
            if not path.is_file() or sha256(path) != expected:
                raise UserError(
                    f"{path} {'was changed' if path.is_file() else 'is missing'}: it is not what {SUMS} lists"
                )
        strangers = sorted(set(self.files()) - set(sums))
        if strangers:
            raise UserError(f"{self.folder / strangers[0]} is not listed in {SUMS}")


def parse_sums(text: str) -> dict[str, str]:
    """Path to SHA-256 of the lines of a `SHA256SUMS`.

    Raises:
        UserError: a line is malformed, or names a file outside the folder.
    """
    lines = [line.partition("  ") for line in text.splitlines()]
    for digest, _, name in lines:
        path = pathlib.PurePosixPath(name)
        if not re.fullmatch("[0-9a-f]{64}", digest) or not path.parts or path.is_absolute() or ".." in path.parts:
            raise UserError(f"a line of {SUMS} is malformed or leads out of the entry: {name!r}")
    return {name: digest for digest, _, name in lines}


def check_name(name: str) -> str:
    """Returns the name of an entry.

    Raises:
        UserError: it is no name that an entry may have.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is not the name of an entry")
    return name


def entries(zoo: pathlib.Path = ZOO) -> list[Entry]:
    """The entries of a zoo, sorted by name; what lies there half-made is none."""
    folders = sorted(path.parent for path in zoo.glob("*/metrics.json"))
    return [Entry(folder) for folder in folders if folder.suffix not in (".part", ".old")]


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


def groups(found: list[Entry]) -> list[Group]:
    """The generators among entries, each with its teacher: first the teachers that have an entry, then the others."""
    teachers = {entry.folder.name: entry for entry in found if entry.kind == "teacher"}
    students: dict[str | None, list[Entry]] = {name: [] for name in teachers}
    for entry in found:
        if entry.kind == "student":
            students.setdefault(entry.metrics.get("teacher_name"), []).append(entry)
    return [Group(name, teachers.get(name), group) for name, group in students.items()]
