"""Checkpoints of a model: written atomically by TensorFlow's manager, the newest sound one is restored."""

import logging
import os
import pathlib

import keras
import tensorflow as tf

from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)


class Checkpoints:
    """Saves and restores a built and compiled model, its optimizers included.

    The variables are listed: TensorFlow's own tracking of objects passes over Keras 3's lists of layers.

    Args:
        model: the Keras model; all optimizers of one that has several are its `optimizers`.
        folder: where the checkpoints lie; the last three are kept.
    """

    def __init__(self, model: keras.Model, folder: pathlib.Path):
        optimizers = getattr(model, "optimizers", [model.optimizer])
        variables = [model.variables, *(optimizer.variables for optimizer in optimizers)]
        self._checkpoint = tf.train.Checkpoint(variables=[[v.value for v in group] for group in variables])
        self._manager = tf.train.CheckpointManager(self._checkpoint, os.fspath(folder), max_to_keep=3)
        self._folder = folder

    def save(self, step: int) -> None:
        """Writes the checkpoint of `step`."""
        self._manager.save(checkpoint_number=step)

    def restore(self) -> int:
        """Restores the newest checkpoint that is whole; a damaged one is named and passed over.

        Returns:
            Its step, 0 if there is none.

        Raises:
            UserError: there are checkpoints, and none is whole.
        """
        paths = self._on_disk()
        for path in paths:
            try:
                self._checkpoint.restore(path).assert_consumed()
                return int(path.rsplit("-", 1)[1])
            except (tf.errors.OpError, ValueError, IndexError, AssertionError) as error:
                logger.warning("checkpoint %s is damaged (%s): trying the one before", path, type(error).__name__)
        if paths:
            raise UserError(
                f"none of the checkpoints in {self._folder} can be restored: remove the folder to start anew"
            )
        return 0

    def _on_disk(self) -> list[str]:
        """Prefixes of the checkpoints, newest first; read from the folder, for the manager's list may be damaged."""
        prefixes = [os.fspath(index.with_suffix("")) for index in self._folder.glob("ckpt-*.index")]
        return sorted(prefixes, key=lambda prefix: int(prefix.rsplit("-", 1)[1]), reverse=True)
