"""What every method shares: replicas, averages, steps, precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher, make_trainer, mirrored, quick

import akdg_tf
from akdg_tf import AKDG, GAN, LIT, MSEDistillation, R1Penalty

METHODS = [GAN, AKDG, MSEDistillation, LIT]


@pytest.mark.parametrize("method", quick(METHODS, "AKDG", "LIT", name=lambda method: method.__name__))
def test_two_replicas_are_one(method):
    """Same weights after 3 steps on the same global batches, lazy R1 on; logged losses are means over replicas."""
    settings = {} if issubclass(method, MSEDistillation) else {"penalty": R1Penalty(gamma=1.0, every=2), "d_steps": 2}
    runs = []
    for devices in (("CPU:0",), ("CPU:0", "CPU:1")):
        with mirrored(devices).scope():
            trainer = make_trainer(method, **settings)
            history = trainer.fit(image_batches(3, batch=16), verbose=0)
        runs.append(([v.numpy() for v in trainer.variables if "mean" not in v.path], history.history))
    (one, log_one), (two, log_two) = runs
    assert len(one) > 8
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for name in log_one:
        assert log_one[name] == pytest.approx(log_two[name], rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("method", [AKDG, MSEDistillation])
def test_no_variable_of_the_teacher_moves_or_is_tracked(method):
    keras.utils.set_random_seed(0)
    teacher, model = make_teacher()
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=8)
    trainer = AKDG(student, discriminator(), discriminator(), teacher) if method is AKDG else method(student, teacher)
    trainer.compile()
    before = model.get_weights()
    trainer.fit(image_batches(3), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    teachers = {id(variable) for variable in model.variables}
    assert not teachers & {id(variable) for variable in trainer.variables}


def test_average_follows_weights_and_batch_statistics():
    trainer = make_trainer(GAN, use_batch_norm=True, ema_decay=0.5)
    start = trainer.generator.get_weights()
    trainer.fit(image_batches(1), verbose=0)
    decay = min(0.5, (1 + 1) / (10 + 1))  # warm-up: the first step counts for more
    for old, new, average in zip(
        start, trainer.generator.get_weights(), trainer.ema_generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(average, decay * old + (1 - decay) * new, rtol=1e-5, atol=1e-7)
    moving = [v for v in trainer.ema_generator.variables if "moving_mean" in v.path]
    assert moving and all(np.abs(v.numpy()).max() > 0 for v in moving)


def test_any_serializable_keras_model_can_be_the_student():
    layers = [keras.Input((6,)), keras.layers.Dense(64, activation="tanh"), keras.layers.Reshape(SAMPLE_SHAPE)]
    teacher, _ = make_teacher(latent_dim=4)
    trainer = AKDG(keras.Sequential(layers), discriminator(), discriminator(), teacher)
    trainer.compile()
    labelled = image_batches(2).map(lambda images: (images, tf.zeros(tf.shape(images)[0])))
    trainer.fit(labelled, verbose=0)
    assert trainer(tf.zeros((3, 6))).shape == (3, *SAMPLE_SHAPE)


def test_a_bfloat16_step_keeps_losses_and_weights_in_float32_and_goes_the_same_way():
    def change(policy):
        keras.config.set_dtype_policy(policy)
        trainer = make_trainer(AKDG, penalty=R1Penalty(gamma=2.0, every=1))
        before = np.concatenate([w.ravel() for w in trainer.generator.get_weights()])
        logs = trainer.train_step(next(iter(image_batches(1))))
        assert {value.dtype for value in logs.values()} == {tf.float32}
        assert {v.dtype for v in trainer.generator.variables} == {"float32"}
        return np.concatenate([w.ravel() for w in trainer.generator.get_weights()]) - before

    expected, mixed = change("float32"), change("mixed_bfloat16")
    cosine = expected @ mixed / np.linalg.norm(expected) / np.linalg.norm(mixed)
    assert 0.99 < cosine < 1 - 1e-7


def test_fit_traces_the_step_once():
    trainer, traces = make_trainer(AKDG, penalty=R1Penalty(every=2)), []
    step = trainer.train_step
    trainer.train_step = lambda data: traces.append(data) or step(data)
    trainer.fit(image_batches(4), epochs=3, verbose=0)
    assert (len(traces), int(trainer.step)) == (1, 12)


def test_each_discriminator_step_takes_its_own_part_of_the_images_and_latents_of_its_own():
    trainer = make_trainer(GAN, d_steps=2, penalty=None)
    (adversary,), seen = trainer.adversaries, []
    gradients = adversary.gradients

    def recorded(reference, generated, step, uniform):
        seen.append((reference.images, generated.images, int(step)))
        return gradients(reference, generated, step, uniform)

    adversary.gradients = recorded
    (images,) = image_batches(1)
    trainer.set_step(3)
    trainer.train_step(images)
    assert [step for _, _, step in seen] == [6, 7]
    np.testing.assert_array_equal(seen[0][0], images[0::2])
    np.testing.assert_array_equal(seen[1][0], images[1::2])
    assert not np.array_equal(seen[0][1], seen[1][1])
    assert int(trainer.step) == 4


def test_the_state_is_every_variable_under_its_group_but_the_learning_rates():
    trainer = make_trainer(AKDG, use_batch_norm=True)
    names = ["generator", "d_s", "d_kd"]
    assert set(trainer.state) == {*names, *(f"{name}_optimizer" for name in names), "ema_generator", "step"}
    listed = {id(variable) for group in trainer.state.values() for variable in group}
    held = [*trainer.variables, *(v for optimizer in trainer.optimizers for v in optimizer.variables)]
    left = [variable.path.rpartition("/")[2] for variable in held if id(variable) not in listed]
    assert left == ["learning_rate"] * 3


@pytest.mark.parametrize("settings", [{"d_steps": 0}, {"ema_decay": 1.0}, {"ema_decay": -0.1}])
def test_settings_without_meaning_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 1"):
        make_trainer(GAN, **settings)
