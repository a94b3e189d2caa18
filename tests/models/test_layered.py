"""A generator of given layers comes back from its configuration, and computes what its layers do."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from akdg_tf.artifacts import network
from akdg_tf.artifacts.saved_model import detached_copy
from akdg_tf.models.generators import SNGANGenerator
from akdg_tf.models.layered import LayeredGenerator, Residual, doubles

Z = tf.random.stateless_normal((3, 4), (1, 2))


def made():
    """The layers of an SNGAN generator, its blocks taken apart: one that doubles the sides, and one that does not."""
    trained = SNGANGenerator(4, (8, 8, 1), width=6, blocks=1, blocks_per_resolution=2)
    dense, reshape, *blocks, norm, relu, last = trained.net.layers
    apart = [Residual(keras.Sequential(block.residual.layers), doubles(block)) for block in blocks]
    assert [block.upsampled for block in apart] == [True, False]
    net = keras.Sequential([dense, reshape, *apart, norm, relu, last])
    return trained, LayeredGenerator(net, 4, (8, 8, 1))


def test_it_computes_what_its_layers_do():
    trained, layered = made()
    np.testing.assert_allclose(layered(Z), trained(Z), atol=1e-6)


def test_it_comes_back_from_its_configuration():
    _, layered = made()
    copy = detached_copy(layered)
    np.testing.assert_allclose(copy(Z), layered(Z), atol=1e-6)
    config = network.config_of(layered)
    for _ in range(2):  # reading does not change it
        assert [v.shape for v in network.from_config(config).variables] == [v.shape for v in layered.variables]


def test_of_a_frozen_one_the_copy_can_be_trained():
    _, layered = made()
    trainable = len(layered.trainable_variables)
    layered.trainable = False  # like the averaged generator of a run
    assert layered.trainable_variables == []
    assert len(detached_copy(layered).trainable_variables) == trainable


def test_layers_of_another_shape_are_refused():
    net = keras.Sequential([layers.Dense(12), layers.Reshape((2, 2, 3))])
    with pytest.raises(ValueError, match=r"the layers make samples of shape \(2, 2, 3\), not \(4, 4, 3\)"):
        LayeredGenerator(net, 4, (4, 4, 3))
