"""Keras callbacks of a run. Each epoch of `fit` is one report interval of `every` steps."""

import json
import logging
import pathlib
import time
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.result import Score
from akdg_tf.files import write_text
from akdg_tf.training import divergence
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)


class StepLog(keras.callbacks.Callback):
    """Writes one log line per interval: step, share, ETA, speed and losses.

    Args:
        every: steps per interval.
        total: last step of the run.
        batch_size_at: images per step in a step, counted from 0. For images/s, that of the interval's last step counts.
    """

    def __init__(self, every: int, total: int, batch_size_at: Callable[[int], int | tf.Tensor]):
        super().__init__()
        self.every, self.total, self.batch_size_at = every, total, batch_size_at
        self._began, self._pace = 0.0, None

    def on_epoch_begin(self, epoch, logs=None):
        self._began = (
            time.monotonic()
        )  # what follows an interval, such as a checkpoint or an evaluation, is not counted

    def on_epoch_end(self, epoch, logs=None):
        step = (epoch + 1) * self.every
        pace = (time.monotonic() - self._began) / self.every
        self._pace = pace if self._pace is None else 0.7 * self._pace + 0.3 * pace
        eta = int(self._pace * (self.total - step))
        losses = "  ".join(f"{name} {value:.3f}" for name, value in logs.items())
        share = f"step {step}/{self.total} ({100 * step // self.total}%)"
        speed = int(self.batch_size_at(step - 1)) / pace
        logger.info("%s  ETA %d:%02d  %.0f img/s  %s", share, eta // 60, eta % 60, speed, losses)


class Forecast(keras.callbacks.Callback):
    """Logs once, after the first steps, how long the rest of the run will take.

    Args:
        every: steps per interval.
        start: step at which this fit begins.
        total: last step of the run.
        budget: gin file that scales the experiment down, which the log line names; None if there is no such file.
    """

    WARM_UP, MEASURED = 5, 20  # steps; the graph is traced in the first ones

    def __init__(self, every: int, start: int, total: int, budget: str | None):
        super().__init__()
        self.every, self.start, self.total, self.budget = every, start, total, budget
        self._epoch, self._began, self._first, self._told = 0, None, 0, False

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """`batch` is the index of the last finished step in its epoch."""
        done = self._epoch * self.every + batch + 1 - self.start
        if self._began is None and done >= self.WARM_UP:
            self._began, self._first = time.monotonic(), done
        elif not self._told and self._began is not None and done - self._first >= self.MEASURED:
            seconds = (time.monotonic() - self._began) / (done - self._first)
            hint = f"; to scale the run down, add --gin_file={self.budget}" if self.budget else ""
            steps = self.total - self.start
            hours, minutes = divmod(round(seconds * steps / 60), 60)
            time_left = f"{steps} steps take about {hours} h {minutes:02d} min"
            logger.info("no accelerator: %.2f s per step, %s%s", seconds, time_left, hint)
            self._told = True


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves a checkpoint at the end of every interval. Stops the run if a weight is not finite.

    Args:
        checkpoints: saves the state of the trained model.
        every: steps per interval.
        run: the run.
    """

    def __init__(self, checkpoints: Checkpoints, every: int, run: Run):
        super().__init__()
        self.checkpoints, self.every, self.run = checkpoints, every, run

    def on_epoch_end(self, epoch, logs=None):
        step = (epoch + 1) * self.every
        bad = self.checkpoints.not_finite()
        if bad:
            raise divergence.diverged(self.run, step, bad, step - self.every)
        self.checkpoints.save(step)


class History(keras.callbacks.Callback):
    """Writes the logs of every interval to `metrics.jsonl` and to TensorBoard.

    Args:
        jsonl: the file `metrics.jsonl`. Lines after the step `start`, which an interrupted run left, are removed.
        writer: TensorBoard's writer.
        every: steps per interval.
        start: step at which this fit begins.
        smoke: marks each line as part of a smoke run.
    """

    def __init__(self, jsonl: pathlib.Path, writer: tf.summary.SummaryWriter, every: int, start: int, smoke: bool):
        super().__init__()
        self.jsonl, self.writer, self.every = jsonl, writer, every
        self.label = {"smoke": True} if smoke else {}
        _remove_after(jsonl, start)

    def on_epoch_end(self, epoch, logs=None):
        step = (epoch + 1) * self.every
        _append(self.jsonl, {"step": step, **{name: float(value) for name, value in logs.items()}, **self.label})
        with self.writer.as_default(step):
            for name, value in logs.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


class Curve(keras.callbacks.Callback):
    """Scores the trained generator at regular intervals, into the log, `curve.jsonl` and TensorBoard.

    Args:
        score: gives the scores by name.
        jsonl: the file `curve.jsonl`; each line holds the step and the value of each score. Lines after the step
            `start`, which an interrupted run left, are removed.
        writer: TensorBoard's writer.
        every: steps per interval.
        intervals: intervals per evaluation.
        start: step at which this fit begins.
    """

    def __init__(
        self,
        score: Callable[[], Mapping[str, Score]],
        jsonl: pathlib.Path,
        writer: tf.summary.SummaryWriter,
        every: int,
        intervals: int,
        start: int,
    ):
        super().__init__()
        self.score, self.jsonl, self.writer, self.every, self.intervals = score, jsonl, writer, every, intervals
        _remove_after(jsonl, start)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.intervals:
            return
        step = (epoch + 1) * self.every
        values = {name: score.value for name, score in self.score().items()}
        logger.info("step %d: %s", step, "  ".join(f"{name} {value:.4g}" for name, value in values.items()))
        _append(self.jsonl, {"step": step, **values})
        with self.writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(f"curve/{name}", value)


def _remove_after(jsonl: pathlib.Path, start: int) -> None:
    """Removes the lines of steps after `start`. Makes the file if it is missing."""
    text = jsonl.read_text(encoding="utf-8", errors="replace") if jsonl.exists() else ""
    kept = []
    for line in text.splitlines(keepends=True):
        if not line.endswith("}\n"):  # killing a run may leave half a line at the end
            continue
        try:
            if json.loads(line)["step"] <= start:
                kept.append(line)
        except (ValueError, KeyError, TypeError, RecursionError):
            logger.warning("a line of %s is damaged, and is removed: %r", jsonl, line[:60])
    write_text(jsonl, "".join(kept))


def _append(jsonl: pathlib.Path, line: Mapping[str, object]) -> None:
    with jsonl.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
