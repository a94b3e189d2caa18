"""Class-conditional generators: the label is part of the latent; a discriminator judges an image of its label."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, mirrored, quick

import akdg_tf
from akdg_tf import AKDG, GAN, FrozenGenerator, MLPGenerator, MSEDistillation, R1Penalty, latents
from akdg_tf.methods.adversary import Adversary
from akdg_tf.methods.batch import Batch
from akdg_tf.methods.losses import NonSaturatingLoss

CLASSES, LATENT_DIM, PRIOR = 2, 5, "normal, 2 classes"
STEP = tf.constant(0, tf.int64)
SLOW = functools.partial(keras.optimizers.SGD, 0.05)
FAST = functools.partial(keras.optimizers.Adam, 0.005, beta_1=0.0)
LEVELS = (-0.6, 0.7)  # the gray of each class's images


def conditional(network, *arguments, **settings):
    """A network of two classes, its weights fixed by the seed 0."""
    keras.utils.set_random_seed(0)
    return network(*arguments, classes=CLASSES, **settings)


def student():
    return conditional(MLPGenerator, LATENT_DIM, SAMPLE_SHAPE, width=16, depth=1)


def judge():
    return conditional(akdg_tf.ConvDiscriminator, (4, 8))


def teacher_of_levels():
    """Draws gray images of the levels of their labels, exactly."""
    return FrozenGenerator(gray_images, LATENT_DIM, PRIOR)


def gray_images(z):
    levels = tf.reduce_sum(z[:, -CLASSES:] * LEVELS, 1)
    return tf.tile(levels[:, None, None, None], (1, *SAMPLE_SHAPE))


def real_batches(steps, size=16):
    """Images of the levels of their labels with a little noise, and the labels."""
    labels = tf.random.stateless_uniform((steps * size,), (1, 2), 0, CLASSES, tf.int32)
    noise = tf.random.stateless_uniform((steps * size, *SAMPLE_SHAPE), (3, 4), -0.1, 0.1)
    images = tf.gather(LEVELS, labels)[:, None, None, None] + noise
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(size)


def trained(method, steps=6, devices=("CPU:0",), micro_batches=1, optimizer=SLOW, **settings):
    with mirrored(devices).scope():
        parts = {
            GAN: lambda: (judge(),),
            AKDG: lambda: (judge(), judge(), teacher_of_levels()),
            MSEDistillation: lambda: (teacher_of_levels(),),
        }[method]()
        trainer = method(student(), *parts, **settings)
        trainer.compile(optimizer(), micro_batches=micro_batches)
        trainer.fit(real_batches(steps), verbose=0)
    return trainer


def test_the_logit_of_the_label_counts_alone():
    adversary = Adversary("d_s", judge(), NonSaturatingLoss(), None)
    adversary.build((None, *SAMPLE_SHAPE))
    images, labels = tf.random.stateless_uniform((2, 3, *SAMPLE_SHAPE), (0, 0)), np.eye(2, dtype=np.float32)
    reference, generated = Batch(images[0], labels[[0, 0, 0]]), Batch(images[1], labels[[0, 0, 0]])
    gradients, logs = adversary.gradients(reference, generated, STEP, tf.zeros((3, 0)))
    of_head = gradients[-2].numpy()
    assert np.abs(of_head[:, 0]).max() > 0 and not of_head[:, 1].any()
    logits = adversary.discriminator(images[0]).numpy()
    assert float(logs["d_s/reference_logits"]) == pytest.approx(logits[:, 0].mean(), rel=1e-5)
    as_ones = adversary.generator_loss(Batch(images[1], labels[[1, 1, 1]]), tf.zeros((3, 0)))
    ours = adversary.discriminator(images[1]).numpy()[:, 1]
    np.testing.assert_allclose(as_ones, np.log1p(np.exp(-ours)), rtol=1e-5)


def test_the_penalty_is_that_of_the_references_labels():
    """R1 of three images of the label 1 is the squared gradient of their second logit."""
    adversary = Adversary("d_s", judge(), NonSaturatingLoss(), None)
    adversary.build((None, *SAMPLE_SHAPE))
    images = tf.random.stateless_uniform((3, *SAMPLE_SHAPE), (0, 0))
    with tf.GradientTape() as tape:
        tape.watch(images)
        second = tf.reduce_sum(adversary.discriminator(images)[:, 1])
    expected = 0.5 * tf.reduce_sum(tape.gradient(second, images) ** 2, (1, 2, 3))
    given = []

    class Recorded(R1Penalty):
        def __call__(self, *arguments):
            given.append(super().__call__(*arguments))
            return given[-1]

    adversary.penalty = Recorded(gamma=1.0)
    ones, zeros = np.tile([0.0, 1.0], (3, 1)).astype(np.float32), np.tile([1.0, 0.0], (3, 1)).astype(np.float32)
    adversary.gradients(Batch(images, ones), Batch(images, zeros), STEP, tf.zeros((3, 1)))
    np.testing.assert_allclose(given[0], expected, rtol=1e-5)


@pytest.mark.parametrize("candidates", [1, 3])
def test_d_kd_sees_the_teachers_images_with_their_labels(candidates):
    trainer = AKDG(student(), judge(), judge(), teacher_of_levels(), teacher_candidates=candidates)
    real = Batch(tf.zeros((64, *SAMPLE_SHAPE)), tf.one_hot(tf.zeros(64, tf.int32), CLASSES))
    first, second = trainer.references(real, STEP)
    assert first is real
    np.testing.assert_array_equal(np.unique(second.labels, axis=0), [[0, 1], [1, 0]])
    levels = second.labels.numpy() @ np.float32(LEVELS)
    np.testing.assert_allclose(second.images, np.tile(levels[:, None, None, None], (1, *SAMPLE_SHAPE)), atol=1e-6)


@pytest.mark.parametrize("method", [GAN, AKDG])
def test_a_student_learns_to_draw_what_it_is_told_to(method):
    trainer = trained(method, 300, optimizer=FAST, ema_decay=0.9)
    drawing = student()
    drawing.set_weights(trainer.ema_generator.get_weights())
    z = tf.random.stateless_normal((32, LATENT_DIM), (0, 0))
    drawn = [drawing(latents.with_label(z, PRIOR, label)).numpy() for label in range(CLASSES)]
    for images, level in zip(drawn, LEVELS, strict=True):
        assert images.mean() == pytest.approx(level, abs=0.25)


def test_a_student_by_mse_needs_no_labels_beside_its_images():
    trainer = MSEDistillation(student(), teacher_of_levels())
    trainer.compile(FAST())
    images = real_batches(6).map(lambda images, labels: images)
    losses = [trainer.fit(images, verbose=0).history["g/loss"][0] for _ in range(10)]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("method", quick([GAN, AKDG, MSEDistillation], "AKDG", name=lambda method: method.__name__))
def test_replicas_and_micro_batches_take_the_step_of_the_whole_batch(method):
    whole = trained(method).generator.get_weights()
    for parts, devices in ((4, ("CPU:0",)), (2, ("CPU:0", "CPU:1"))):
        found = trained(method, devices=devices, micro_batches=parts).generator.get_weights()
        for a, b in zip(whole, found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_together_is_one_line():
    plain, gray = akdg_tf.ConvDiscriminator((4, 8)), student()
    with pytest.raises(ValueError, match="the discriminator of d_s has classes=0, the generator classes=2"):
        GAN(student(), plain)
    with pytest.raises(ValueError, match="the distillation discriminator has classes=0, the generator classes=2"):
        AKDG(student(), judge(), plain, teacher_of_levels())
    with pytest.raises(ValueError, match="has 2 classes: its teacher needs latents of the prior 'normal, 2 classes'"):
        AKDG(student(), judge(), judge(), FrozenGenerator(gray, LATENT_DIM))
    with pytest.raises(ValueError, match="student's are normal, 2 classes of size 5, the teacher's normal of size 5"):
        MSEDistillation(student(), FrozenGenerator(gray, LATENT_DIM))
    with pytest.raises(ValueError, match="no room for the labels of the prior 'normal, 2 classes'"):
        FrozenGenerator(gray_images, 2, PRIOR)
    with pytest.raises(ValueError, match="classes is 5: it must be a whole number, at least 0 and below latent_dim=5"):
        MLPGenerator(5, SAMPLE_SHAPE, classes=5)
    for classes in (2.5, True, "2"):
        with pytest.raises(ValueError, match=f"classes is {classes!r}: it must be a whole number"):
            MLPGenerator(5, SAMPLE_SHAPE, classes=classes)
    trainer = GAN(student(), judge())
    trainer.compile()
    with pytest.raises(ValueError, match="is trained with labels: give fit"):
        trainer.fit(real_batches(1).map(lambda images, labels: images), verbose=0)
