"""Penalties against their formulas."""

import contracts
import numpy as np
import pytest
import tensorflow as tf

import akdg_tf
from akdg_tf.methods.penalties import GradientPenalty, R1Penalty


def test_r1_is_half_gamma_times_the_squared_gradient():
    def discriminator(x, training):
        return tf.reduce_sum(0.5 * x**2, axis=(1, 2, 3))[:, None]  # its gradient is x

    images = tf.constant(np.arange(8.0).reshape(2, 2, 2, 1), tf.float32)
    penalty = R1Penalty(gamma=10.0, every=4)(discriminator, images, tf.zeros_like(images))
    np.testing.assert_allclose(penalty, [5 * (0 + 1 + 4 + 9), 5 * (16 + 25 + 36 + 49)])


@pytest.mark.parametrize("penalty", [R1Penalty(), R1Penalty(0.5, 16), GradientPenalty(), GradientPenalty(0.5, 4)])
def test_a_penalty_keeps_its_contract(penalty):
    contracts.penalty_contract(penalty)


def test_r1_is_of_the_reference_alone():
    discriminator = akdg_tf.ConvDiscriminator((4,))
    images, others = tf.unstack(tf.random.stateless_uniform((2, 3, 8, 8, 1), (1, 2), -1.0, 1.0))
    discriminator(images)
    penalty = R1Penalty()
    np.testing.assert_array_equal(penalty(discriminator, images, images), penalty(discriminator, images, others))
    assert not np.allclose(penalty(discriminator, images, images), penalty(discriminator, others, images))


def test_the_gradient_penalty_is_taken_between_the_reference_and_the_generated_image():
    def discriminator(x, training):
        return tf.reduce_sum(0.5 * x**2, axis=(1, 2, 3))[:, None]  # its gradient is x, whose norm is known

    reference, generated = tf.zeros((3, 2, 2, 1)), tf.ones((3, 2, 2, 1)) * 2.0  # norms 0 and 4
    penalty = GradientPenalty(weight=10.0)(discriminator, reference, generated, tf.constant([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(penalty, [10 * (0 - 1) ** 2, 10 * (1 - 1) ** 2, 10 * (4 - 1) ** 2], rtol=1e-5, atol=1e-9)


def test_the_gradient_penalty_of_a_flat_discriminator_is_finite():
    discriminator, images = akdg_tf.ConvDiscriminator((4,)), tf.zeros((2, 8, 8, 1))
    discriminator(images)
    for variable in discriminator.trainable_variables:
        variable.assign(tf.zeros(variable.shape))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(GradientPenalty()(discriminator, images, images, tf.zeros(2)))
    found = tape.gradient(loss, discriminator.trainable_variables)
    assert float(loss) == pytest.approx(20.0, rel=1e-5)
    assert all(np.isfinite(each).all() for each in found if each is not None)


@pytest.mark.parametrize("settings", [{"weight": -1.0}, {"every": 0}])
def test_the_gradient_penalty_refuses_what_has_no_meaning(settings):
    with pytest.raises(ValueError, match="weight >= 0 and every >= 1"):
        GradientPenalty(**settings)


@pytest.mark.parametrize("settings", [{"gamma": -1.0}, {"every": 0}])
def test_r1_refuses_what_has_no_meaning(settings):
    with pytest.raises(ValueError, match="gamma >= 0 and every >= 1"):
        R1Penalty(**settings)
