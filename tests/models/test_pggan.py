"""PGGAN: its layers by their formulas, its counts, and how it grows."""

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.artifacts.saved_model import detached_copy
from akdg_tf.compat import layers_of
from akdg_tf.models import PGGANDiscriminator, PGGANGenerator, equalized
from akdg_tf.models.counting import count_cost
from akdg_tf.models.layers import upsample
from akdg_tf.models.pggan import at_full_size

WIDTHS = (8, 6, 4)
Z = tf.random.stateless_normal((5, 4), (1, 2))
IMAGES = tf.random.stateless_uniform((4, 16, 16, 3), (3, 4), -1.0, 1.0)


def generator(growing=True, **settings):
    keras.utils.set_random_seed(0)
    return PGGANGenerator(4, (16, 16, 3), WIDTHS, growing, **settings)


def discriminator(growing=True):
    keras.utils.set_random_seed(0)
    network = PGGANDiscriminator(WIDTHS, growing)
    network(IMAGES)
    return network


def test_the_papers_teacher_has_its_counts():
    """The spec counts the first layer as a 4x4 convolution over 4x4 outputs (8,868,855,808); as dense it is this."""
    teacher = PGGANGenerator()
    cost = count_cost(teacher, (512,), teacher.variables, teacher.trainable_variables)
    assert (cost.layers, cost.params, cost.mult_adds) == (15, 18_344_995, 8_805_941_248)
    assert 8_868_855_808 - cost.mult_adds == 15 * 512 * 512 * 16


@pytest.mark.parametrize("growing", [True, False])
def test_the_generator_keeps_its_contract(growing):
    def make():
        made = at_full_size(PGGANGenerator(8, (16, 16, 3), (64, 64, 32), growing))
        images = made.to_images["2"]
        images.kernel.assign(0.1 * images.kernel.numpy())  # small images: pixel norm enlarges rounding errors
        return made

    contracts.generator_contract(make)


def test_the_discriminator_keeps_its_contract():
    contracts.discriminator_contract(lambda: PGGANDiscriminator((4, 3)), (8, 8, 3))


def test_pixel_norm_gives_each_pixel_the_mean_square_1():
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 5)).astype(np.float32)
    np.testing.assert_allclose(equalized.pixel_norm(x), x / np.sqrt((x**2).mean(-1, keepdims=True)), rtol=1e-5)


@pytest.mark.parametrize(("n", "size"), [(8, 4), (6, 2), (5, 1), (4, 4), (1, 1)])
def test_the_minibatch_stddev_is_that_of_each_group(n, size):
    x = np.random.default_rng(0).normal(size=(n, 2, 3, 5)).astype(np.float32)
    stddev = [np.sqrt(group.var(0) + 1e-8).mean() for group in np.split(x, n // size)]
    expected = np.repeat(stddev, size)
    found = equalized.with_minibatch_stddev(tf.constant(x)).numpy()
    np.testing.assert_array_equal(found[..., :5], x)
    np.testing.assert_allclose(found[..., 5], np.broadcast_to(expected[:, None, None], (n, 2, 3)), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", [equalized.EqualizedConv2D, equalized.EqualizedConvPool2D, equalized.EqualizedDense])
def test_equalized_weights_are_of_variance_1_and_scaled_when_they_are_used(kind):
    layer = kind(64, 3) if kind is equalized.EqualizedConv2D else kind(64)
    layer.build((None, 128) if kind is equalized.EqualizedDense else (None, 8, 8, 128))
    assert float(tf.math.reduce_std(layer.kernel)) == pytest.approx(1.0, rel=0.02)
    inputs = 128 * (1 if kind is equalized.EqualizedDense else 9)
    np.testing.assert_allclose(layer.used_kernel(), layer.kernel.numpy() * (2 / inputs) ** 0.5, rtol=1e-6)


def test_a_map_fades_in_over_the_enlarged_image_of_the_one_before():
    network = generator()

    def at(growth):
        network.growth.assign(growth)
        return network(Z, training=True).numpy()

    small, middle, full = at(0.0), at(1.0), at(2.0)
    for images, factor in ((small, 4), (middle, 2)):  # squares of equal pixels
        blocks = images.reshape(5, 16 // factor, factor, 16 // factor, factor, 3)
        assert np.ptp(blocks, axis=(2, 4)).max() == 0.0 and np.ptp(images, axis=(1, 2)).min() > 0.0
    assert np.abs(full - middle).max() > 0.01
    np.testing.assert_allclose(at(0.25), 0.75 * small + 0.25 * middle, atol=1e-6)
    np.testing.assert_allclose(at(1.75), 0.25 * middle + 0.75 * full, atol=1e-6)


def test_a_fade_is_as_fine_in_bfloat16():
    """Growth 1.001 would be 1 in bfloat16: the third map would not be in use."""
    generator = PGGANGenerator(4, (16, 16, 1), (4, 4, 4), growing=True, dtype="mixed_bfloat16")
    z = tf.random.stateless_normal((2, 4), (1, 2))
    images = []
    for growth in (1.0, 1.001):
        generator.growth.assign(growth)
        images.append(generator(z, training=True).numpy())
    assert 0 < np.abs(images[1] - images[0]).max() < 0.01


def test_images_are_clipped_outside_of_training():
    network = generator()
    network.to_images["0"].bias.assign([0.0, 3.0, -3.0])
    assert float(tf.reduce_max(tf.abs(network(Z, training=True)))) > 2.0
    assert float(tf.reduce_max(tf.abs(network(Z)))) == 1.0


def test_a_discriminator_sees_the_detail_of_its_maps_only():
    """With growth 1 of 2 it sees images of 8x8: the means of 2x2 pixels."""
    network = discriminator()
    network.growth.assign(1.0)
    coarse = upsample(tf.nn.avg_pool2d(IMAGES, 2, 2, "VALID"))
    np.testing.assert_allclose(network(IMAGES), network(coarse), rtol=1e-5, atol=1e-6)
    network.growth.assign(1.5)
    assert np.abs(network(IMAGES) - network(coarse)).max() > 1e-4


@pytest.mark.parametrize("growth", [0.0, 1.0, 2.0])
def test_a_discriminator_begins_a_fade_where_the_stable_phase_ended(growth):
    network = discriminator()
    network.growth.assign(growth)
    logits = network(IMAGES)
    if growth < 2.0:
        network.growth.assign(growth + 1e-6)
        np.testing.assert_allclose(network(IMAGES), logits, atol=1e-4)
    else:
        grown = discriminator(growing=False)
        grown.set_weights([w.numpy() for w in _used_at_full_size(network)])
        np.testing.assert_allclose(grown(IMAGES), logits, rtol=1e-5, atol=1e-6)


def _used_at_full_size(network):
    unused = {id(v) for i in ("0", "1") for v in network.from_images[i].variables} | {id(network.growth)}
    return [v for v in network.variables if id(v) not in unused]


@pytest.mark.parametrize("growing", [True, False])
def test_every_layer_is_built(growing):
    """Otherwise Keras calls the method on images, as if they were latents, to build the rest."""
    assert all(layer.built for network in (generator(growing), discriminator(growing)) for layer in layers_of(network))


def test_what_is_exported_does_not_grow_any_more():
    network = generator()
    network.growth.assign(1.5)
    assert detached_copy(network).growing and not network.grown
    np.testing.assert_array_equal(detached_copy(network)(Z), network(Z))
    network.growth.assign(2.0)
    exported = detached_copy(network)
    assert network.grown and not exported.growing and not hasattr(exported, "growth")
    np.testing.assert_allclose(exported(Z), network(Z), atol=1e-6)
    assert len(exported.variables) == len(network.variables) - 5  # two 1x1 convolutions and the growth


def test_sides_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="divisible by 4"):
        PGGANGenerator(4, (18, 16, 3), WIDTHS)
    assert PGGANGenerator(4, (12, 20, 1), WIDTHS)(Z).shape == (5, 12, 20, 1)
