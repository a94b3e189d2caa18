"""The profile of chosen training steps, for TensorBoard's PROFILE tab."""

import logging
import pathlib

import keras
import tensorflow as tf

from akdg_tf.training.schedule import Schedule

logger = logging.getLogger(__name__)


class Profile(keras.callbacks.Callback):
    """Traces the steps `schedule.profile_steps`, each as an event "train" with the number of its step.

    With several steps per execution, each event is one execution, with the number of its last step. An execution that
    contains at least one of the steps is traced completely.

    Keras's own TensorBoard callback counts the calls of one `fit`. After a resume, or with several steps per execution,
    it would trace the wrong steps. It also counts from 1 again in every epoch, and it writes the scalars of `History` a
    second time, in another folder.

    Args:
        schedule: with `profile_steps` set.
        events: folder of the TensorBoard events.
    """

    def __init__(self, schedule: Schedule, events: pathlib.Path):
        super().__init__()
        self.schedule, self.events = schedule, events
        self._epoch, self._running, self._event = 0, False, None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        """`batch` is the index of the execution's first step in its epoch."""
        begin, end = self.schedule.profile_steps
        first = self._epoch * self.schedule.report_every + batch + 1
        last = first + self.model.steps_per_execution - 1
        if last < begin or first > end:
            return
        if not self._running:
            tf.profiler.experimental.start(str(self.events))
            self._running = True
        root = 1  # marks the event as a step for xprof
        self._event = tf.profiler.experimental.Trace("train", step_num=last, _r=root)
        self._event.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        """`batch` is the index of the execution's last step in its epoch."""
        if self._event is None:
            return
        self._event.__exit__(None, None, None)
        self._event = None
        if self._epoch * self.schedule.report_every + batch + 1 >= self.schedule.profile_steps[1]:
            float(next(iter(logs.values())))  # waits until an accelerator has finished these steps
            tf.profiler.experimental.stop()
            self._running = False
            logger.info("profiled the steps %d to %d: see TensorBoard's PROFILE tab", *self.schedule.profile_steps)
