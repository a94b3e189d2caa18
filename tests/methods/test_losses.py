"""Losses against their formulas."""

import contracts
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.methods.losses import HingeLoss, NonSaturatingLoss, WassersteinLoss

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


def test_wasserstein_loss_with_drift():
    expected = [-3.0 - 2.0 + 0.1 * 4.0, 0.25 + 0.5 + 0.1 * 0.25]
    np.testing.assert_allclose(WassersteinLoss(drift=0.1).discriminator(REFERENCE, GENERATED), expected, rtol=1e-6)
    np.testing.assert_allclose(WassersteinLoss().generator(GENERATED), [3.0, -0.25])
    with pytest.raises(ValueError, match="drift >= 0"):
        WassersteinLoss(-1.0)


@pytest.mark.parametrize("loss", [NonSaturatingLoss(), HingeLoss(), WassersteinLoss()])
def test_a_loss_keeps_its_contract(loss):
    contracts.loss_contract(loss)
