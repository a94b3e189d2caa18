"""Every generator keeps the contract of generators."""

import contracts
import pytest
from support import quick

from akdg_tf import models

GENERATORS = {
    "MLP": lambda: models.MLPGenerator(6, (16, 16, 2), width=8, depth=2, use_batch_norm=True),
    "MLP of points": lambda: models.MLPGenerator(6, (2,), width=8, output_activation="linear"),
    "DCGAN": lambda: models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4)),
    "DCGAN, not square": lambda: models.DCGANGenerator(6, (12, 16, 3), (8, 6, 4)),
    "SNGAN, not square": lambda: models.SNGANGenerator(6, (24, 32, 1), width=4),
    "SNGAN, deeper": lambda: models.SNGANGenerator(6, (16, 16, 3), width=4, blocks=1, blocks_per_resolution=2),
}


@pytest.mark.parametrize("name", quick(GENERATORS, "MLP", "MLP of points", "DCGAN, not square", "SNGAN, not square"))
def test_a_generator_keeps_its_contract(name):
    contracts.generator_contract(GENERATORS[name])


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 20, 1), (20, 32, 1), (2,)])
def test_a_shape_that_does_not_halve_is_refused(shape):
    with pytest.raises(ValueError, match="an image whose sides are divisible by 8"):
        models.SNGANGenerator(sample_shape=shape)


def test_a_configuration_from_before_there_were_deeper_networks_is_that_of_one_block_per_resolution():
    model = models.SNGANGenerator(6, (16, 16, 1), width=4, blocks=2)
    config = model.get_config()
    assert config.pop("blocks_per_resolution") == 1
    shapes = [weight.shape for weight in models.SNGANGenerator.from_config(config).get_weights()]
    assert shapes == [weight.shape for weight in model.get_weights()]


def test_the_chunks_are_the_blocks_of_each_resolution_and_the_layers_around_them():
    model = models.SNGANGenerator(6, (16, 16, 1), width=4, blocks=2, blocks_per_resolution=3)
    kinds = [[type(layer).__name__ for layer in chunk] for chunk in model.chunks]
    blocks = ["UpBlock", "ResidualBlock", "ResidualBlock"]
    assert kinds == [["Dense", "Reshape"], blocks, blocks, ["FusedBatchNormalization", "ReLU", "Conv2D"]]


def test_no_blocks_are_no_generator():
    with pytest.raises(ValueError, match="blocks_per_resolution must be at least 1, not 0"):
        models.SNGANGenerator(blocks_per_resolution=0)
