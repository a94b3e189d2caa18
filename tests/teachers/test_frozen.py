"""A frozen generator: its range, its latents, its digest."""

import pathlib

import contracts
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_teacher

import akdg_tf
from akdg_tf import FrozenGenerator

Z = tf.random.stateless_normal((3, 4), (0, 0))


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_a_frozen_generator_keeps_the_contract_of_sources(prior):
    _, model = make_teacher()
    contracts.pair_source_contract(FrozenGenerator(model, 4, prior), model)


@pytest.mark.parametrize(
    ("output_range", "shown"), [((-1.0, 1.0), [-1, 0.5]), ((0.0, 1.0), [-3, 0]), ((0, 255), [-1.0078, -0.9961])]
)
def test_its_outputs_are_brought_to_minus_1_to_1(output_range, shown):
    teacher = FrozenGenerator(lambda z: tf.constant([[-1.0], [0.5]], tf.float64), 4, output_range=output_range)
    assert teacher(Z).dtype == tf.float32
    np.testing.assert_allclose(teacher(Z)[:, 0], shown, atol=1e-4)


def test_no_gradient_reaches_what_it_is_made_of():
    teacher, model = make_teacher()
    with tf.GradientTape() as tape:
        tape.watch(Z)
        images = teacher(Z)
    assert tape.gradient(images, [Z, *model.trainable_variables]) == [None] * (1 + len(model.trainable_variables))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"prior": "gauss"}, "prior 'gauss' is not one of 'normal', 'uniform'"),
        ({"output_range": (1.0, 1.0)}, r"output_range \(1.0, 1.0\) is empty"),
        ({"output_range": (1, -1)}, r"output_range \(1, -1\) is empty"),
    ],
)
def test_a_prior_or_range_without_meaning_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        FrozenGenerator(lambda z: z, 4, **settings)


def test_its_name_is_that_of_the_run_entry_or_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "x" / "saved_model").mkdir(parents=True)
    folders = ("runs/x/saved_model", "runs/x", "runs/x/saved_model/../saved_model")
    assert {FrozenGenerator(None, 4, folder=pathlib.Path(folder)).name for folder in folders} == {"x"}
    assert make_teacher()[0].name is None


def test_the_digest_tells_weights_layers_ranges_and_priors_apart():
    _, model = make_teacher()
    other = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=1, use_batch_norm=True)
    digest = FrozenGenerator(model, 4).digest()
    assert FrozenGenerator(lambda z: model(z), 4).digest() == digest
    assert len({digest, FrozenGenerator(other, 4).digest(), FrozenGenerator(model, 4, "uniform").digest()}) == 3
    other.set_weights(model.get_weights())
    assert FrozenGenerator(other, 4).digest() == digest
    assert FrozenGenerator(model, 4, output_range=(0, 1)).digest() != digest
    assert FrozenGenerator(lambda z: tf.nn.relu(model(z)), 4).digest() != digest
    model.variables[-1].assign_add(tf.ones_like(model.variables[-1]) * 1e-6)
    assert FrozenGenerator(model, 4).digest() != digest


def test_its_costs_are_those_of_its_layers():
    """4 to 16 units, with bias, scale and offset, then to 64 pixels; moving statistics are bytes, not parameters."""
    teacher, _ = make_teacher()
    params, statistics = (4 * 16 + 16 + 32) + (16 * 64 + 64), 32
    expected = {"layers": 2, "params": params, "mult_adds": 4 * 16 + 16 * 64, "bytes": 4 * (params + statistics)}
    assert teacher.describe() == expected | {"executed_mult_adds": expected["mult_adds"], "latent_dim": 4}
