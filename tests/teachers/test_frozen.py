"""A frozen generator: its range, its latents, its digest."""

import pathlib
import subprocess
import sys

import contracts
import numpy as np
import pytest
import tensorflow as tf
from known_images import KERNEL
from support import ROOT, SAMPLE_SHAPE, make_teacher

import akdg_tf
from akdg_tf import FrozenGenerator
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_teacher

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


def once(function):
    return FrozenGenerator(function, 3).digest()


W = tf.constant(np.random.default_rng(0).normal(size=(3, 3)), tf.float32)
V = tf.constant(np.random.default_rng(1).normal(size=(3, 3)), tf.float32)


def image(z):
    return tf.reshape(tf.tile(z, (1, 27)), (-1, 9, 9, 1))


def dilated(rate):
    return lambda z: tf.nn.conv2d(image(z), tf.ones((3, 3, 1, 1)), 1, "VALID", dilations=rate)


def counting_up(increment):
    return lambda z: tf.while_loop(lambda x: tf.reduce_sum(x) < 9, lambda x: [x + increment], [z])[0]


def constant(value):
    return lambda z: tf.numpy_function(lambda x: np.full_like(x, value), [z], tf.float32)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda z: tf.nn.leaky_relu(z, 0.1), lambda z: tf.nn.leaky_relu(z, 0.5)),
        (dilated(1), dilated(2)),
        (lambda z: tf.tanh(z @ W) - tf.sigmoid(z @ V), lambda z: tf.tanh(z @ V) - tf.sigmoid(z @ W)),
        (lambda z: z @ W - z @ V, lambda z: z @ V - z @ W),
        (lambda z: tf.unstack(z, axis=1)[0], lambda z: tf.unstack(z, axis=1)[1]),
        (counting_up(1), counting_up(2)),
        (constant(0.5), constant(-0.5)),
    ],
    ids=["alpha", "dilations", "weights", "operands", "output", "loop", "python"],
)
def test_the_digest_tells_attributes_inputs_loops_and_python_apart(one, other):
    assert once(one) != once(other)
    assert once(one) == once(lambda z: one(z))


def test_the_digest_is_the_same_in_another_process(tmp_path):
    """So that every later run finds the bank."""
    export_generator(akdg_tf.DCGANGenerator(3, (8, 8, 1), (8, 4)), tmp_path / "saved_model", (0, 1))
    code = f"from akdg_tf.teachers.load import load_teacher; print(load_teacher({str(tmp_path)!r}).digest())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed.split()[-1] == load_teacher(str(tmp_path)).digest()


def test_what_calls_python_says_that_its_costs_are_unknown():
    teacher = FrozenGenerator(lambda z: tf.numpy_function(np.tanh, [z], tf.float32), 3)
    assert set(teacher.describe().values()) == {None, 3}


def test_its_costs_are_those_of_its_layers():
    """4 to 16 units, with bias, scale and offset, then to 64 pixels; moving statistics are bytes, not parameters."""
    teacher, _ = make_teacher()
    params, statistics = (4 * 16 + 16 + 32) + (16 * 64 + 64), 32
    expected = {"layers": 2, "params": params, "mult_adds": 4 * 16 + 16 * 64, "bytes": 4 * (params + statistics)}
    assert teacher.describe() == expected | {"executed_mult_adds": expected["mult_adds"], "latent_dim": 4}


class Training(tf.Module):
    """A generator that was exported as it trains: each call counts itself."""

    def __init__(self):
        self.kernel, self.calls = tf.Variable(KERNEL[:100]), tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 100))])
    def __call__(self, z):
        self.calls.assign_add(1.0)
        return tf.reshape(tf.sigmoid(z @ self.kernel), (-1, 4, 4, 3))


def test_a_generator_that_changes_its_variables_is_one_line(tmp_path):
    tf.saved_model.save(Training(), str(tmp_path / "training"))
    teacher = load_teacher(str(tmp_path / "training"))
    for ask in (teacher.digest, teacher.describe):
        with pytest.raises(UserError, match=r"the teacher training cannot be frozen: .* export it for inference"):
            ask()
