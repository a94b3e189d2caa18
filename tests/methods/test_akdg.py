"""AKDG against the paper's equation, computed here once more in the plainest way."""

import keras
import numpy as np
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher, make_trainer

import akdg_tf
from akdg_tf import AKDG, R1Penalty, latents


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
