"""Layers against the plain form of what they compute."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.models.layers import FusedBatchNormalization, UpsampleConv2D, upsample
from akdg_tf.models.spectral import SpectralConv2D, SpectralConvPool2D


def test_spectral_norm_divides_by_the_largest_singular_value():
    layer = SpectralConv2D(5, 3)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    for _ in range(100):
        layer(x, training=True)
    kernel = layer.kernel.numpy()
    sigma = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    np.testing.assert_allclose(layer.used_kernel(False), kernel / sigma, rtol=1e-4)


def test_fused_conv_and_pooling_is_the_3x3_convolution_and_average_pooling_forward_and_backward():
    layer = SpectralConvPool2D(5)
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, 8, 6, 3)), tf.float32)
    weight = tf.constant(random.normal(size=(2, 4, 3, 5)), tf.float32)
    layer.build(x.shape)
    layer.bias.assign(random.normal(size=5))

    def plain(x):
        kernel = layer.used_kernel(False)
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


@pytest.mark.parametrize("form", ["transposed", "phases", "resized"])
def test_fused_upsample_conv_is_upsampling_and_the_3x3_convolution_forward_and_backward(form):
    layer = UpsampleConv2D(5)
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, 6, 4, 3)), tf.float32)
    weight = tf.constant(random.normal(size=(2, 12, 8, 5)), tf.float32)
    layer.build(x.shape)
    layer.form = form
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


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", [(6, 4, 4, 3), (6, 3)])
def test_fused_batch_normalization_is_keras_forward_and_backward(shape, policy):
    """Outputs, gradients, moving averages, and inference with them. Both train on the same two batches."""
    random = np.random.default_rng(0)
    batches = random.normal(2.0, 3.0, size=(2, *shape)).astype("float32")
    weight = random.normal(size=shape).astype("float32")
    results = []
    for kind in (FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = kind(epsilon=1e-5, momentum=0.9, dtype=policy)
        layer.build((None, *shape[1:]))
        layer.set_weights([random_weights(number) for number in range(4)])
        found = []
        for batch in batches:
            x = tf.cast(batch, layer.compute_dtype)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
                loss = tf.reduce_sum(tf.cast(y, tf.float32) * weight)
            found += [y, *tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])]
        results.append([*found, *layer.get_weights(), layer(x)])
    tolerance = {"float32": 1e-5, "mixed_bfloat16": 3e-2}[policy]
    for fused, expected in zip(*results, strict=True):
        assert fused.dtype == expected.dtype and fused.shape == expected.shape
        fused, expected = (np.asarray(value, "float32") for value in (fused, expected))
        np.testing.assert_allclose(fused, expected, atol=tolerance * np.abs(expected).max())


def random_weights(number):
    """The scale, the offset, the moving mean or the moving variance of three channels."""
    return np.random.default_rng(number).uniform(0.5, 1.5, size=3).astype("float32")


@pytest.mark.parametrize(("training", "trainable"), [(False, True), (True, False)])
def test_fused_batch_normalization_keeps_its_averages_outside_of_training(training, trainable):
    layer = FusedBatchNormalization()
    layer.build((None, 3))
    layer.trainable = trainable
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    np.testing.assert_allclose(layer(x, training=training), x / np.sqrt(1 + 1e-3), rtol=1e-6)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))


def test_upsample_repeats_each_pixel():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    np.testing.assert_array_equal(upsample(tf.constant(x)), x.repeat(2, 1).repeat(2, 2))
