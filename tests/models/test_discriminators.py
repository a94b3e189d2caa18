"""Every discriminator keeps the contract of discriminators."""

import contracts
import pytest

from akdg_tf import models

DISCRIMINATORS = {
    "conv": (lambda: models.ConvDiscriminator((4, 8)), (16, 16, 3)),
    "ResNet": (lambda: models.ResNetDiscriminator(8, (True, False)), (16, 16, 1)),
    "MLP": (lambda: models.MLPDiscriminator(8, 2), (2,)),
}


@pytest.mark.parametrize(("make", "sample_shape"), DISCRIMINATORS.values(), ids=DISCRIMINATORS)
def test_a_discriminator_keeps_its_contract(make, sample_shape):
    contracts.discriminator_contract(make, sample_shape)
