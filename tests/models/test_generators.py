import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf import models
from akdg_tf.models.layers import SpectralConv2D, SpectralConvPool2D, UpsampleConv2D, upsample

GENERATORS = [
    lambda: models.MLPGenerator(6, (16, 16, 2), width=8, depth=2, use_batch_norm=True),
    lambda: models.MLPGenerator(6, (2,), width=8, output_activation="linear"),
    lambda: models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4)),
    lambda: models.SNGANGenerator(6, (32, 32, 3), width=4, blocks=2),
]
OTHERS = [
    (lambda: models.ConvDiscriminator((4, 8)), (16, 16, 3)),
    (lambda: models.ResNetDiscriminator(8, (True, False)), (16, 16, 1)),
    (lambda: models.MLPDiscriminator(8, 2), (2,)),
]


def reloaded(model):
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))


@pytest.mark.parametrize("make", GENERATORS)
def test_generator_draws_its_sample_shape_and_survives_serialization(make):
    model = make()
    z = np.random.default_rng(0).normal(size=(5, model.latent_dim)).astype("float32")
    images = model(z).numpy()
    assert images.shape == (5, *model.sample_shape)
    assert images.dtype == np.float32
    copy = reloaded(model)
    assert copy.get_config() == model.get_config()
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(z).numpy(), images)


@pytest.mark.parametrize(("make", "shape"), OTHERS)
def test_discriminator_gives_one_logit_and_survives_serialization(make, shape):
    model = make()
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype("float32")
    logits = model(x).numpy()
    assert logits.shape == (5, 1)
    copy = reloaded(model)
    copy(x)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(x).numpy(), logits)


def test_a_shape_that_does_not_halve_is_refused():
    with pytest.raises(ValueError, match="halves 3 times"):
        models.SNGANGenerator(sample_shape=(28, 28, 1))


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


@pytest.mark.parametrize("make", [*GENERATORS, OTHERS[0][0], OTHERS[1][0]])
def test_mixed_bfloat16_rounds_inside_but_neither_weights_nor_outputs(make):
    keras.utils.set_random_seed(0)
    reference = make()
    shape = (5, reference.latent_dim) if hasattr(reference, "latent_dim") else (5, 16, 16, 3)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = reference(x).numpy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    mixed = make()
    mixed(x)
    mixed.set_weights(reference.get_weights())
    outputs = mixed(x)
    assert outputs.dtype == tf.float32 and {v.dtype for v in mixed.variables} == {"float32"}
    error = np.abs(outputs - expected).max() / np.abs(expected).max()
    assert 1e-5 < error < 5e-2  # it does compute in bfloat16, whose mantissa has 8 bits
