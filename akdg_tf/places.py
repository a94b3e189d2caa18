"""Finds models by name or folder: SavedModels, run folders, entries of the zoo."""

import os
import pathlib

from akdg_tf.errors import UserError

REPOSITORY_ZOO = pathlib.Path(__file__).parents[1] / "zoo"  # exists only in a checkout of the repository
MODEL_FOLDERS = (pathlib.Path("zoo"), pathlib.Path("runs"), REPOSITORY_ZOO)
ZOO_VARIABLE = "AKDG_ZOO"  # environment variable: folder or URL of another zoo


def expanded(path: str | os.PathLike) -> str:
    """A path in which the home folder replaces ~.

    Raises:
        UserError: the home folder is unknown.
    """
    full = os.path.expanduser(path)
    if full.startswith("~"):
        raise UserError(f"{os.fspath(path)}: the home folder is unknown; write the whole path")
    return full


def check_encoding(name: str | os.PathLike) -> None:
    """Checks that a name that is written to files can be written as UTF-8.

    Raises:
        UserError: it cannot.
    """
    try:
        os.fspath(name).encode()
    except UnicodeEncodeError:
        raise UserError(f"{os.fspath(name)!r} is not UTF-8: rename the file or folder") from None


def printable(name: str) -> str:
    """A file name as text that can be written anywhere: what is not UTF-8 is replaced."""
    return os.fsencode(name).decode(errors="replace")


def find_saved_model(name: str | os.PathLike) -> pathlib.Path | None:
    """Finds the folder of a SavedModel.

    Args:
        name: a SavedModel folder, a run folder or zoo entry that holds `saved_model/`, or a bare name. A bare name is
            looked up in the folder that the environment variable AKDG_ZOO names, in `zoo/`, in `runs/`, and in the
            `zoo/` of the repository if the package is run from a checkout.

    Returns:
        The folder, or None if there is none.
    """
    saved_models = [folder for place in _places(name) for folder in (place / "saved_model", place)]
    return next((folder for folder in saved_models if (folder / "saved_model.pb").exists()), None)


def find_run(name: str | os.PathLike) -> pathlib.Path | None:
    """Finds the folder of a trained run, which holds `networks.json`. None if there is no such run."""
    return next((folder for folder in _places(name) if (folder / "networks.json").exists()), None)


def home_of(saved_model: pathlib.Path) -> pathlib.Path:
    """The run folder or entry that holds a SavedModel as `saved_model/`; another SavedModel's own folder."""
    return saved_model.parent if saved_model.name == "saved_model" else saved_model


def _places(name: str | os.PathLike) -> list[pathlib.Path]:
    """The folders that a name may mean, in order of preference."""
    zoo = os.environ.get(ZOO_VARIABLE)
    folders = [*([pathlib.Path(os.path.expanduser(zoo))] if zoo else []), *MODEL_FOLDERS]
    return [pathlib.Path(os.path.expanduser(name)), *(folder / name for folder in folders)]
