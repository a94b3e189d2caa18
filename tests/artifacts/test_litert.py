"""LiteRT's file against the model in memory."""

import functools

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from support import SAMPLE_SHAPE, bicubic_generator

from akdg_tf import models
from akdg_tf.artifacts.litert import LiteRT, litert_model
from akdg_tf.errors import UserError
from akdg_tf.models.layers import UpsampleConv2D

Z = np.random.default_rng(1).normal(size=(5, 6)).astype("float32")


GENERATORS = [models.DCGANGenerator, models.SNGANGenerator, models.MLPGenerator]


@functools.cache
def converted(make):
    """A small generator, and its file."""
    small = {models.DCGANGenerator: {"widths": (8, 4)}, models.SNGANGenerator: {"width": 4, "blocks": 2}}
    model = make(6, (16, 16, 1), **small.get(make, {"width": 8}))
    return model, litert_model(model, (0, 1))


def runner(make):
    return Interpreter(model_content=converted(make)[1]).get_signature_runner("generator")


@pytest.mark.parametrize("make", GENERATORS)
def test_litert_draws_what_the_model_in_memory_draws(make):
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    np.testing.assert_allclose(runner(make)(z=z)["images"], (converted(make)[0](z) + 1) / 2, atol=1e-6)


def test_a_plain_keras_model_is_converted_and_stays_as_it_was(tmp_path):
    layers = [keras.layers.Dense(4 * 4 * 6), keras.layers.Reshape((4, 4, 6)), UpsampleConv2D(1)]
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Activation("tanh")])
    LiteRT().write(model, tmp_path)
    interpreter = Interpreter(str(tmp_path / "model.tflite"))
    images = interpreter.get_signature_runner("generator")(z=Z)["images"]
    np.testing.assert_allclose(images, (model(Z) + 1) / 2, atol=1e-6)
    operations = [operation["op_name"] for operation in interpreter._get_ops_details()]
    assert operations.count("CONV_2D") == 4 and "TRANSPOSE_CONV" not in operations  # which LiteRT is slow at
    assert layers[-1].form == "transposed"  # in TensorFlow it is the other way round


@pytest.mark.parametrize("make", GENERATORS)
@pytest.mark.parametrize("shape", [(5, 12), (10, 3), (3, 18), (5, 1)])
def test_latents_of_another_width_are_refused(make, shape):
    """Not taken for more or fewer latents of the right width."""
    with pytest.raises((RuntimeError, ValueError)):
        runner(make)(z=np.zeros(shape, np.float32))


def test_weights_in_float16_are_half_as_big_and_less_than_a_gray_level_off():
    model = models.MLPGenerator(6, (16, 16, 1), width=256, depth=2)
    whole, half = (litert_model(model, (0, 1), weights) for weights in ("float32", "float16"))
    assert len(half) == pytest.approx(len(whole) / 2, rel=0.05)
    drawn = Interpreter(model_content=half).get_signature_runner("generator")(z=Z)["images"]
    difference = np.abs(drawn - (model(Z).numpy() + 1) / 2).max()
    assert 0 < difference < 1 / 255


def test_other_weights_are_refused_as_soon_as_they_are_bound():
    with pytest.raises(UserError, match=r"LiteRT.weights 'int2' is not one of float32, float16, int8, int8_full, int4"):
        LiteRT("int2")


def test_an_operation_that_litert_lacks_is_named():
    with pytest.raises(UserError, match=r"^LiteRT cannot run this generator: it lacks the operation ResizeBicubic$"):
        litert_model(bicubic_generator(4, SAMPLE_SHAPE), (0, 1))
