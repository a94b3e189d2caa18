"""The importance of channels, against numbers that are computed in another way."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE

from akdg_tf import latents
from akdg_tf.compression import importance
from akdg_tf.compression.channel_groups import groups_of, weights_of
from akdg_tf.models import SNGANGenerator


@pytest.fixture
def generator():
    keras.utils.set_random_seed(0)
    return SNGANGenerator(4, SAMPLE_SHAPE, width=5, blocks=2)


def test_the_magnitude_is_the_norm_of_the_weights_that_write_and_read_a_channel(generator):
    trunk, inner, _ = importance.magnitude(generator, groups_of(generator))
    dense, _, one, two, _, _, last = generator.net.layers
    first, second = ([block.residual.layers[2].conv.kernel, block.residual.layers[5].kernel] for block in (one, two))
    kernels = (np.moveaxis(kernel, 2, 3) for kernel in (first[0], second[0], last.kernel))
    parts = [np.reshape(dense.kernel, (4, 4, 5)), first[1], second[1], *kernels]
    squares = np.sum([np.sum(np.reshape(part, (-1, 5)) ** 2, 0) for part in parts], 0)
    np.testing.assert_allclose(trunk, np.sqrt(squares), rtol=1e-5)
    squares = np.sum(np.reshape(first[0], (-1, 5)) ** 2, 0) + np.sum(np.moveaxis(first[1], 2, 0) ** 2, (1, 2, 3))
    np.testing.assert_allclose(inner, np.sqrt(squares), rtol=1e-5)


def test_the_diversity_is_the_slope_of_the_difference_by_the_weights_that_read_the_channel(generator, monkeypatch):
    """Of one pair. To scale what is read of a channel is to scale the weights that read it."""
    monkeypatch.setattr(importance, "PAIRS", 1)
    z, noise = tf.split(latents.draw("normal", 2, 4, (0, latents.PROBE), tf.constant(0, tf.int64)), 2)
    groups = groups_of(generator)
    for group, values in zip(groups, importance.diversity(generator, groups), strict=True):
        kernels = [weights_of(reader).kernel.value for reader in group.readers]
        with tf.GradientTape() as tape:
            difference = tf.reduce_sum(tf.abs(generator(z) - generator(z + 0.5 * noise)))
        pairs = zip(kernels, tape.gradient(difference, kernels), strict=True)
        slopes = np.abs(sum(np.sum(kernel * slope, (0, 1, 3)) for kernel, slope in pairs))
        np.testing.assert_allclose(values, slopes, rtol=1e-3, atol=1e-4)


def test_the_latents_may_come_in_several_passes(generator, monkeypatch):
    whole = importance.diversity(generator, groups_of(generator))
    monkeypatch.setattr(importance, "IMAGES", 100)
    for one, other in zip(whole, importance.diversity(generator, groups_of(generator)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)
        assert one.shape == (5,) and one.min() > 0


def test_a_group_that_does_nothing_has_no_importance(generator):
    for group in groups_of(generator):
        for variable, _ in group.slices:
            variable.assign(np.zeros(variable.shape))
    for function in (importance.magnitude, importance.diversity):
        assert all(not values.any() for values in function(generator, groups_of(generator)))
