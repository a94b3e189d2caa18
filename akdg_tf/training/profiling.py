"""The profile of some training steps, for TensorBoard's PROFILE tab."""

import logging
import pathlib

import keras
import tensorflow as tf

from akdg_tf.training.schedule import Schedule

logger = logging.getLogger(__name__)


class Profile(keras.callbacks.Callback):
    """Traces the steps `schedule.profile_steps`, each as an event "train" that carries its number.

    With several steps an execution, an event is an execution and its number that of its last step; executions that
    hold any of the steps are traced whole.

    Keras's own TensorBoard callback is not used, for it counts the calls of one `fit`: after a resume, or with several
    steps an execution, it would trace other steps than were asked for, and number them anew in each epoch. It also
    writes the scalars of `History` a second time, in a folder of its own.

    Args:
        schedule: its `profile_steps` is not None.
        events: folder of the TensorBoard events.
    """

    def __init__(self, schedule: Schedule, events: pathlib.Path):
        super().__init__()
        self.schedule, self.events = schedule, events
        self._epoch, self._running, self._event = 0, False, None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        """`batch` is the number of the execution's first step in its epoch."""
        begin, end = self.schedule.profile_steps
        first = self._epoch * self.schedule.report_every + batch + 1
        last = first + self.model.steps_per_execution - 1
        if last < begin or first > end:
            return
        if not self._running:
            tf.profiler.experimental.start(str(self.events))
            self._running = True
        root = 1  # which makes the event one of xprof's steps
        self._event = tf.profiler.experimental.Trace("train", step_num=last, _r=root)
        self._event.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        """`batch` is the number of the execution's last step in its epoch."""
        if self._event is None:
            return
        self._event.__exit__(None, None, None)
        self._event = None
        if self._epoch * self.schedule.report_every + batch + 1 >= self.schedule.profile_steps[1]:
            float(next(iter(logs.values())))  # waits for what an accelerator has still to do
            tf.profiler.experimental.stop()
            self._running = False
            logger.info("profile of the steps %d to %d: TensorBoard's PROFILE tab", *self.schedule.profile_steps)
