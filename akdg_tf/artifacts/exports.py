"""What an experiment exports in addition to the SavedModel."""

import json
import logging
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Protocol

import keras

from akdg_tf.files import read_small

logger = logging.getLogger(__name__)

NOTE = "export.json"  # in a run folder: the step that was exported, and what was written beside the SavedModel
FILES = ("model.tflite", "model.onnx")  # of the exports of this package


class Export(Protocol):
    """An optional export of a generator. `GeneratorExperiment.exports` binds any number of them.

    If one fails, the run continues without its file. The SavedModel and the scores are still made.

    Attributes:
        file: name of the file that it writes in the run folder.
    """

    file: str

    def write(self, generator: keras.Model, folder: pathlib.Path) -> None:
        """Writes the file.

        Args:
            generator: latents to samples in [-1, 1], in float32.
            folder: the run folder.

        Raises:
            UserError: the generator cannot be exported in this format; the message says why.
        """


def noted(folder: pathlib.Path) -> dict | None:
    """What `export.json` of a run folder holds; None if there is none, as in runs of an older version and in entries.

    Raises:
        ValueError: it is damaged.
    """
    try:
        found = json.loads(read_small(folder / NOTE))
    except FileNotFoundError:
        return None
    except (OSError, RecursionError) as error:
        raise ValueError(f"{folder / NOTE} cannot be read") from error
    if not isinstance(found, dict) or not isinstance(found.get("files", []), list):
        raise ValueError(f"{folder / NOTE} is damaged")
    return found


def kinds(exports: Sequence[Export]) -> dict[str, str | None]:
    """How each export stores its weights, by the name of its file; None if it has no such choice."""
    return {export.file: getattr(export, "weights", None) for export in exports}


def write_all(exports: Sequence[Export], generator: keras.Model, folder: pathlib.Path) -> list[Export]:
    """Writes the files of all exports. A failing export is logged and left out.

    Files that earlier exports left are removed first: they may be of another network.

    Args:
        exports: what to write.
        generator: see `Export.write`.
        folder: where the files go.

    Returns:
        The exports that worked.
    """
    for file in {*FILES, *(export.file for export in exports)}:
        (folder / file).unlink(missing_ok=True)
    return [export for export in exports if _worked(export, generator, folder)]


def working(exports: Sequence[Export], generator: keras.Model) -> list[Export]:
    """The exports that work for a generator. It tries each one, so that failures show before a long training run."""
    with tempfile.TemporaryDirectory() as folder:
        return write_all(exports, generator, pathlib.Path(folder))


def _worked(export: Export, generator: keras.Model, folder: pathlib.Path) -> bool:
    try:
        export.write(generator, folder)
    except Exception as error:  # of any kind: an optional file never costs the scores
        reason = " ".join(str(error).split()) or type(error).__name__
        logger.warning("%s cannot be written: %s. The SavedModel and the scores do not need it", export.file, reason)
        return False
    return True
