"""What an experiment exports beside the SavedModel."""

import logging
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Protocol

import keras

from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)


class Export(Protocol):
    """An optional export of a generator; several are bound as `GeneratorExperiment.exports`.

    If one fails, the run goes on without its file: it never costs the SavedModel or the scores.

    Attributes:
        file: name of the file that it writes in the run folder.
    """

    file: str

    def write(self, generator: keras.Model, folder: pathlib.Path) -> None:
        """Writes the file.

        Args:
            generator: latents to samples in [-1, 1], in float32.
            folder: of the run.

        Raises:
            UserError: the generator cannot be exported so; what it cannot do is named.
        """


def write_all(exports: Sequence[Export], generator: keras.Model, folder: pathlib.Path) -> list[Export]:
    """Writes the files of all exports; one that fails is named in the log and left out.

    Args:
        exports: what to write.
        generator: see `Export.write`.
        folder: where the files go.

    Returns:
        Those that worked.
    """
    return [export for export in exports if _worked(export, generator, folder)]


def working(exports: Sequence[Export], generator: keras.Model) -> list[Export]:
    """Those exports that a generator can be exported by, found by trying; for use before a long training."""
    with tempfile.TemporaryDirectory() as folder:
        return write_all(exports, generator, pathlib.Path(folder))


def _worked(export: Export, generator: keras.Model, folder: pathlib.Path) -> bool:
    try:
        export.write(generator, folder)
    except UserError as error:
        logger.warning("there will be no %s: %s. The SavedModel and the scores do not need it", export.file, error)
        return False
    return True
