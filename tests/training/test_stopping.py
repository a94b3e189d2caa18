"""SIGTERM in a training: it ends after the interval, at once when it comes twice, and only in the training."""

import os
import signal
import threading

import pytest

from akdg_tf.training.stopping import after_the_interval


def test_it_ends_after_the_interval(caplog):
    before = signal.getsignal(signal.SIGTERM)
    with after_the_interval() as stop:
        stop.on_epoch_end(0)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stop.on_epoch_end(1)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pthread_sigmask(signal.SIG_BLOCK, [])  # the handler runs before this returns
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_than_the_main_one_leaves_signals_alone():
    handlers = []

    def train():
        with after_the_interval() as stop:
            handlers.append(signal.getsignal(signal.SIGTERM))
            stop.on_epoch_end(0)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]
