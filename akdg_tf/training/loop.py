"""The one loop around `fit`: from the last checkpoint to the last step, with progress, history and checkpoints."""

import logging
from collections.abc import Callable

import keras
import tensorflow as tf

from akdg_tf.data import by_step
from akdg_tf.errors import UserError
from akdg_tf.training.callbacks import Forecast, History, Pictures, Progress, SaveCheckpoints
from akdg_tf.training.checkpoints import Checkpoints
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)


def fit_to_the_end(
    model: keras.Model,
    batch: Callable[[tf.Tensor], tf.Tensor | tuple[tf.Tensor, tf.Tensor]],
    run: Run,
    steps: int,
    report_every: int,
    batch_size: int,
    draw: Callable | None = None,
    pictures_every: int = 1,
    cpu_budget: str | None = None,
) -> None:
    """Trains a compiled model to `steps`, from the run's last checkpoint if there is one.

    Args:
        model: compiled and built.
        batch: from the number of a step to what `train_step` takes: samples, or samples and labels.
        run: where checkpoints, events and `metrics.jsonl` go.
        steps: of the whole run.
        report_every: steps between two log lines and checkpoints; one epoch of `fit`.
        batch_size: images a step, for the log.
        draw: makes a picture for TensorBoard.
        pictures_every: intervals between two pictures.
        cpu_budget: the gin file to name where the run will be long, for want of an accelerator.

    Raises:
        UserError: a loss became infinite or not a number.
    """
    checkpoints = Checkpoints(model, run.path("checkpoints"))
    start = checkpoints.restore()
    if start >= steps:
        logger.info("training is done: step %d in %s", start, run.workdir)
        return
    if start:
        logger.info("resuming at step %d of %d from %s", start, steps, run.workdir)
    history = History(run.path("metrics.jsonl"), run.path("events"), report_every, start, run.smoke)
    callbacks = [Progress(report_every, steps, batch_size), history]
    if not tf.config.list_logical_devices("GPU"):
        callbacks.append(Forecast(report_every, start, steps, cpu_budget))
    if draw:
        callbacks.append(Pictures(draw, history.writer, report_every, pictures_every))
    callbacks.append(SaveCheckpoints(checkpoints, report_every))
    model.fit(
        by_step(batch, start, steps),
        epochs=steps // report_every,
        initial_epoch=start // report_every,
        steps_per_epoch=report_every,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
    )


def check_steps(
    steps: int, report_every: int, batch_size: int, steps_per_execution: int = 1, pictures_every: int = 1
) -> None:
    """Checks that the intervals divide the run and the batch divides among the replicas of the current strategy.

    Raises:
        UserError: they do not.
    """
    counts = {"steps": steps, "report_every": report_every, "batch_size": batch_size}
    counts |= {"steps_per_execution": steps_per_execution, "pictures_every": pictures_every}
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise UserError(f"{name} is {value!r}: it must be a whole number above 0")
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if steps % report_every or report_every % steps_per_execution:
        raise UserError(
            f"steps {steps} must be a multiple of report_every {report_every}, "
            f"and that of steps_per_execution {steps_per_execution}"
        )
    if batch_size % replicas:
        raise UserError(f"batch_size {batch_size} does not divide among {replicas} replicas")


def restore_finished(model: keras.Model, steps: int, run: Run) -> None:
    """Restores the checkpoint of a finished training.

    Raises:
        UserError: the training has not come to its end.
    """
    if Checkpoints(model, run.path("checkpoints")).restore() < steps:
        raise UserError(f"{run.workdir} holds no finished training: run --stage=train first")
