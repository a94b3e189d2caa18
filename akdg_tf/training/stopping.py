"""SIGTERM during a training: the interval is finished and saved, then the run ends as after Ctrl-C."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator

import keras

logger = logging.getLogger(__name__)


class Stop(keras.callbacks.Callback):
    """Ends the training after an interval if that was asked for. It follows the callback that saves the checkpoint."""

    def __init__(self):
        super().__init__()
        self.asked = False

    def ask(self, number, frame) -> None:
        """The signal's handler. A second signal ends the training at once.

        Raises:
            KeyboardInterrupt: it is the second one.
        """
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        logger.info("SIGTERM: stopping after the next checkpoint; a second one stops at once")

    def on_epoch_end(self, epoch, logs=None):
        if self.asked:
            raise KeyboardInterrupt


@contextlib.contextmanager
def after_the_interval() -> Iterator[Stop]:
    """The callback, which SIGTERM asks to stop in this block. Python handles signals in the main thread only."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, stop.ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
