"""The one loop around `fit`: from the last checkpoint to the last step, with progress, history and checkpoints."""

import contextlib
import logging
from collections.abc import Callable

import keras
import tensorflow as tf

from akdg_tf.data import by_step
from akdg_tf.errors import UserError
from akdg_tf.reporting.pictures import Picture
from akdg_tf.training.callbacks import Forecast, History, Progress, SaveCheckpoints
from akdg_tf.training.checkpoints import Checkpoints
from akdg_tf.training.profiling import Profile
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.tensorboard import Histograms, Pictures, Tensors, write_configuration
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)


def fit_to_the_end(
    model: keras.Model,
    batch: Callable[[tf.Tensor], tf.Tensor | tuple[tf.Tensor, tf.Tensor]],
    run: Run,
    schedule: Schedule,
    tensors: Tensors,
    draw: Picture | None = None,
    cpu_budget: str | None = None,
) -> None:
    """Trains a compiled model to the last step, from the run's last checkpoint if there is one.

    Args:
        model: compiled and built.
        batch: from the number of a step to what `train_step` takes: samples, or samples and labels.
        run: where checkpoints, events and `metrics.jsonl` go.
        schedule: steps and intervals.
        tensors: from a step to what TensorBoard shows histograms of, by tag.
        draw: makes a picture for TensorBoard.
        cpu_budget: the gin file to name where the run will be long, for want of an accelerator.

    Raises:
        UserError: a loss became infinite or not a number.
    """
    steps, every = schedule.steps, schedule.report_every
    checkpoints = Checkpoints(model, run.path("checkpoints"))
    start = checkpoints.restore()
    if start >= steps:
        logger.info("training is done: step %d in %s", start, run.workdir)
        return
    if start:
        logger.info("resuming at step %d of %d from %s", start, steps, run.workdir)
    writer = tf.summary.create_file_writer(str(run.path("events")))
    with contextlib.closing(writer):
        if not start:
            write_configuration(run, writer)
        history = History(run.path("metrics.jsonl"), writer, every, start, run.smoke)
        callbacks = [*_watching(run, schedule, start, cpu_budget), *_showing(schedule, writer, tensors, draw)]
        callbacks += [history, SaveCheckpoints(checkpoints, every)]  # what was shown is flushed before the checkpoint
        model.fit(
            by_step(batch, start, steps),
            epochs=steps // every,
            initial_epoch=start // every,
            steps_per_epoch=every,
            verbose=0,
            shuffle=False,
            callbacks=callbacks,
        )


def _watching(run, schedule, start, cpu_budget) -> list[keras.callbacks.Callback]:
    """Log lines, and the profile."""
    steps, every = schedule.steps, schedule.report_every
    callbacks = [Progress(every, steps, schedule.batch_size)]
    if not tf.config.list_logical_devices("GPU"):
        callbacks.append(Forecast(every, start, steps, cpu_budget))
    if schedule.profile_steps and start >= schedule.profile_steps[1]:
        logger.info("no profile: step %d is past the steps %d to %d", start, *schedule.profile_steps)
    elif schedule.profile_steps:
        callbacks.append(Profile(schedule, run.path("events")))
    return callbacks


def _showing(schedule, writer, tensors, draw) -> list[keras.callbacks.Callback]:
    """Histograms and pictures."""
    interval = schedule.report_every, schedule.pictures_every
    callbacks = [Histograms(tensors, writer, *interval)]
    return [*callbacks, Pictures(draw, writer, *interval)] if draw else callbacks


def restore_finished(model: keras.Model, steps: int, run: Run) -> None:
    """Restores the checkpoint of a finished training.

    Raises:
        UserError: the training has not come to its end.
    """
    if Checkpoints(model, run.path("checkpoints")).restore() < steps:
        raise UserError(f"{run.workdir} holds no finished training: run --stage=train first")
