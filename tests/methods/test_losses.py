import numpy as np
import tensorflow as tf

from akdg_tf.methods.losses import HingeLoss, NonSaturatingLoss
from akdg_tf.methods.penalties import R1Penalty

REFERENCE, GENERATED = tf.constant([[2.0], [-0.5]]), tf.constant([[-3.0], [0.25]])


def test_non_saturating_loss_is_minus_log_of_the_sigmoid():
    def sigmoid(x):
        return 1 / (1 + np.exp(-np.array(x)))

    expected = -np.log(sigmoid([2.0, -0.5])) - np.log(1 - sigmoid([-3.0, 0.25]))
    np.testing.assert_allclose(NonSaturatingLoss().discriminator(REFERENCE, GENERATED), expected, rtol=1e-6)
    np.testing.assert_allclose(NonSaturatingLoss().generator(GENERATED), -np.log(sigmoid([-3.0, 0.25])), rtol=1e-6)


def test_hinge_loss():
    np.testing.assert_allclose(HingeLoss().discriminator(REFERENCE, GENERATED), [0.0, 1.5 + 1.25])
    np.testing.assert_allclose(HingeLoss().generator(GENERATED), [3.0, -0.25])


def test_r1_is_half_gamma_times_the_squared_gradient():
    def discriminator(x, training):
        return tf.reduce_sum(0.5 * x**2, axis=(1, 2, 3))[:, None]  # its gradient is x

    images = tf.constant(np.arange(8.0).reshape(2, 2, 2, 1), tf.float32)
    penalty = R1Penalty(gamma=10.0, every=4)(discriminator, images, tf.zeros_like(images))
    np.testing.assert_allclose(penalty, [5 * (0 + 1 + 4 + 9), 5 * (16 + 25 + 36 + 49)])
