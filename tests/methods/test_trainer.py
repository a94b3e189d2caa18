"""The methods against the paper's equations, computed here once more in the plainest way."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher, make_trainer, mirrored

import akdg_tf
from akdg_tf import AKDG, GAN, MSEDistillation, R1Penalty, latents

METHODS = [GAN, AKDG, MSEDistillation]


def softplus(x):
    return tf.math.log(1.0 + tf.exp(x))


def test_akdg_step_is_the_papers_equation():
    """One SGD step of G_S, D_S and D_KD, each gradient taken from the written-out loss."""
    trainer = make_trainer(AKDG, distillation_weight=0.3, penalty=R1Penalty(gamma=2.0, every=1))
    (real,) = image_batches(1)
    z, z_teacher = (latents.draw("normal", 8, 4, (0, stream), tf.constant(0, tf.int64)) for stream in (1, 2))
    student, teacher_images = trainer.generator, trainer.teacher(z_teacher)
    d_s, d_kd = (adversary.discriminator for adversary in trainer.adversaries)
    expected = []
    for d, reference in ((d_s, real), (d_kd, teacher_images)):
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(reference)
                logits = d(reference)
            r1 = tf.reduce_sum(inner.gradient(logits, reference) ** 2, (1, 2, 3))
            loss = tf.reduce_mean(softplus(-logits) + softplus(d(student(z))) + 2.0 / 2 * r1[:, None])
        gradients = tape.gradient(loss, d.trainable_variables)
        expected.append([v - 0.05 * g for v, g in zip(d.trainable_variables, gradients, strict=True)])
    trainer_weights = [d_s.get_weights(), d_kd.get_weights(), student.get_weights()]
    for d, values in zip((d_s, d_kd), expected, strict=True):
        d.set_weights([value.numpy() for value in values])
    with tf.GradientTape() as tape:
        images = student(z)
        loss = tf.reduce_mean(softplus(-d_s(images)) + 0.3 * softplus(-d_kd(images)))
    gradients = tape.gradient(loss, student.trainable_variables)
    expected.append([v - 0.05 * g for v, g in zip(student.trainable_variables, gradients, strict=True)])
    for network, weights in zip((d_s, d_kd, student), trainer_weights, strict=True):
        network.set_weights(weights)
    trainer.fit(image_batches(1), verbose=0)
    for network, values in zip((d_s, d_kd, student), expected, strict=True):
        for variable, value in zip(network.trainable_variables, values, strict=True):
            np.testing.assert_allclose(variable.numpy(), value.numpy(), rtol=1e-4, atol=1e-6)


def test_mse_step_pairs_the_latents():
    trainer = make_trainer(MSEDistillation)
    z = latents.draw("normal", 8, 4, (0, latents.STUDENT), tf.constant(0, tf.int64))
    student = trainer.generator
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((student(z) - trainer.teacher(z)) ** 2)
    gradients = tape.gradient(loss, student.trainable_variables)
    expected = [v - 0.05 * g for v, g in zip(student.trainable_variables, gradients, strict=True)]
    history = trainer.fit(image_batches(1), verbose=0)
    assert history.history["g/loss"][0] == pytest.approx(float(loss), rel=1e-5)
    for variable, value in zip(student.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_two_replicas_are_one(method):
    """Same weights after 3 steps on the same global batches, lazy R1 on; logged losses are means over replicas."""
    settings = {} if method is MSEDistillation else {"penalty": R1Penalty(gamma=1.0, every=2), "d_steps": 2}
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


def test_two_replicas_are_one_with_hinge_loss_and_spectral_norm():
    """The teacher's recipe: the singular vectors are state that every replica must carry alike."""
    weights = []
    for devices in (("CPU:0",), ("CPU:0", "CPU:1")):
        with mirrored(devices).scope():
            keras.utils.set_random_seed(0)
            student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=2)
            resnet = akdg_tf.ResNetDiscriminator(4, (True, False))
            trainer = GAN(student, resnet, akdg_tf.HingeLoss(), penalty=None, d_steps=2)
            trainer.compile(keras.optimizers.SGD(0.05))
            trainer.fit(image_batches(3, batch=16), verbose=0)
        weights.append([v.numpy() for v in [*student.variables, *resnet.variables]])
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_lazy_r1_is_due_every_kth_step_and_weighs_k():
    """Where the penalty is not due nothing of it is left; where it is, its gradient is taken k times."""

    def first_steps(penalty, steps):
        trainer = make_trainer(GAN, penalty=penalty)
        trainer.fit(image_batches(steps), verbose=0)
        return trainer.adversaries[0].discriminator.get_weights()

    for a, b in zip(first_steps(R1Penalty(1.0, 3), 1), first_steps(R1Penalty(3.0, 1), 1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    lazy, never = (make_trainer(GAN, penalty=penalty) for penalty in (R1Penalty(1.0, 3), None))
    lazy.step_counter.assign(1)  # steps 1 and 2 of 3: not due
    never.step_counter.assign(1)
    for trainer in (lazy, never):
        trainer.fit(image_batches(2), verbose=0)
    for a, b in zip(lazy.generator.get_weights(), never.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


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


def test_latents_of_student_and_teacher_are_independent_and_follow_from_seed_and_step():
    def draw(seed, stream, step):
        return latents.draw("normal", 512, 8, (seed, stream), tf.constant(step, tf.int64)).numpy()

    z, z_teacher = draw(0, latents.STUDENT, 5), draw(0, latents.TEACHER, 5)
    np.testing.assert_array_equal(z, draw(0, latents.STUDENT, 5))
    assert abs(np.corrcoef(z.ravel(), z_teacher.ravel())[0, 1]) < 0.06
    for other in (draw(1, latents.STUDENT, 5), draw(0, latents.STUDENT, 6)):
        assert abs(np.corrcoef(z.ravel(), other.ravel())[0, 1]) < 0.06
    assert latents.draw("uniform", 512, 8, (0, 1), tf.constant(0, tf.int64)).numpy().min() < -0.99


def test_any_serializable_keras_model_can_be_the_student():
    layers = [keras.Input((6,)), keras.layers.Dense(64, activation="tanh"), keras.layers.Reshape(SAMPLE_SHAPE)]
    teacher, _ = make_teacher(latent_dim=4)
    trainer = AKDG(keras.Sequential(layers), discriminator(), discriminator(), teacher)
    trainer.compile()
    labelled = image_batches(2).map(lambda images: (images, tf.zeros(tf.shape(images)[0])))
    trainer.fit(labelled, verbose=0)
    assert trainer(tf.zeros((3, 6))).shape == (3, *SAMPLE_SHAPE)


def test_mse_refuses_a_latent_of_another_size():
    teacher, _ = make_teacher(latent_dim=5)
    with pytest.raises(ValueError, match="MSE pairs latents"):
        MSEDistillation(akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=8), teacher)


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
