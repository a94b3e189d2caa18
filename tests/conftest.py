"""What all tests share: fixed seeds, nothing left behind, and runs of `run.py` within the test's own process."""

import gc
import logging
import os
import sys
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # several wait for each other when the processors are busy

import gin
import keras
import pytest
import tensorflow as tf
from absl.testing import flagsaver
from support import ROOT, mirrored

from akdg_tf.artifacts import latency, measure
from akdg_tf.cli import stages
from akdg_tf.cli.flags import parse
from akdg_tf.cli.run import _run_or_explain
from akdg_tf.places import ZOO_VARIABLE
from akdg_tf.training import devices

_cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

# Optimizing the graphs takes a quarter of the time of tests that take few steps. Processes that tests start do it.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

measure.SPEED_REPEATS, measure.SPEED_SECONDS = 1, 0.0  # the tests measure a speed once, not for seconds

latency.REPEATS, latency.SECONDS = 1, 0.0

gc.collect()
gc.freeze()  # a collection then passes over what is imported, which would take 5 % of the tests' time


@pytest.fixture(autouse=True)
def _fixed_seed_and_nothing_left_behind():
    """A test leaves no bindings, no dtype policy and no level of our log to the next one."""
    logging.getLogger("akdg_tf").setLevel(logging.NOTSET)
    logging.getLogger().setLevel(logging.WARNING)
    zoo = os.environ.get(ZOO_VARIABLE)  # `akdg zoo verify` sets it
    keras.utils.set_random_seed(0)
    yield
    os.environ.pop(ZOO_VARIABLE, None)
    os.environ |= {} if zoo is None else {ZOO_VARIABLE: zoo}
    gin.clear_config()
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def run_here(monkeypatch, capfd, caplog):
    """A function like `support.run`, but the run takes place in this process. Its log lines are part of `stderr`."""

    def make_strategy(flag):
        kind, _, count = flag.partition(":")
        if kind not in ("auto", "cpu"):
            return devices.make_strategy(flag)
        return mirrored(tuple(f"CPU:{number}" for number in range(int(count or 1))))

    # A second strategy of the same devices would take the collective keys of the first one.
    monkeypatch.setattr(stages, "make_strategy", make_strategy)

    def function(*arguments, cwd=ROOT):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, arguments)])
        gin.clear_config()
        caplog.clear()
        capfd.readouterr()
        code = 0
        with flagsaver.flagsaver(), caplog.at_level(logging.INFO, "akdg_tf"):
            try:
                _run_or_explain(parse(sys.argv))
            except SystemExit as end:
                code = end.code
        said = capfd.readouterr()
        return types.SimpleNamespace(returncode=code, stdout=said.out, stderr=said.err + caplog.text)

    return function
