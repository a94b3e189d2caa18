"""Structured pruning: what is removed, what is left, and how much of the budget is used."""

import keras
import numpy as np
import pytest
from support import SAMPLE_SHAPE

from akdg_tf.artifacts import network
from akdg_tf.compression.channel_groups import groups_of
from akdg_tf.compression.channels import PruneChannels
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, LayeredGenerator, MLPGenerator, SNGANGenerator
from akdg_tf.models.counting import cost_of

LATENTS = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")


def mlp():
    return MLPGenerator(4, SAMPLE_SHAPE, width=10, depth=2, use_batch_norm=True)


def dcgan():
    return DCGANGenerator(4, SAMPLE_SHAPE, (9, 7))


def sngan():
    return SNGANGenerator(4, SAMPLE_SHAPE, width=6, blocks=2)


def deep():
    return SNGANGenerator(4, SAMPLE_SHAPE, width=6, blocks=1, blocks_per_resolution=2)


def mlp_params(first, second):
    return 4 * first + first * second + 64 * second + 3 * (first + second) + 64


def dcgan_params(first, second):
    return 16 * 5 * first + 2 * first + 9 * first * second + 3 * second + 9 * second + 1


def deep_params(*widths):
    return sngan_params(*widths) + 12 * 5 * widths[0]  # the first map has 4x4 pixels in place of 2x2


def sngan_params(trunk, first, second):
    blocks = [2 * trunk + 9 * trunk * inner + 3 * inner + 9 * inner * trunk + trunk for inner in (first, second)]
    return 4 * 5 * trunk + sum(blocks) + 2 * trunk + 9 * trunk + 1


def trained(make):
    """A generator whose batch statistics, scales and offsets have moved, as training moves them."""
    keras.utils.set_random_seed(0)
    generator = make()
    for variable in generator.trainable_variables:
        if variable.ndim == 1:
            variable.assign(variable + keras.random.uniform(variable.shape, -0.3, 0.3))
    for _ in range(3):
        generator(LATENTS, training=True)
    return generator


def sizes(generator):
    return tuple(group.size for group in groups_of(generator))


def images(generator):
    return generator(LATENTS).numpy()


def make_dead(generator, dead):
    """Sets to zero all that belongs to some channels, but their batch statistics.

    Args:
        generator: its variables are changed.
        dead: numbers of channels, for each group.
    """
    for group, channels in zip(groups_of(generator), dead, strict=True):
        for variable, axis in group.slices:
            if "moving" not in variable.path:
                values = np.moveaxis(variable.numpy(), axis, 0)
                values[np.isin(np.arange(len(values)) % group.size, channels)] = 0
                variable.assign(np.moveaxis(values, 0, axis))


@pytest.mark.parametrize("importance", ["magnitude", "diversity"])
@pytest.mark.parametrize(
    ("make", "params", "dead", "left"),
    [
        (mlp, mlp_params, ([0, 4, 9], [3]), (7, 9)),
        (dcgan, dcgan_params, ([2, 8], [0, 1, 5]), (7, 4)),
        (sngan, sngan_params, ([1, 5], [0], [2, 3]), (4, 5, 4)),
        (deep, deep_params, ([1, 5], [0], [2, 3]), (4, 5, 4)),
    ],
    ids=["MLP", "DCGAN", "SNGAN", "deeper SNGAN"],
)
def test_channels_that_do_nothing_go_first_and_no_image_changes(make, params, dead, left, importance):
    generator = trained(make)
    make_dead(generator, dead)
    before, weights = images(generator), generator.get_weights()
    whole = sizes(generator)
    assert cost_of(generator).params == params(*whole)
    pruned = PruneChannels(max_params=params(*left), importance=importance)(generator)
    assert sizes(pruned) == left and cost_of(pruned).params == params(*left)
    np.testing.assert_allclose(images(pruned), before, atol=1e-6)
    assert np.std(before, axis=0).max() > 0.1  # the images do differ from each other
    for value, now in zip(weights, generator.get_weights(), strict=True):  # the source is not changed
        np.testing.assert_array_equal(value, now)


def test_a_class_conditional_network_keeps_its_classes():
    generator = trained(lambda: MLPGenerator(4, SAMPLE_SHAPE, width=10, depth=2, classes=2))
    assert PruneChannels(max_params=cost_of(generator).params - 1)(generator).classes == 2


def test_a_budget_of_mult_adds_is_held_and_nearly_used():
    generator = trained(dcgan)
    most = cost_of(generator).mult_adds * 2 // 3
    pruned = PruneChannels(max_mult_adds=most)(generator)
    cost, (first, second) = cost_of(pruned), sizes(pruned)
    assert cost.mult_adds == 4 * 16 * first + 9 * 64 * first * second + 9 * 64 * second <= most
    assert cost.mult_adds > most - 9 * 64 * (9 + 1)  # one channel more of either map would be too many
    assert cost.layers == 3 and cost.params == dcgan_params(first, second)


def test_a_pruned_network_comes_back_and_can_be_pruned_again():
    generator = trained(sngan)
    params = cost_of(generator).params
    once = PruneChannels(max_params=params * 9 // 10, importance="magnitude")(generator)
    twice = PruneChannels(max_params=params * 8 // 10)(once)
    assert isinstance(twice, LayeredGenerator) and cost_of(twice).params <= params * 8 // 10
    assert all(one >= two for one, two in zip(sizes(once), sizes(twice), strict=True))
    copy = network.from_config(network.config_of(twice))
    copy.set_weights(twice.get_weights())
    np.testing.assert_array_equal(images(copy), images(twice))


@pytest.mark.parametrize("importance", ["magnitude", "diversity"])
def test_the_same_channels_are_removed_each_time(importance):
    generator = trained(mlp)
    prune = PruneChannels(max_params=cost_of(generator).params - 1, importance=importance)
    np.testing.assert_array_equal(images(prune(generator)), images(prune(generator)))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "has no budget: bind PruneChannels.max_params or PruneChannels.max_mult_adds"),
        ({"max_params": 9, "importance": "age"}, "importance 'age' is not one of magnitude, diversity"),
        ({"max_params": 9, "min_channels": 0}, ".min_channels is 0: bind a positive whole number"),
        ({"max_mult_adds": "1M"}, ".max_mult_adds is '1M': bind a positive whole number"),
        ({"max_params": 0}, ".max_params is 0: bind a positive whole number"),
        ({"max_params": 10**6}, r"has nothing to prune: [\d,]+ mult-adds and 1,390 params are within 1,000,000 params"),
        ({"max_mult_adds": 9}, r"cannot reach 9 mult-adds: 11,776 mult-adds and 521 params are left with 4"),
    ],
)
def test_a_budget_that_cannot_be_held_is_one_line(settings, says):
    with pytest.raises(UserError, match=f"PruneChannels.*{says}") as caught:
        PruneChannels(**settings)(trained(dcgan))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.Dense(64), keras.layers.Dropout(0.5), keras.layers.Reshape(SAMPLE_SHAPE)],
        [keras.layers.Dense(64), keras.layers.Reshape((16, 4)), keras.layers.Reshape(SAMPLE_SHAPE)],
    ],
)
def test_other_layers_are_one_line(layers):
    generator = LayeredGenerator(keras.Sequential(layers), 4, SAMPLE_SHAPE)
    with pytest.raises(UserError, match=r"^PruneChannels takes .*: it cannot prune a layer (Dropout|Reshape)$"):
        PruneChannels(max_params=1)(generator)
