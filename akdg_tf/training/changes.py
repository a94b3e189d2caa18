"""What makes two configurations those of two runs, and the changes that a run went on with."""

import dataclasses
import json
import pathlib
import re
from collections.abc import Mapping

from akdg_tf.artifacts import typed_json
from akdg_tf.artifacts.result import Change
from akdg_tf.errors import UserError
from akdg_tf.files import read_small, write_text
from akdg_tf.training.identity import training_lines

FILE = "config_changes.jsonl"  # in the run folder; one line per change

_DATA = re.compile(r"(?<=\d|N), data (.*)$")  # in the first line of a config.gin that an older version wrote


@dataclasses.dataclass(frozen=True)
class Difference:
    """How two `config.gin` differ in what decides the training.

    Attributes:
        removed, added: lines of only the old one, and of only the new one.
        same_kind: whether experiment, seed and smoke are the same, so that only bindings differ.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    same_kind: bool

    def __str__(self):
        return f"there {(self.removed or ('nothing',))[0]!r}, here {(self.added or ('nothing',))[0]!r}"


@dataclasses.dataclass(frozen=True)
class ChangedInput:
    """Something that a run reads and that is not what it began with.

    Attributes:
        name: "data", "teacher".
        there, here: what it was and what it is, in words.
        note: what it is, as `inputs.json` holds it.
    """

    name: str
    there: str
    here: str
    note: Mapping[str, str | None]

    @property
    def difference(self) -> Difference:
        """The same in the form of a changed configuration."""
        return Difference((self.there,), (self.here,), same_kind=True)


def difference(old: str, new: str) -> Difference | None:
    """How two `config.gin` differ in what decides the training, None if they do not."""
    (old_head, _, old), (new_head, _, new) = old.partition("\n"), new.partition("\n")
    old_lines, new_lines = training_lines(old), training_lines(new)
    if old_lines is None or new_lines is None:
        old_lines, new_lines = _statements(old), _statements(new)
    heads = _DATA.sub("", old_head), new_head
    old_lines, new_lines = [heads[0], *old_lines], [heads[1], *new_lines]
    removed = tuple(line for line in old_lines if line not in new_lines)
    added = tuple(line for line in new_lines if line not in old_lines)
    return Difference(removed, added, heads[0] == heads[1]) if removed or added else None


def data_of_an_older_version(config: str) -> str | None:
    """The path of the data that a `config.gin` of an older version states, None if it states none."""
    found = _DATA.search(config.partition("\n")[0])
    return found and found[1]


def record(workdir: pathlib.Path, change: Change) -> None:
    """Adds a change that a run goes on with, unless it is the last one: a process that was killed may have added it."""
    found = recorded(workdir)
    if found[-1:] != (change,):
        lines = [json.dumps(dataclasses.asdict(each)) + "\n" for each in (*found, change)]
        write_text(workdir / FILE, "".join(lines))


def recorded(workdir: pathlib.Path) -> tuple[Change, ...]:
    """The changes of a run, in their order.

    Raises:
        UserError: the file is damaged.
    """
    path = workdir / FILE
    if not path.exists():
        return ()
    try:
        lines = read_small(path).decode().splitlines()
        return tuple(typed_json.build(Change, json.loads(line)) for line in lines)
    except (OSError, ValueError, UserError, RecursionError):
        raise UserError(f"{path} is damaged: remove the lines that are no JSON objects") from None


def _statements(config: str) -> list[str]:
    """The lines of a configuration, without comments and empty lines."""
    return [line for line in config.splitlines() if line and not line.startswith("#")]
