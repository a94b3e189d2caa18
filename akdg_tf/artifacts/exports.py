"""What an experiment exports in addition to the SavedModel."""

import logging
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Protocol

import keras

logger = logging.getLogger(__name__)


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


def write_all(exports: Sequence[Export], generator: keras.Model, folder: pathlib.Path) -> list[Export]:
    """Writes the files of all exports. A failing export is logged and left out.

    Args:
        exports: what to write.
        generator: see `Export.write`.
        folder: where the files go.

    Returns:
        The exports that worked.
    """
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
