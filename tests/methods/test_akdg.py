"""AKDG against the paper's equation, computed here once more in the plainest way."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher, make_trainer

import akdg_tf
from akdg_tf import AKDG, GAN, R1Penalty, latents
from akdg_tf.methods.batch import Batch


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


def test_without_d_s_the_student_learns_from_d_kd_alone_whatever_the_real_images_are():
    """As a vanilla student would on the teacher's images; only the weight of the term is lambda."""
    weights = []
    for seed in (1, 2):  # of the real images
        keras.utils.set_random_seed(0)
        teacher, _ = make_teacher()
        student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=2)
        trainer = AKDG(student, None, discriminator(), teacher, distillation_weight=0.5)
        trainer.compile(keras.optimizers.SGD(0.05))
        assert trainer.log_names() == ["g/loss", "d_kd/loss", "d_kd/reference_logits", "d_kd/generated_logits"]
        real = tf.random.stateless_uniform((16, *SAMPLE_SHAPE), (seed, 0), -1.0, 1.0)
        trainer.fit(tf.data.Dataset.from_tensor_slices(real).batch(8), verbose=0)
        weights.append(trainer.generator.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(weights[0][0]).max() > 0


def test_the_student_alone_is_shown_where_the_teachers_source_knows_no_latents():
    """A folder of images, say: an `ImageSource` is enough to train with."""

    class Images:
        def draw_images(self, count, seed, step):
            return tf.fill((count, *SAMPLE_SHAPE), 0.5)

    def latents_shown(teacher):
        student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
        trainer = AKDG(student, discriminator(), discriminator(), teacher)
        return set(trainer.latents_by_network(8, tf.constant(0, tf.int64)))

    assert latents_shown(Images()) == {"student"}
    assert latents_shown(make_teacher()[0]) == {"student", "teacher"}


def test_lambda_may_follow_a_schedule():
    """It is that of the step: 1, then 0.5, then 0, as three runs with these weights."""
    falling = keras.optimizers.schedules.PolynomialDecay(1.0, 2, 0.0)
    scheduled = make_trainer(AKDG, distillation_weight=falling)
    scheduled.fit(image_batches(3), verbose=0)
    by_hand = make_trainer(AKDG, distillation_weight=1.0)
    for images, weight in zip(image_batches(3), (1.0, 0.5, 0.0), strict=True):
        by_hand.adversaries[1].weight = weight
        by_hand.train_step(images)
    for a, b in zip(scheduled.generator.get_weights(), by_hand.generator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_d_s_chooses_the_teacher_images_that_d_kd_sees():
    """Of each 3 candidates that of the highest logit; no image is a candidate twice in a pass of the source."""

    class Numbered:
        """The image at position i of the sequence is gray i / 100."""

        def draw_images(self, count, seed, step):
            position = tf.cast(latents.positions(count, step), tf.float32) / 100.0
            return tf.ones((count, *SAMPLE_SHAPE)) * position[:, None, None, None]

    class Darkness(keras.Model):
        """The logit is -|image - 0.1|."""

        def build(self, input_shape):
            self.weight = self.add_weight(shape=())
            self.built = True

        def call(self, images, training=False):
            return -tf.abs(tf.reduce_mean(images, (1, 2, 3), keepdims=False)[:, None] - 0.1)

    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    trainer = AKDG(student, Darkness(), discriminator(), Numbered(), teacher_candidates=3)
    real = Batch(tf.zeros((4, *SAMPLE_SHAPE)))
    chosen = [trainer.references(real, tf.constant(step, tf.int64))[1].images[:, 0, 0, 0] for step in (0, 1)]
    # Step 0: 0..3, 4..7 and 8..11 are the candidates of the four places; step 1: 12..15, 16..19, 20..23.
    np.testing.assert_allclose(chosen, [[0.08, 0.09, 0.10, 0.11], [0.12, 0.13, 0.14, 0.15]], atol=1e-6)


class Ramps:
    """Images that become brighter from left to right."""

    def draw_images(self, count, seed, step):
        return tf.broadcast_to(tf.linspace(-1.0, 1.0, SAMPLE_SHAPE[1])[:, None], (count, *SAMPLE_SHAPE))


def test_half_of_the_teachers_images_are_mirrored_if_asked_for():
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    real = Batch(tf.zeros((40, *SAMPLE_SHAPE)))

    def drawn(flip_teacher, step):
        trainer = AKDG(student, discriminator(), discriminator(), Ramps(), flip_teacher=flip_teacher)
        return trainer.references(real, tf.constant(step, tf.int64))[1].images.numpy()

    plain, mirrored = drawn(False, 0), drawn(True, 0)
    flipped = mirrored[:, 0, 0, 0] > 0
    np.testing.assert_array_equal(mirrored, np.where(flipped[:, None, None, None], plain[:, :, ::-1], plain))
    assert 10 <= flipped.sum() <= 30
    assert not np.array_equal(drawn(True, 1), mirrored)


def test_settings_without_meaning_are_refused():
    points = akdg_tf.MLPGenerator(4, (2,), width=4, depth=1)
    with pytest.raises(ValueError, match="flip_teacher mirrors images, but these samples are points"):
        AKDG(points, discriminator(), discriminator(), Ramps(), flip_teacher=True)
    with pytest.raises(ValueError, match="the weight of d_kd is -1: give a number >= 0, or a schedule"):
        make_trainer(AKDG, distillation_weight=-1)
    with pytest.raises(ValueError, match="teacher_candidates must be at least 1, and 1 without D_S, not 0"):
        make_trainer(AKDG, teacher_candidates=0)
    with pytest.raises(ValueError, match="and 1 without D_S, not 2"):
        AKDG(make_trainer(GAN).generator, None, discriminator(), make_teacher()[0], teacher_candidates=2)
