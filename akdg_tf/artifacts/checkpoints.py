"""Checkpoints of a training run: named groups of variables. A checkpoint is written completely or not at all."""

import logging
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

INDEX = re.compile(r"ckpt-(\d+)\.index", re.ASCII)
DATA = re.compile(r"ckpt-(\d+)\.data-.*", re.ASCII)
STEP = "step"  # the group of the step in `GeneratorTrainer.state`
NEWEST = 3  # number of checkpoints that are kept

State = Mapping[str, Sequence[keras.Variable]]


class Checkpoints:
    """Saves and restores the state of a training run.

    The variables are listed explicitly, because TensorFlow's object tracking ignores Keras 3's lists of layers. Each
    group has a name, so that one network can be read from a checkpoint without the others.

    Args:
        state: variables by group, such as `GeneratorTrainer.state`.
        folder: folder of the checkpoints. The newest three are kept.
        keep_every: also keeps the checkpoints whose step is a multiple of this; None: only the newest three.
    """

    def __init__(self, state: State, folder: pathlib.Path, keep_every: int | None = None):
        self._state, self._folder, self._keep_every = state, folder, keep_every
        self._checkpoint = _checkpoint(state)

    def save(self, step: int) -> None:
        """Writes the checkpoint of `step`, then removes old ones. If it cannot be written, nothing of it is left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._checkpoint.write(os.fspath(self._folder / f"ckpt-{step}"))
        except tf.errors.OpError:  # such as a full disk
            _remove(self._folder, f"ckpt-{step}")
            raise
        for old in steps_in(self._folder)[NEWEST:]:
            if not self._keep_every or old % self._keep_every:
                _remove(self._folder, f"ckpt-{old}")

    def restore(self) -> int:
        """Restores the newest undamaged checkpoint. The log names those that are skipped.

        Skipped are checkpoints that are damaged or incomplete, those of another step than their name says, and those
        that hold what is not finite.

        Returns:
            Its step, or 0 if there are no checkpoints. A single one without an index does not count: a process that was
            killed while it wrote its first checkpoint leaves that.

        Raises:
            UserError: none of the checkpoints can be restored.
        """
        for unfinished in self._folder.glob("ckpt-*_temp"):  # of a process that was killed meanwhile
            shutil.rmtree(unfinished, ignore_errors=True)
        steps, complete = _steps(self._folder, DATA), steps_in(self._folder)
        for step in sorted({*steps, *complete}, reverse=True):
            path = self._folder / f"ckpt-{step}"
            if step not in complete:
                logger.warning("checkpoint %s lacks its index, %s.index: trying the previous one", path, path.name)
                continue
            try:
                self._checkpoint.read(os.fspath(path)).assert_consumed()
                bad = self.not_finite()
                if bad:
                    logger.warning("checkpoint %s is not finite (%s): trying the previous one", path, ", ".join(bad))
                elif self._step() not in (None, step):
                    logger.warning("checkpoint %s is of step %d: trying the previous one", path, self._step())
                else:
                    return step
            except (tf.errors.OpError, ValueError, IndexError, AssertionError) as error:
                logger.warning("checkpoint %s is damaged (%s): trying the previous one", path, type(error).__name__)
        if complete or len(steps) > 1:
            raise UserError(
                f"none of the checkpoints in {self._folder} can be restored: they are damaged, or of other networks; "
                "remove the folder to start again"
            )
        return 0

    def take_over(self, exchanged: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]) -> None:
        """Replaces the value of each variable.

        Args:
            exchanged: maps the values to others of the same shapes and dtypes: those of another process.
        """
        variables = [variable for group in self._state.values() for variable in group]
        values = exchanged([variable.numpy() for variable in variables])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _step(self) -> int | None:
        """The step in the state as it is now, None if the state holds none."""
        return int(self._state[STEP][0].numpy()) if STEP in self._state else None

    def not_finite(self) -> list[str]:
        """Names of the groups that hold a value that is not finite."""
        return [name for name, variables in self._state.items() if not all(map(_is_finite, variables))]


def _is_finite(variable: keras.Variable) -> bool:
    value = tf.convert_to_tensor(variable.value)
    return not value.dtype.is_floating or bool(tf.reduce_all(tf.math.is_finite(value)))


def steps_in(folder: pathlib.Path) -> list[int]:
    """Steps of the checkpoints in a folder, newest first."""
    return sorted(_steps(folder, INDEX), reverse=True)


def _steps(folder, name):
    """Steps of the checkpoints of which a folder holds a file whose name matches."""
    return {int(match[1]) for path in folder.glob("ckpt-*") if (match := name.fullmatch(path.name))}


def read_group(folder: pathlib.Path, step: int, name: str) -> list[np.ndarray]:
    """The values of one group of a checkpoint, in the order of its variables; [] if it does not hold the group.

    Raises:
        UserError: the checkpoint cannot be read.
    """
    return read_list(folder / f"ckpt-{step}", f"state/{name}")


def read_list(path: pathlib.Path, name: str) -> list[np.ndarray]:
    """The values of a list of variables in TensorFlow's checkpoint format, in order; [] if there is no such list.

    Args:
        path: the checkpoint, without the suffix of its files.
        name: path of the list in the checkpoint.

    Raises:
        UserError: the checkpoint cannot be read.
    """
    try:
        reader = tf.train.load_checkpoint(os.fspath(path))
        count = sum(key.startswith(f"{name}/") for key in reader.get_variable_to_shape_map())
        return [reader.get_tensor(f"{name}/{i}/.ATTRIBUTES/VARIABLE_VALUE") for i in range(count)]
    except (tf.errors.OpError, ValueError, IndexError) as error:  # IndexError: truncated data
        raise UserError(f"{path} cannot be read: it is damaged or has an older format; use another one") from error


def _checkpoint(state: State) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(state={name: [v.value for v in variables] for name, variables in state.items()})


def _remove(folder: pathlib.Path, prefix: str) -> None:
    """Removes a checkpoint, its index first: after a kill, data without an index do not count as a checkpoint."""
    (folder / f"{prefix}.index").unlink(missing_ok=True)
    for path in folder.glob(f"{prefix}.data-*"):
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / f"{prefix}_temp", ignore_errors=True)
