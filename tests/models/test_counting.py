"""Exact counts of the networks of the paper's tables; worked out by hand from their structure."""

import dataclasses

import keras
import pytest

from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.models import DCGANGenerator, MLPGenerator, SNGANGenerator
from akdg_tf.models.counting import count_cost, exceeded
from akdg_tf.teachers.load import load_teacher

# What one more block of 256 channels per resolution adds, at 8x8, 16x16 and 32x32: two 3x3 convolutions with bias, and
# two batch norms.
DEEPER = 3 * 2 * (9 * 256 * 256 + 256 + 2 * 256)
DEEPER_MULT_ADDS = (64 + 256 + 1024) * 2 * 9 * 256 * 256


def counts(model):
    cost = count_cost(model, (model.latent_dim,), model.variables, model.trainable_variables)
    return cost.layers, cost.params, cost.mult_adds


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (lambda: SNGANGenerator(use_batch_norm=False), (8, 4_075_779, 1_593_049_088)),
        (lambda: SNGANGenerator(), (8, 4_079_363, 1_593_049_088)),
        (lambda: SNGANGenerator(blocks_per_resolution=2), (14, 4_079_363 + DEEPER, 1_593_049_088 + DEEPER_MULT_ADDS)),
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


def test_upsampling_with_its_convolution_executes_16_of_36():
    model = DCGANGenerator(6, (8, 8, 3), widths=(5, 7))
    dense, last = 6 * 16 * 5, 64 * 9 * 7 * 3
    cost = count_cost(model, (6,))
    assert cost.mult_adds == dense + 64 * 9 * 5 * 7 + last
    assert cost.executed_mult_adds == dense + 16 * 16 * 5 * 7 + last


def test_the_fused_form_is_known_in_a_saved_model_too(tmp_path):
    model = DCGANGenerator(6, (8, 8, 3), widths=(5, 7))
    export_generator(detached_copy(model), tmp_path / "saved_model", (0, 1))
    loaded = load_teacher(str(tmp_path)).describe()
    assert loaded == {**dataclasses.asdict(count_cost(model, (6,), model.variables)), "latent_dim": 6}


def test_a_transposed_convolution_meets_its_whole_kernel_at_each_input():
    layers = [keras.layers.Dense(2 * 2 * 5), keras.layers.Reshape((2, 2, 5))]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Conv2DTranspose(7, 4, 2, padding="same")])
    assert count_cost(model, (3,)).mult_adds == 3 * 20 + 2 * 2 * 5 * 4 * 4 * 7


def test_bytes_hold_the_moving_statistics_too():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.BatchNormalization()])
    cost = count_cost(model, (3,), model.variables, model.trainable_variables)
    counts = {"layers": 1, "params": 20 + 10, "mult_adds": 15, "executed_mult_adds": 15, "bytes": 4 * (20 + 20)}
    assert dataclasses.asdict(cost) == counts


@pytest.mark.parametrize(
    ("params", "mult_adds", "more"),
    [
        (5, 7, []),
        (6, 7, ["params"]),
        (5, 8, ["mult-adds"]),
        (6, 8, ["params", "mult-adds"]),
        (None, 8, ["mult-adds"]),
        (None, None, []),
    ],
)
def test_a_student_that_costs_more_than_its_teacher(params, mult_adds, more):
    student, teacher = {"params": params, "mult_adds": mult_adds}, {"params": 5, "mult_adds": 7}
    assert exceeded(student, teacher) == more
    assert exceeded(student, dict.fromkeys(teacher)) == []
