import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gin
import keras
import pytest
import tensorflow as tf

from akdg_tf.artifacts import latency, measure

_cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

# Optimizing the graphs takes a quarter of the time of tests that take few steps. Processes that tests start do it.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

measure.SPEED_REPEATS, measure.SPEED_SECONDS = 1, 0.0  # the tests measure a speed once, not for seconds

latency.REPEATS, latency.SECONDS = 1, 0.0


@pytest.fixture(autouse=True)
def _fixed_seed_and_nothing_left_behind():
    """A test leaves no bindings, no dtype policy and no level of our log to the next one."""
    level = logging.getLogger("akdg_tf").level
    keras.utils.set_random_seed(0)
    yield
    logging.getLogger("akdg_tf").setLevel(level)
    gin.clear_config()
    keras.config.set_dtype_policy("float32")
