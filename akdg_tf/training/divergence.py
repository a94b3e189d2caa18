"""A training that diverged: it stops at once, and the same command does not run into the same step again."""

import json
import logging
import math
from collections.abc import Sequence

import keras

from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.training.workdir import Run

FILE = "diverged.json"  # in the run folder

logger = logging.getLogger(__name__)


class StopWhereNotFinite(keras.callbacks.Callback):
    """Stops the run at the first step with a loss that is NaN or infinite.

    With `Schedule.steps_per_execution` above 1, the losses are those of the last step of each execution. They are means
    over the interval, so that a value that is not finite stays in them.

    Args:
        run: the run.
        every: steps per interval.
    """

    def __init__(self, run: Run, every: int):
        super().__init__()
        self.run, self.every, self._epoch = run, every, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """`batch` is the index of the last finished step in its epoch."""
        bad = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            begun = self._epoch * self.every
            raise diverged(self.run, begun + batch + 1, bad, begun)


def diverged(run: Run, step: int, names: Sequence[str], begun: int) -> UserError:
    """Notes in the run folder that the training diverged; returns the error to raise.

    Args:
        run: the run, claimed.
        step: the step after which something was not finite.
        names: of what was not finite.
        begun: the step at which the interval began. If there is a checkpoint of it, it is the last good one.
    """
    kept = begun if begun in steps_in(run.path("checkpoints")) else 0
    if run.chief:
        write_json(run.path(FILE), {"step": step, "names": list(names), "checkpoint": kept})
    return _error(run, step, names, kept)


def check(run: Run, start: int) -> None:
    """Checks that a training did not diverge when it last went on from the step `start`.

    Raises:
        UserError: it did, so that it would again.
    """
    path = run.path(FILE)
    if not path.exists():
        return
    try:
        noted = json.loads(path.read_bytes())
        step, names, kept = int(noted["step"]), [str(name) for name in noted["names"]], int(noted["checkpoint"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        logger.warning("%s is damaged: training goes on as if it had not diverged", path)
        return
    if kept == start:
        raise _error(run, step, names, kept)


def forget(run: Run) -> None:
    """Lets a training that diverged go on, because its configuration has changed."""
    run.path(FILE).unlink(missing_ok=True)


def _error(run: Run, step: int, names: Sequence[str], kept: int) -> UserError:
    begin = f"the checkpoint of step {kept} is kept" if kept else "there is no checkpoint yet"
    advice = f"lower the learning rates and add --allow_config_change, or remove {run.path(FILE)} to try again as it is"
    return UserError(
        f"training diverged at step {step} (not finite: {', '.join(names)}); {begin}, and the same command would "
        f"diverge again: {advice}"
    )
