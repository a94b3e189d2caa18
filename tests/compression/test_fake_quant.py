"""A network with rounded kernels: what it exports is what it computes, and it can be trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from ai_edge_litert.interpreter import Interpreter
from support import not_gray

from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.network import load_network
from akdg_tf.artifacts.saved_model import export
from akdg_tf.compression.fake_quant import FakeQuantize
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, LayeredGenerator, MLPGenerator, SNGANGenerator
from akdg_tf.models.counting import count_cost
from akdg_tf.teachers.load import load_teacher

Z = tf.random.stateless_normal((16, 8), (1, 2))


@pytest.fixture(scope="module")
def model():
    """A DCGAN whose images are not gray. All but its last kernel have more than 1,024 weights."""
    keras.utils.set_random_seed(0)
    return not_gray(DCGANGenerator(8, (8, 8, 1), (32, 16)))


def differences(model, weights):
    """Absolute differences between the images of an export and those of the network, in gray levels of 255."""
    runner = Interpreter(model_content=litert_model(model, (0, 1), weights)).get_signature_runner("generator")
    return np.abs(runner(z=Z.numpy())["images"] - (model(Z) + 1) / 2) * 255


@pytest.mark.parametrize(("bits", "weights", "most", "better"), [(4, "int4", 0.001, 1000), (8, "int8", 0.5, 1.5)])
def test_the_export_of_a_network_with_rounded_kernels_draws_what_the_network_draws(model, bits, weights, most, better):
    """With int8 LiteRT rounds the activations as well, which is what is left of the difference."""
    rounded, plain = differences(FakeQuantize(bits)(model), weights), differences(model, weights)
    assert rounded.mean() < most and better * rounded.mean() < plain.mean()


@pytest.mark.parametrize("bits", [3, 5])
def test_levels_that_int4_does_not_have_are_one_line(model, bits):
    """The steps of 3 bits are thirds of the largest weight, those of int4 are sevenths."""
    with pytest.raises(UserError, match=rf"trained for {bits} bits: bind FakeQuantize\.bits=4 before int4"):
        litert_model(FakeQuantize(bits)(model), (0.0, 1.0), "int4")


def test_a_file_of_fewer_bits_than_the_weights_were_trained_for_is_one_line(model):
    with pytest.raises(UserError, match=r"the weights were trained for 8 bits: bind FakeQuantize\.bits=4 before int4"):
        litert_model(FakeQuantize(8)(model), (0, 1), "int4")


def test_the_saved_model_needs_no_code_of_ours_and_costs_what_the_plain_network_costs(model, tmp_path):
    rounded = FakeQuantize(4)(model)
    export(rounded, tmp_path / "rounded")
    module = hub.load(str(tmp_path / "rounded"))
    np.testing.assert_allclose(module(Z), (rounded(Z) + 1) / 2, atol=1e-6)
    assert np.abs(rounded(Z) - model(Z)).mean() > 0.01
    plain = count_cost(model, (8,), model.variables, model.trainable_variables)
    found = load_teacher(str(tmp_path / "rounded")).describe()
    assert {key: found[key] for key in vars(plain)} == vars(plain)
    back = load_network(tmp_path / "rounded")
    assert [layer.bits for layer in back.net.layers if hasattr(layer, "bits")] == [4, 4, 4]
    np.testing.assert_allclose(back(Z), rounded(Z), atol=1e-6)


@pytest.mark.parametrize("make", [SNGANGenerator, MLPGenerator])
def test_every_kernel_is_trained_also_in_residual_blocks(make):
    given = {"width": 6, "blocks": 1} if make is SNGANGenerator else {"width": 6, "depth": 1}
    rounded = FakeQuantize(2)(make(8, (8, 8, 1), **given))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(rounded(Z, training=True) - 0.5))
    kernels = [v for v in rounded.trainable_variables if len(v.shape) > 1]
    gradients = tape.gradient(loss, kernels)
    assert len(gradients) == len(kernels) > 1 and all(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("bits", [1, 9, 4.0, True, "8"])
def test_other_numbers_of_bits_are_one_line(bits):
    with pytest.raises(UserError, match=r"^FakeQuantize.bits is .*: bind a whole number from 2 to 8$"):
        FakeQuantize(bits)


def test_a_kernel_that_cannot_be_rounded_is_one_line(model):
    with pytest.raises(UserError, match="cannot round the kernel of a FakeQuantDense: only of Dense, Conv2D, Upsample"):
        FakeQuantize()(FakeQuantize()(model))
    layers = [keras.layers.Dense(12), keras.layers.Reshape((2, 2, 3)), keras.layers.Conv2DTranspose(1, 4, 2, "same")]
    other = LayeredGenerator(keras.Sequential(layers), 8, (4, 4, 1))
    with pytest.raises(UserError, match="cannot round the kernel of a Conv2DTranspose"):
        FakeQuantize()(other)
