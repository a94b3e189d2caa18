"""The MSE method: one step against its equation, and the teachers that it cannot pair latents with."""

import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, image_batches, make_teacher, make_trainer

import akdg_tf
from akdg_tf import MSEDistillation, latents


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


def test_mse_refuses_a_latent_of_another_size():
    teacher, _ = make_teacher(latent_dim=5)
    with pytest.raises(ValueError, match="MSE requires that student and teacher have the same latents"):
        MSEDistillation(akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=8), teacher)


def test_mse_refuses_images_without_latents_and_another_prior():
    class Images:
        def draw_images(self, count, seed, step): ...

    student, (teacher, model) = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=8), make_teacher()
    with pytest.raises(ValueError, match="Images gives only images"):
        MSEDistillation(student, Images())
    with pytest.raises(ValueError, match="the teacher's uniform of size 4"):
        MSEDistillation(student, akdg_tf.FrozenGenerator(model, 4, prior="uniform"))
    assert MSEDistillation(student, teacher).adversaries == []
