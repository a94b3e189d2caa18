"""Factorized networks against the plain ones: the same images at full energy, and counts worked out by hand."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from akdg_tf.artifacts.saved_model import detached_copy
from akdg_tf.compression.factorization import Factorize
from akdg_tf.compression.fake_quant import FakeQuantize
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, LayeredGenerator, MLPGenerator, SNGANGenerator
from akdg_tf.models.counting import count_cost
from akdg_tf.models.layered import Residual
from akdg_tf.models.layers import UpsampleConv2D

Z = tf.random.stateless_normal((5, 8), (1, 2))
RANDOM = np.random.default_rng(0)


def costs(model):
    cost = count_cost(model, (8,), model.variables, model.trainable_variables)
    return cost.params, cost.mult_adds


def lower_the_ranks(net, rank):
    """Gives all kernels of a sequence a rank, along both axes of channels."""
    for layer in net.layers:
        if hasattr(layer, "residual"):
            lower_the_ranks(layer.residual, rank)
        elif isinstance(layer, layers.BatchNormalization):
            layer.set_weights([RANDOM.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
        elif layer.weights:
            kernel, bias = layer.get_weights()
            *_, inputs, outputs = kernel.shape
            axes = [RANDOM.normal(size=(size, min(rank, size))) for size in (inputs, outputs)]
            core = RANDOM.normal(size=(*kernel.shape[:-2], *(axis.shape[1] for axis in axes)))
            layer.set_weights([np.einsum("...ab,ca,fb->...cf", core, *axes) / 9, bias + 0.1])


def dcgan(rank=2):
    model = DCGANGenerator(8, (8, 8, 1), (7, 6))
    lower_the_ranks(model.net, rank)
    return model


def test_kernels_of_a_low_rank_are_recovered_at_it_and_the_counts_are_those_of_their_factors():
    model = dcgan()
    small = Factorize(energy=1.0)(model)
    np.testing.assert_allclose(small(Z), model(Z), atol=1e-5)
    assert np.std(model(Z)) > 0.1
    dense, up, last = [8 * 2, 2 * 112], [7 * 2, 9 * 2 * 2, 2 * 6], [6 * 2, 9 * 2 * 1, 1 * 1]
    norms = 2 * (7 + 6)
    biases = 112 + (2 + 6) + 1  # the middle of the up-convolution keeps one, too
    mult_adds = sum(dense) + 4 * 4 * up[0] + 8 * 8 * (up[1] + up[2]) + 8 * 8 * sum(last)
    assert costs(small) == (sum(dense) + sum(up) + sum(last) + norms + biases, mult_adds)


def test_the_convolutions_of_residual_blocks_are_factorized_and_the_network_comes_back():
    model = SNGANGenerator(8, (8, 8, 1), width=7, blocks=1)
    lower_the_ranks(model.net, 2)
    small = Factorize(energy=1.0)(model)
    np.testing.assert_allclose(small(Z), model(Z), atol=1e-4)
    (block,) = (layer for layer in small.net.layers if isinstance(layer, Residual))
    assert len(block.residual.layers) == len(model.net.layers[2].residual.layers) + 2 * 2
    np.testing.assert_allclose(detached_copy(small)(Z), small(Z), atol=1e-6)


def test_the_ranks_are_the_smallest_that_keep_the_energy():
    """Squared singular values 0.64, 0.32 and 0.04."""
    model = LayeredGenerator(keras.Sequential([layers.Dense(16, activation="tanh")]), 8, (16,))
    left, right = (np.linalg.qr(RANDOM.normal(size=(size, 3)))[0] for size in (8, 16))
    model.set_weights([left * np.sqrt([0.64, 0.32, 0.04]) @ right.T, np.ones(16)])
    for energy, rank in ((0.5, 1), (0.65, 2), (0.95, 2), (0.97, 3), (1.0, 3)):
        first, last = Factorize(energy)(model).net.layers
        assert (first.units, last.units, first.use_bias, last.activation) == (rank, 16, False, keras.activations.tanh)


def test_the_colors_of_the_pixels_are_kept_at_any_energy():
    """With a lower rank along the axis of the colors, all images have two colors and their mixtures, or one."""
    model = DCGANGenerator(8, (8, 8, 3), (7, 6))
    small = Factorize(energy=0.1)(model)
    narrow, core, last = small.net.layers[-3:]
    assert (narrow.filters, core.filters, last.filters) == (1, 3, 3)
    assert np.linalg.matrix_rank(last.get_weights()[0][0, 0]) == 3


def test_a_layer_stays_as_it_is_where_its_factors_would_cost_as_much():
    """8 to 16 outputs: 128 mult-adds, and 24 per rank. So rank 6 costs more. The second layer has rank 1."""
    kernel = np.linalg.qr(RANDOM.normal(size=(8, 8)))[0] @ np.linalg.qr(RANDOM.normal(size=(16, 8)))[0].T
    model = LayeredGenerator(keras.Sequential([layers.Dense(16), layers.Dense(16)]), 8, (16,))
    model.set_weights([kernel, np.zeros(16), np.ones((16, 16)), np.zeros(16)])
    assert [layer.units for layer in Factorize(5 / 8)(model).net.layers] == [5, 16, 1, 16]
    assert [layer.units for layer in Factorize(6 / 8)(model).net.layers] == [16, 1, 16]


@pytest.mark.parametrize("settings", [{"energy": 1.0}, {"max_mult_adds": 10**6}, {"max_params": 10**6}])
def test_a_network_that_would_stay_as_it_is_is_one_line(settings):
    with pytest.raises(UserError, match=r"^Factorize changes nothing: .*; bind a smaller budget or a lower energy$"):
        Factorize(**settings)(MLPGenerator(8, (4, 4, 1), width=6))


def test_the_factors_of_an_up_convolution_have_fewer_weights_than_it():
    """With 32 channels, factors of rank 29 would have fewer mult-adds than the layer, and more weights."""
    model = DCGANGenerator(8, (8, 8, 1), (32, 32))
    (layer,) = (each for each in model.net.layers if isinstance(each, UpsampleConv2D))
    for rank, fewer in ((28, True), (29, False)):
        core, first, last = (RANDOM.normal(size=size) for size in ((3, 3, rank, rank), (32, rank), (rank, 32)))
        layer.set_weights([np.einsum("hwij,ai,jb->hwab", core, first, last), *layer.get_weights()[1:]])
        if fewer:
            assert costs(Factorize(energy=1.0)(model))[0] < costs(model)[0]
        else:
            with pytest.raises(UserError, match="Factorize changes nothing"):
                Factorize(energy=1.0)(model)


@pytest.mark.parametrize("share", [0.3, 0.6])
@pytest.mark.parametrize("budget", ["max_params", "max_mult_adds"])
def test_a_budget_is_held_and_used(budget, share):
    """The next larger ranks would exceed it: one of three kernels is a small part of the network."""
    model = DCGANGenerator(8, (8, 8, 1), (24, 20))
    which = ["max_params", "max_mult_adds"].index(budget)
    most = int(share * costs(model)[which])
    assert 0.85 * most < costs(Factorize(**{budget: most})(model))[which] <= most


def test_both_budgets_are_held():
    model = DCGANGenerator(8, (8, 8, 1), (24, 20))
    params, mult_adds = costs(model)
    small = costs(Factorize(max_params=params // 2, max_mult_adds=mult_adds // 4)(model))
    assert small[0] <= params // 2 and small[1] <= mult_adds // 4


def test_stages_compose_and_a_second_factorization_finds_nothing_more():
    once = Factorize(energy=1.0)(dcgan())
    with pytest.raises(UserError, match="Factorize changes nothing"):
        Factorize(energy=1.0)(once)
    assert costs(once) == costs(FakeQuantize()(once))
    with pytest.raises(UserError, match="a FakeQuantDense cannot be factorized: put Factorize before the stage"):
        Factorize(energy=1.0)(FakeQuantize()(once))


@pytest.mark.parametrize("energy", [0, -0.5, 1.01, float("nan"), "half"])
def test_an_energy_out_of_range_is_one_line(energy):
    with pytest.raises(UserError, match=r"^Factorize.energy is .*: bind a number above 0 and not above 1$"):
        Factorize(energy)


@pytest.mark.parametrize("settings", [{}, {"energy": 0.9, "max_params": 100}])
def test_neither_or_both_of_energy_and_budget_are_one_line(settings):
    with pytest.raises(UserError, match=r"^bind either Factorize.energy, or Factorize.max_params and Factorize.max_mu"):
        Factorize(**settings)


def test_a_budget_that_cannot_be_reached_says_what_can():
    model = MLPGenerator(8, (4, 4, 1), width=6, depth=1)
    least = f"{8 + 6 + 6 + 6 + 16 + 16} params and {8 + 6 + 6 + 16} mult-adds"
    says = f"^Factorize.max_params=40 and Factorize.max_mult_adds=36 cannot be reached: .* network has {least}$"
    with pytest.raises(UserError, match=says):
        Factorize(max_params=40, max_mult_adds=36)(model)


def test_without_tensorly_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorly.decomposition", None)
    with pytest.raises(UserError, match=r"^Factorize needs tensorly: pip install 'akdg_tf\[compression\]'"):
        Factorize(energy=1.0)(dcgan())
