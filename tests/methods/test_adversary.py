"""One adversary: its gradients, its penalty, its update."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_trainer

from akdg_tf import GAN, NonSaturatingLoss, R1Penalty
from akdg_tf.methods.adversary import Adversary
from akdg_tf.methods.batch import Batch

STEP = tf.constant(0, tf.int64)
NO_NUMBERS = tf.zeros((8, 0))


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


def made(penalty=None, optimizer=None):
    """An adversary of 8x8 images, compiled, its weights fixed by the seed 0."""
    keras.utils.set_random_seed(0)
    adversary = Adversary("d_s", discriminator(), NonSaturatingLoss(), penalty)
    adversary.build((None, *SAMPLE_SHAPE))
    adversary.compile(optimizer or keras.optimizers.SGD(0.1))
    return adversary


def images_of_a_step():
    return map(Batch, tf.unstack(tf.random.stateless_uniform((2, 8, *SAMPLE_SHAPE), (7, 8), -1.0, 1.0)))


def test_gradients_move_nothing_and_apply_takes_one_step():
    adversary, (reference, generated) = made(), images_of_a_step()
    before = adversary.discriminator.get_weights()
    gradients, logs = adversary.gradients(reference, generated, STEP, NO_NUMBERS)
    for weight, old in zip(adversary.discriminator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    adversary.apply(gradients)
    for weight, old, gradient in zip(adversary.discriminator.get_weights(), before, gradients, strict=True):
        np.testing.assert_allclose(weight, old - 0.1 * gradient, rtol=1e-6, atol=1e-8)
    assert set(logs) == {"d_s/loss", "d_s/reference_logits", "d_s/generated_logits"}


def test_the_logs_are_means_over_the_images_before_the_step():
    adversary, (reference, generated) = made(), images_of_a_step()
    _, logs = adversary.gradients(reference, generated, STEP, NO_NUMBERS)
    real, fake = (adversary.discriminator(batch.images).numpy() for batch in (reference, generated))
    assert float(logs["d_s/reference_logits"]) == pytest.approx(real.mean(), rel=1e-5)
    assert float(logs["d_s/generated_logits"]) == pytest.approx(fake.mean(), rel=1e-5)
    expected = np.mean(np.log1p(np.exp(-real)) + np.log1p(np.exp(fake)))
    assert float(logs["d_s/loss"]) == pytest.approx(expected, rel=1e-5)


def test_a_penalty_is_given_the_reference_and_the_generated_images():
    """Its gradient comes on top, times `every`."""
    reference, generated = images_of_a_step()
    given = []

    class OfBoth:
        every = 3

        def __call__(self, discriminator, reference, generated, uniform):
            given.append((reference, generated))
            return tf.reduce_sum(discriminator(reference) - 2.0 * discriminator(generated), -1)

    adversary = made(OfBoth())
    plain, _ = made().gradients(reference, generated, STEP, NO_NUMBERS)
    with tf.GradientTape() as tape:
        d = adversary.discriminator
        penalty = tf.reduce_mean(d(reference.images) - 2.0 * d(generated.images))
    expected = tape.gradient(penalty, d.trainable_variables)
    found, _ = adversary.gradients(reference, generated, STEP, tf.zeros((8, 1)))
    ((first, second),) = given
    np.testing.assert_array_equal(first, reference.images)
    np.testing.assert_array_equal(second, generated.images)
    for whole, a, b in zip(found, plain, expected, strict=True):
        np.testing.assert_allclose(whole, a + 3.0 * b, rtol=1e-4, atol=1e-6)


def test_what_the_generator_minimizes_is_not_yet_weighted():
    _, generated = images_of_a_step()
    adversary = made()
    adversary.weight = 100.0
    logits = adversary.discriminator(generated.images).numpy()[:, 0]
    np.testing.assert_allclose(adversary.generator_loss(generated, NO_NUMBERS), np.log1p(np.exp(-logits)), rtol=1e-5)
