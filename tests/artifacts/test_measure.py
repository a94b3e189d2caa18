"""What a generator costs is counted, or said to be unknown; it is never counted as nothing."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_up_zoo import made_up_score

from akdg_tf.artifacts.measure import compressed_size, measure
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.models import MLPGenerator
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.saved_model import load_generator

COUNTS = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes")


def counts(network):
    return [getattr(network, name) for name in COUNTS]


def test_a_saved_model_is_measured_under_its_own_name(tmp_path):
    export_generator(MLPGenerator(3, (2, 2, 1), width=5, depth=1), tmp_path / "mine" / "saved_model", (0, 1))
    scores = {"fid[c]": made_up_score(2.0)}
    network = measure(load_generator(tmp_path / "mine" / "saved_model"), scores, "MLPGenerator")
    assert (network.name, network.network, network.latent_dim, network.scores) == ("mine", "MLPGenerator", 3, scores)
    assert counts(network) == [2, 3 * 5 + 5 + 5 * 4 + 4, 3 * 5 + 5 * 4, 3 * 5 + 5 * 4, 4 * 44]
    files = [path for path in (tmp_path / "mine" / "saved_model").rglob("*") if path.is_file()]
    assert network.file_size == sum(len(path.read_bytes()) for path in files) and network.images_per_second > 0
    assert 0 < network.compressed_size < network.file_size


def test_the_compressed_size_is_that_of_a_zip_file(tmp_path):
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "zeros").write_bytes(bytes(10**6))
    (tmp_path / "folder" / "below" / "noise").write_bytes(np.random.default_rng(0).bytes(10**4))
    shutil.make_archive(str(tmp_path / "made"), "zip", tmp_path / "folder")
    size = compressed_size(tmp_path / "folder")
    assert size == pytest.approx((tmp_path / "made.zip").stat().st_size, rel=0.05) and 10**4 < size < 1.2 * 10**4


def test_a_function_of_tensorflow_is_counted_and_has_no_file():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    network = measure(FrozenGenerator(lambda z: model(z), 3), {})
    assert (network.name, network.network, network.scores) == ("callable", None, {})
    assert network.file_size is network.compressed_size is None
    assert counts(network) == [1, 16, 12, 12, 64]


def through_numpy(z):
    return tf.numpy_function(lambda values: np.tanh(values), [z], tf.float32)


def through_eager_python(z):
    return tf.ensure_shape(tf.py_function(lambda values: tf.tanh(values), [z], tf.float32), (None, 3))


def partly_through_numpy(z):
    return tf.ensure_shape(through_numpy(z), (None, 3)) @ PARTLY.kernel


class Partly(tf.Module):
    """What has weights of its own, and calls Python too."""

    def __init__(self):
        self.kernel = tf.Variable(tf.ones((3, 3)))


PARTLY = Partly()


def recurrent():
    z = keras.Input((4,))
    return keras.Model(z, keras.layers.GRU(3)(keras.layers.Reshape((2, 2))(z)))


def grouped():
    z = keras.Input((4,))
    maps = keras.layers.Reshape((4, 4, 4))(keras.layers.Dense(64)(z))
    return keras.Model(z, keras.layers.Conv2D(2, 3, groups=2)(maps))


def attention():
    z = keras.Input((4,))
    rows = keras.layers.Reshape((2, 2))(z)
    return keras.Model(z, keras.layers.MultiHeadAttention(1, 2)(rows, rows))


@pytest.mark.parametrize("network", [recurrent, grouped, attention])
def test_the_costs_of_loops_and_of_operations_that_are_not_counted_are_unknown(network):
    """A grouped convolution stays a call, because Keras compiles it with XLA."""
    model = network()
    assert counts(measure(FrozenGenerator(model, 4, module=model), {})) == [None] * 5


@pytest.mark.parametrize("function", [through_numpy, through_eager_python, partly_through_numpy, tf.tanh])
def test_the_costs_of_an_opaque_callable_are_unknown(function):
    """Of one that calls Python, and of one whose weights are nowhere to be found."""
    network = measure(FrozenGenerator(function, 3), {})
    assert counts(network) == [None] * 5
    assert network.latent_dim == 3 and network.images_per_second > 0
