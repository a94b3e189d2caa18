"""Exact counts of the networks of the paper's tables; worked out by hand from their structure."""

import dataclasses

import keras
import pytest

from akdg_tf.counting import count_cost
from akdg_tf.models import DCGANGenerator, MLPGenerator, SNGANGenerator


def counts(model):
    cost = count_cost(model, (model.latent_dim,), model.variables, model.trainable_variables)
    return cost.layers, cost.params, cost.mult_adds


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (lambda: SNGANGenerator(use_batch_norm=False), (8, 4_075_779, 1_593_049_088)),
        (lambda: SNGANGenerator(), (8, 4_079_363, 1_593_049_088)),
        (lambda: DCGANGenerator(use_batch_norm=False), (5, 2_607_235, 229_310_464)),
        (lambda: DCGANGenerator(), (5, 2_609_155, 229_310_464)),
        (lambda: MLPGenerator(), (4, 2_167_296, 2_162_688)),
    ],
)
def test_networks_of_the_cifar10_table(model, expected):
    assert counts(model()) == expected


def test_lsun_student_of_another_depth_and_latent():
    widths = (512, 256, 128, 64, 32, 32, 16)
    plain = DCGANGenerator(256, (256, 256, 3), widths, use_batch_norm=False)
    assert counts(plain) == (8, 3_686_851, 785_383_424)
    assert counts(DCGANGenerator(256, (256, 256, 3), widths)) == (8, 3_688_931, 785_383_424)


def test_a_transposed_convolution_meets_its_whole_kernel_at_each_input():
    layers = [keras.layers.Dense(2 * 2 * 5), keras.layers.Reshape((2, 2, 5))]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Conv2DTranspose(7, 4, 2, padding="same")])
    assert count_cost(model, (3,)).mult_adds == 3 * 20 + 2 * 2 * 5 * 4 * 4 * 7


def test_bytes_hold_the_moving_statistics_too():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.BatchNormalization()])
    cost = count_cost(model, (3,), model.variables, model.trainable_variables)
    assert dataclasses.asdict(cost) == {"layers": 1, "params": 20 + 10, "mult_adds": 15, "bytes": 4 * (20 + 20)}
