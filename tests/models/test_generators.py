"""Every generator keeps the contract of generators."""

import contracts
import pytest

from akdg_tf import models

GENERATORS = {
    "MLP": lambda: models.MLPGenerator(6, (16, 16, 2), width=8, depth=2, use_batch_norm=True),
    "MLP of points": lambda: models.MLPGenerator(6, (2,), width=8, output_activation="linear"),
    "DCGAN": lambda: models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4)),
    "DCGAN, not square": lambda: models.DCGANGenerator(6, (12, 16, 3), (8, 6, 4)),
    "SNGAN, not square": lambda: models.SNGANGenerator(6, (24, 32, 1), width=4),
    "SNGAN": lambda: models.SNGANGenerator(6, (32, 32, 3), width=4, blocks=2),
}


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_a_generator_keeps_its_contract(make):
    contracts.generator_contract(make)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 20, 1), (20, 32, 1), (2,)])
def test_a_shape_that_does_not_halve_is_refused(shape):
    with pytest.raises(ValueError, match="an image whose sides are divisible by 8"):
        models.SNGANGenerator(sample_shape=shape)
