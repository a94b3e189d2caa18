"""What a network was made from, told by the results that lie beside its parents."""

import pathlib

from akdg_tf.artifacts import result, typed_json
from akdg_tf.artifacts.result import CALLABLE, Parent
from akdg_tf.errors import UserError
from akdg_tf.teachers.frozen import FrozenGenerator

RESULTS = ("metrics.json", "result.json")  # of an entry, of a run


def parent(role: str, name: str, digest: str | None, folder: pathlib.Path | None, step: int | None = None) -> Parent:
    """A parent with its own parents.

    Args:
        role: see `result.Parent`.
        name: of the run, entry or SavedModel folder.
        digest: of all that decides its images, None where it is not known.
        folder: the run folder or entry, where its own result lies; None if there is none.
        step: of a warm start.
    """
    return Parent(role, name, digest, step, _parents_in(folder) if folder else ())


def of_generator(role: str, generator: FrozenGenerator) -> Parent:
    """A frozen generator as a parent."""
    folder = generator.folder
    beside = folder.parent if folder is not None and folder.name == "saved_model" else folder
    return parent(role, generator.name or CALLABLE, generator.digest(), beside)


def from_json(found: dict) -> Parent:
    """A parent that `dataclasses.asdict` wrote."""
    return typed_json.build(Parent, found)


def _parents_in(folder: pathlib.Path) -> tuple[Parent, ...]:
    """The parents that the result in a folder names; none where there is no sound result."""
    for name in RESULTS:
        if (folder / name).exists():
            try:
                return result.read(folder / name).parents
            except UserError:  # of another version, say: the chain ends here
                return ()
    return ()
