"""Layers against the plain form of what they compute."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.models.layers import SpectralConv2D, SpectralConvPool2D, UpsampleConv2D, upsample


def test_spectral_norm_divides_by_the_largest_singular_value():
    layer = SpectralConv2D(5, 3)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    for _ in range(100):
        layer(x, training=True)
    kernel = layer.kernel.numpy()
    sigma = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    np.testing.assert_allclose(layer._normalized_kernel(False), kernel / sigma, rtol=1e-4)


def test_fused_conv_and_pooling_is_the_3x3_convolution_and_average_pooling_forward_and_backward():
    layer = SpectralConvPool2D(5)
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, 8, 6, 3)), tf.float32)
    weight = tf.constant(random.normal(size=(2, 4, 3, 5)), tf.float32)
    layer.build(x.shape)
    layer.bias.assign(random.normal(size=5))

    def plain(x):
        kernel = layer._normalized_kernel(False)
        return tf.nn.avg_pool2d(tf.nn.conv2d(x, kernel, 1, "SAME") + layer.bias, 2, 2, "VALID")

    results = []
    for function in (layer, plain):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            loss = tf.reduce_sum(y * weight)
        results.append([y, *tape.gradient(loss, [x, layer.kernel, layer.bias])])
    for fused, expected in zip(*results, strict=True):
        np.testing.assert_allclose(fused, expected, atol=1e-6 * float(tf.reduce_max(tf.abs(expected))) + 1e-6)


def test_fused_conv_and_pooling_knows_its_shape_and_refuses_odd_sides():
    layer = SpectralConvPool2D(5)
    assert (
        layer.compute_output_shape((None, 8, 6, 3))
        == (None, 4, 3, 5)
        == (None, *layer(tf.zeros((2, 8, 6, 3))).shape[1:])
    )
    with pytest.raises(ValueError, match="even sides"):
        SpectralConvPool2D(5).build((None, 8, 5, 3))


@pytest.mark.parametrize("phases", [False, True])
def test_fused_upsample_conv_is_upsampling_and_the_3x3_convolution_forward_and_backward(phases):
    layer = UpsampleConv2D(5)
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, 6, 4, 3)), tf.float32)
    weight = tf.constant(random.normal(size=(2, 12, 8, 5)), tf.float32)
    layer.build(x.shape)
    layer.phases = phases
    layer.conv.bias.assign(random.normal(size=5))

    def plain(x):
        return layer.conv(keras.layers.UpSampling2D(2)(x))

    found = []
    for form in (layer, plain):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = form(x)
        found.append([y, *tape.gradient(y, [x, *(v.value for v in layer.conv.variables)], output_gradients=weight)])
    for fused, expected in zip(*found, strict=True):
        np.testing.assert_allclose(fused, expected, atol=1e-6 * np.abs(expected).max())


def test_upsample_repeats_each_pixel():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    np.testing.assert_array_equal(upsample(tf.constant(x)), x.repeat(2, 1).repeat(2, 2))
