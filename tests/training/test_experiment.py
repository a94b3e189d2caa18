"""Both experiments are what `akdg run` asks for."""

import inspect

import pytest

from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.experiment import Experiment
from akdg_tf.training.generation import GeneratorExperiment

METHODS = {name: value for name, value in vars(Experiment).items() if inspect.isfunction(value) and name[0] != "_"}


@pytest.mark.parametrize("kind", [GeneratorExperiment, ClassifierExperiment])
def test_an_experiment_satisfies_the_protocol_with_the_parameters_that_it_names(kind):
    assert set(METHODS) == {"prepare_data", "inputs", "prepare", "describe", "train", "export", "evaluate"}
    assert issubclass(kind, Experiment)
    for name, method in METHODS.items():
        own, asked = (inspect.signature(each).parameters.values() for each in (getattr(kind, name), method))
        assert [(one.name, one.default) for one in own] == [(one.name, one.default) for one in asked]


def test_what_lacks_a_stage_is_no_experiment():
    class Half:
        def train(self): ...

    assert not issubclass(Half, Experiment)
