"""What a network was made from: its parents, with the parents that their own results name."""

import pathlib

from akdg_tf.artifacts import result, typed_json
from akdg_tf.artifacts.result import CALLABLE, Parent
from akdg_tf.errors import UserError
from akdg_tf.places import home_of
from akdg_tf.teachers.sources import Teacher

RESULTS = ("metrics.json", "result.json")  # of an entry, of a run


def parent(role: str, name: str, digest: str | None, folder: pathlib.Path | None, step: int | None = None) -> Parent:
    """A parent with its own parents.

    Args:
        role: see `result.Parent`.
        name: name of the run, entry or SavedModel folder.
        digest: digest of all that determines its images, None if it is unknown.
        folder: the run folder or entry that holds its own result; None if there is none.
        step: the step that a warm start began at.
    """
    return Parent(role, name, digest, step, _parents_in(folder) if folder else ())


def of_generator(role: str, generator: Teacher) -> Parent:
    """A teacher as a parent."""
    folder = generator.folder
    beside = home_of(folder) if folder is not None else None
    return parent(role, generator.name or CALLABLE, generator.digest(), beside)


def from_json(found: dict) -> Parent:
    """The parent in a dict from `dataclasses.asdict`."""
    return typed_json.build(Parent, found)


def _parents_in(folder: pathlib.Path) -> tuple[Parent, ...]:
    """The parents that the result in a folder names; none if it holds no readable result."""
    for name in RESULTS:
        if (folder / name).exists():
            try:
                return result.read(folder / name).parents
            except UserError:  # such as another schema: the chain ends here
                return ()
    return ()
