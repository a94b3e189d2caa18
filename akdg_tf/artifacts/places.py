"""Where the models lie that are given by a name or a folder: SavedModels, run folders, entries of the zoo."""

import os
import pathlib

REPOSITORY_ZOO = pathlib.Path(__file__).parents[2] / "zoo"  # there only where the package lies in its repository
MODEL_FOLDERS = (pathlib.Path("zoo"), pathlib.Path("runs"), REPOSITORY_ZOO)
ZOO_VARIABLE = "AKDG_ZOO"  # the environment's: folder or URL of another zoo


def find_saved_model(name: str | os.PathLike) -> pathlib.Path | None:
    """Folder of a SavedModel.

    Args:
        name: a SavedModel folder, a run folder or zoo entry that holds `saved_model/`, or a bare name that is
            looked up in the folder that the environment's AKDG_ZOO names, in `zoo/`, in `runs/` and in the zoo of the
            repository that this package lies in.

    Returns:
        The folder, or None if there is none.
    """
    saved_models = [folder for place in _places(name) for folder in (place / "saved_model", place)]
    return next((folder for folder in saved_models if (folder / "saved_model.pb").exists()), None)


def find_run(name: str | os.PathLike) -> pathlib.Path | None:
    """Folder of a run that has trained: one that holds `networks.json`. None if there is none of that name."""
    return next((folder for folder in _places(name) if (folder / "networks.json").exists()), None)


def _places(name: str | os.PathLike) -> list[pathlib.Path]:
    """Where a name may lead, the first first."""
    zoo = pathlib.Path(os.environ.get(ZOO_VARIABLE) or "zoo")
    folders = [pathlib.Path(), zoo.expanduser(), *MODEL_FOLDERS]
    return [folder / pathlib.Path(name).expanduser() for folder in folders]
