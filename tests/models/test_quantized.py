"""Rounded kernels: the values that they may have, the gradient, and the up-convolution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.models.layers import UpsampleConv2D
from akdg_tf.models.quantized import FakeQuantConv2D, FakeQuantDense, FakeQuantUpsampleConv2D, fake_quantized

RANDOM = np.random.default_rng(0)


def test_each_output_has_a_step_of_its_own_and_its_largest_weight_is_the_last_multiple():
    kernel = np.array([[0.7, -14.0], [0.24, 5.1], [-0.16, 4.9]], np.float32)
    rounded = fake_quantized(tf.constant(kernel), 4, (0,)).numpy()  # 15 values: steps of 0.1 and 2
    np.testing.assert_allclose(rounded, [[0.7, -14.0], [0.2, 6.0], [-0.2, 4.0]], rtol=1e-6)


def test_what_is_rounded_stays_and_zeros_are_zeros():
    kernel = tf.constant(RANDOM.normal(size=(3, 3, 5, 4)) * [1, 10, 0.1, 0], tf.float32)
    once = fake_quantized(kernel, 8, (0, 1, 2))
    np.testing.assert_allclose(fake_quantized(once, 8, (0, 1, 2)), once, rtol=1e-6)
    steps = np.abs(kernel).max((0, 1, 2)) / 127
    multiples = once[..., :3] / steps[:3]
    np.testing.assert_allclose(multiples, np.round(multiples), atol=1e-4)
    assert not np.any(once[..., 3])


def test_the_gradient_passes_straight_through():
    kernel = tf.Variable(RANDOM.normal(size=(5, 4)), dtype=tf.float32)
    weight = tf.constant(RANDOM.normal(size=(5, 4)), tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weight * fake_quantized(kernel, 4, (0,)))
    np.testing.assert_array_equal(tape.gradient(loss, kernel), weight)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(
    ("layer", "plain", "shape"),
    [
        (lambda **of: FakeQuantDense(4, bits=3, **of), keras.layers.Dense, (2, 5)),
        (lambda **of: FakeQuantConv2D(4, 3, padding="same", bits=3, **of), keras.layers.Conv2D, (2, 6, 6, 5)),
    ],
)
def test_a_layer_is_the_plain_one_with_the_rounded_kernel(layer, plain, shape, use_bias):
    layer, x = layer(activation="tanh", use_bias=use_bias), tf.constant(RANDOM.normal(size=shape), tf.float32)
    rounded = layer(x)
    kernel, *bias = layer.get_weights()
    config = {key: value for key, value in layer.get_config().items() if key not in ("bits", "name")}
    other = plain.from_config(config)
    other.build(shape)
    other.set_weights([fake_quantized(kernel, 3, tuple(range(kernel.ndim - 1))), *bias])
    np.testing.assert_allclose(rounded, other(x), atol=1e-6)
    assert np.abs(rounded - plain.from_config(config)(x)).max() > 0.01


def test_with_eight_bits_the_up_convolution_rounds_the_four_kernels_that_int8_stores():
    x, layer = tf.constant(RANDOM.normal(size=(2, 6, 4, 3)), tf.float32), FakeQuantUpsampleConv2D(5, bits=5)
    outputs = layer(x)
    layer.form = "phases"
    np.testing.assert_allclose(layer(x), outputs, atol=1e-5)
    kernel = layer.conv.kernel.numpy()
    right = kernel[:, 1] + kernel[:, 2]  # what the pixel itself adds to the right of two columns, if the left is 0
    phase = np.stack([[kernel[0, 0], right[0]], [kernel[1, 0] + kernel[2, 0], right[1] + right[2]]])  # even, even
    rounded = fake_quantized(tf.constant(phase), 5, (0, 1, 2))
    even = tf.nn.conv2d(x, rounded, 1, [[0, 0], [1, 0], [1, 0], [0, 0]])
    np.testing.assert_allclose(outputs[:, ::2, ::2], even, atol=1e-5)


@pytest.mark.parametrize("form", ["transposed", "phases", "resized"])
def test_with_four_bits_the_up_convolution_rounds_the_3x3_kernel_that_int4_stores(form):
    x, layer = tf.constant(RANDOM.normal(size=(2, 6, 4, 3)), tf.float32), FakeQuantUpsampleConv2D(5, bits=4)
    plain = UpsampleConv2D(5)
    for each in (layer, plain):
        each.build(x.shape)
    kernel, bias = layer.get_weights()
    plain.set_weights([fake_quantized(tf.constant(kernel), 4, (0, 1, 2)), bias])
    layer.form = form
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-5)
