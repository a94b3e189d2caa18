"""The training loop around `fit`, from the last checkpoint to the last step, with its callbacks."""

import contextlib
import functools
import logging
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.result import Score
from akdg_tf.data import by_step
from akdg_tf.methods.growth import Grow
from akdg_tf.reporting.pictures import Picture
from akdg_tf.training import chief, divergence
from akdg_tf.training.callbacks import Curve, Forecast, History, SaveCheckpoints, StepLog
from akdg_tf.training.divergence import StopWhereNotFinite
from akdg_tf.training.profiling import Profile
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.stopping import after_the_interval
from akdg_tf.training.tensorboard import Histograms, Pictures, Tensors, write_configuration
from akdg_tf.training.workdir import Run
from akdg_tf.training.worker_steps import train_function, worker_batches

logger = logging.getLogger(__name__)


def fit_to_the_end(
    model: keras.Model,
    batch: Callable[[tf.Tensor], tf.Tensor | tuple[tf.Tensor, tf.Tensor]],
    run: Run,
    schedule: Schedule,
    checkpoints: Checkpoints,
    tensors: Tensors,
    draw: Picture | None = None,
    begin: Callable[[], int] | None = None,
    score: Callable[[], Mapping[str, Score]] | None = None,
) -> None:
    """Trains a compiled model to the last step, from the run's last checkpoint if there is one.

    Args:
        model: compiled and built.
        batch: maps a step to the input of `train_step`: this share's samples, or samples and labels.
        run: the run folder; the chief writes events and `metrics.jsonl`.
        schedule: steps and intervals.
        checkpoints: restores and saves the state of the model.
        tensors: maps a step to the tensors of TensorBoard's histograms, by tag.
        draw: makes a picture for TensorBoard; None writes no pictures.
        begin: called if there is no checkpoint yet; gives the model its initial state and returns the step of it.
        score: scores the model every `schedule.curve_every` steps; None scores it only at the end.

    Of several workers the chief restores and writes, and all others get its state.

    Raises:
        UserError: a loss is not finite, training cannot start at the step that `begin` returns, or all checkpoints are
            damaged.
    """
    steps, strategy = schedule.steps, model.distribute_strategy
    start = _restored(run, checkpoints, steps) if run.chief else 0
    start = int(chief.from_chief(strategy, [np.array(start)])[0])
    if start >= steps:
        logger.info("training is done: step %d in %s", start, run.workdir)
        return
    resumed = start > 0
    if resumed:
        logger.info("resuming at step %d of %d from %s", start, steps, run.workdir)
    elif begin:
        start = begin()
        schedule.check_start(start)
    if chief.workers(strategy) > 1:
        checkpoints.take_over(functools.partial(chief.from_chief, strategy))
    callbacks = [Grow(schedule.growth)] if schedule.growth else []
    every = schedule.report_every
    callbacks += [StopWhereNotFinite(run, every), StepLog(every, steps, schedule.batch_size_at)]
    if not run.chief:
        _fit(model, batch, schedule, start, callbacks)
        return
    writer = tf.summary.create_file_writer(str(run.path("events")))
    with contextlib.closing(writer), after_the_interval() as stop:
        if not resumed:
            write_configuration(run, writer)
        callbacks += [*_watching(run, schedule, start), *_showing(schedule, writer, tensors, draw)]
        callbacks += _recording(run, schedule, start, writer, score)
        # The records come before the checkpoint, so that a run that is killed in between writes them again.
        callbacks += [SaveCheckpoints(checkpoints, every, run), stop]
        _fit(model, batch, schedule, start, callbacks)


def _restored(run, checkpoints, steps) -> int:
    """The step of the checkpoint that is restored, 0 if there is none."""
    start = checkpoints.restore()
    if run.go_on(start, steps):
        divergence.forget(run)
    divergence.check(run, start)
    return start


def _fit(model, batch, schedule, start, callbacks) -> None:
    """Trains from a step to the last one."""
    steps, every = schedule.steps, schedule.report_every
    if chief.workers(model.distribute_strategy) > 1:
        batches = worker_batches(model.distribute_strategy, batch, start, steps)
        model.train_function = train_function(model)
    else:
        batches = by_step(batch, start, steps)
    model.fit(
        batches,
        epochs=steps // every,
        initial_epoch=start // every,
        steps_per_epoch=every,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
    )


def _recording(run, schedule, start, writer, score) -> list[keras.callbacks.Callback]:
    """Callbacks for the curve and for the history."""
    every = schedule.report_every
    callbacks = [History(run.path("metrics.jsonl"), writer, every, start, run.smoke)]
    if score and schedule.curve_every:
        curve = Curve(score, run.path("curve.jsonl"), writer, every, schedule.curve_every // every, start)
        callbacks.insert(0, curve)
    return callbacks


def _watching(run, schedule, start) -> list[keras.callbacks.Callback]:
    """Callbacks for the forecast and for the profile."""
    steps, every = schedule.steps, schedule.report_every
    callbacks: list[keras.callbacks.Callback] = []
    if not tf.config.list_logical_devices("GPU"):
        callbacks.append(Forecast(every, start, steps, schedule.cpu_budget))
    if schedule.profile_steps and start >= schedule.profile_steps[1]:
        logger.info("no profile: training starts at step %d, after the steps %d to %d", start, *schedule.profile_steps)
    elif schedule.profile_steps:
        callbacks.append(Profile(schedule, run.path("events")))
    return callbacks


def _showing(schedule, writer, tensors, draw) -> list[keras.callbacks.Callback]:
    """Callbacks for histograms and pictures."""
    interval = schedule.report_every, schedule.pictures_every
    callbacks = [Histograms(tensors, writer, *interval)]
    return [*callbacks, Pictures(draw, writer, *interval)] if draw else callbacks
