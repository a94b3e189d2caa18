"""All that the package offers can be bound."""

import inspect

import gin
import pytest

from akdg_tf import configurables
from akdg_tf.artifacts import litert, onnx
from akdg_tf.compression import channels, weights
from akdg_tf.methods import akdg, gan, lit, losses, mse, penalties
from akdg_tf.metrics import density, modes, scores
from akdg_tf.models import discriminators, generators
from akdg_tf.teachers import selection

BASES = {
    "Generator",
    "ResidualBlock",
    "UpBlock",
    "DownBlock",
    "AdversarialLoss",
    "Penalty",
    "Ranking",
    "FixedZeros",
}  # parts and protocols
MODULES = (
    generators,
    discriminators,
    losses,
    penalties,
    akdg,
    gan,
    mse,
    lit,
    litert,
    onnx,
    channels,
    weights,
    scores,
    modes,
    density,
    selection,
)
CLASSES = [
    value
    for module in MODULES
    for name, value in inspect.getmembers(module, inspect.isclass)
    if value.__module__ == module.__name__ and name not in BASES
]


@pytest.mark.parametrize("value", CLASSES, ids=lambda value: value.__name__)
def test_every_part_of_an_experiment_can_be_bound(value):
    assert value in (*configurables.OURS, *configurables.METHODS)
    gin.parse_config(f"make_experiment.experiment = @{value.__name__}")


@pytest.mark.parametrize("method", configurables.METHODS, ids=lambda method: method.__name__)
def test_what_the_experiment_gives_a_method_is_of_its_parameters(method):
    """And no other parameter is kept from the gin files."""
    given = set(configurables.METHODS[method])
    parameters = set(inspect.signature(method).parameters)
    assert given == parameters & {"generator", "teacher", "seed"}
