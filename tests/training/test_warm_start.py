"""Training goes on from a run, from an earlier step of it, from another method, or from an exported generator."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher, make_trainer

from akdg_tf import AKDG, GAN, MLPGenerator
from akdg_tf.artifacts import network
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.saved_model import export
from akdg_tf.errors import UserError
from akdg_tf.training.warm_start import warm_start


def train_run(folder, method=AKDG, steps=(3, 6), **settings):
    """A run folder with the checkpoints of some steps; returns the trainer."""
    trainer = make_trainer(method, **settings)
    folder.mkdir()
    networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
    network.write_run(folder, networks, "ema_generator", trainer.optimizer_classes)
    batches, done = image_batches(max(steps)), 0
    for step in steps:
        trainer.fit(batches.skip(done).take(step - done), verbose=0)
        Checkpoints(trainer.state, folder / "checkpoints").save(step)
        done = step
    return trainer


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run of AKDG, with the checkpoints of the steps 3 and 6, and its trainer."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, train_run(folder)


def values(trainer):
    return {name: [np.array(v) for v in group] for name, group in trainer.state.items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, group in one.items():
        for a, b in zip(group, other[name], strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)


def test_a_run_that_goes_on_is_the_run_that_was_never_cut(tmp_path):
    """Six steps, then three more from the folder: as nine at once, bit for bit, optimizers and averages too."""
    train_run(tmp_path / "run", use_batch_norm=True)
    uncut = make_trainer(AKDG, use_batch_norm=True)
    uncut.fit(image_batches(9), verbose=0)
    longer = make_trainer(AKDG, use_batch_norm=True)
    parent = warm_start(longer, str(tmp_path / "run"))
    assert (parent.role, parent.name, parent.step, int(longer.step)) == ("init_from", "run", 6, 6)
    longer.fit(image_batches(9).skip(6), verbose=0)
    assert_same(values(longer), values(uncut))


def test_an_earlier_step_can_be_gone_on_from(finished):
    folder, trainer = finished
    other = make_trainer(AKDG)
    assert warm_start(other, f"{folder}@3").step == 3
    other.fit(image_batches(6).skip(3), verbose=0)
    assert_same(values(other), values(trainer))


def test_another_lambda_and_learning_rate_hold_from_there_on(finished):
    other = make_trainer(AKDG, distillation_weight=0.25)
    other.optimizer.learning_rate = 0.5
    warm_start(other, str(finished[0]))
    assert other.adversaries[1].weight == 0.25
    assert float(other.optimizer.learning_rate) == 0.5


def test_a_vanilla_run_goes_on_by_akdg_with_a_new_discriminator(tmp_path, caplog):
    vanilla = train_run(tmp_path / "run", GAN)
    akdg = make_trainer(AKDG)
    before = values(akdg)
    with caplog.at_level(logging.INFO):
        warm_start(akdg, str(tmp_path / "run"))
    after, expected = values(akdg), values(vanilla)
    for name in ("generator", "ema_generator", "d_s", "generator_optimizer", "d_s_optimizer", "step"):
        assert_same({name: after[name]}, {name: expected[name]})
    assert_same({"d_kd": after["d_kd"]}, {"d_kd": before["d_kd"]})
    assert any("started from scratch: d_kd, d_kd_optimizer" in message for message in caplog.messages)


def test_the_state_of_another_kind_of_optimizer_is_not_taken(tmp_path):
    """Momentum and RMSprop's averages have the same shapes: only their classes tell them apart."""
    teacher, _ = make_teacher()
    trainers = []
    for optimizer in (keras.optimizers.SGD(0.05, momentum=0.9), keras.optimizers.RMSprop(0.05)):
        keras.utils.set_random_seed(0)
        student = MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=2)
        trainer = AKDG(student, discriminator(), discriminator(), teacher)
        trainer.compile(optimizer)
        trainers.append(trainer)
    first, second = trainers
    first.fit(image_batches(2), verbose=0)
    (tmp_path / "run").mkdir()
    networks = {**first.networks, "ema_generator": first.ema_generator}
    network.write_run(tmp_path / "run", networks, "ema_generator", first.optimizer_classes)
    Checkpoints(first.state, tmp_path / "run" / "checkpoints").save(2)
    warm_start(second, str(tmp_path / "run"))
    assert_same({"generator": values(second)["generator"]}, {"generator": values(first)["generator"]})
    assert all(not np.any(v) for v in values(second)["generator_optimizer"])


def test_an_exported_generator_gives_its_weights_alone(tmp_path):
    trained = make_trainer(GAN)
    trained.fit(image_batches(2), verbose=0)
    export(trained, tmp_path / "exported")
    fresh = make_trainer(GAN)
    parent = warm_start(fresh, str(tmp_path / "exported"))
    assert (parent.name, parent.step, int(fresh.step)) == ("exported", None, 0)
    z = tf.random.stateless_normal((3, 4), (0, 0))
    np.testing.assert_array_equal(fresh.generator(z), trained(z))
    np.testing.assert_array_equal(fresh(z), trained(z))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nosuch", "there is no such run, zoo entry or SavedModel"),
        ("run@5", "holds no checkpoint of step 5, only of 6, 3"),
        ("run@last", "write the number of a step after the @"),
        ("run@²", "write the number of a step after the @"),
    ],
)
def test_what_is_not_there_is_one_line(source, says, finished, monkeypatch):
    monkeypatch.chdir(finished[0].parent)
    with pytest.raises(UserError, match=says):
        warm_start(make_trainer(AKDG), source)


def test_a_generator_of_other_layers_is_refused(tmp_path):
    train_run(tmp_path / "run", use_batch_norm=True)
    with pytest.raises(UserError, match="this experiment's has different layers"):
        warm_start(make_trainer(AKDG), str(tmp_path / "run"))
    export(MLPGenerator(4, SAMPLE_SHAPE, width=3), tmp_path / "exported")
    with pytest.raises(UserError, match="this experiment's has different layers"):
        warm_start(make_trainer(AKDG), str(tmp_path / "exported"))
