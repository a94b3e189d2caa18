"""Every experiment in gin/ parses, builds, and says at its head what it makes."""

import pathlib

import pytest

from akdg_tf.training import config
from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.experiment import GeneratorExperiment
from akdg_tf.training.workdir import Run

ROOT = pathlib.Path(__file__).parent.parent
SHARED = {"cifar10", "cifar10_student", "mnist", "mnist_student", "mnist_mlp", "mnist_dcgan", "toy", "toy_student"}
FILES = sorted(path for path in (ROOT / "gin").glob("*.gin") if path.stem not in SHARED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_experiment_builds(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config.parse([str(path)], [])
    experiment = config.build(Run(tmp_path, path.stem))
    assert isinstance(experiment, ClassifierExperiment if path.stem == "mnist_classifier" else GeneratorExperiment)


@pytest.mark.parametrize("path", sorted((ROOT / "gin").glob("*.gin")), ids=lambda path: path.stem)
def test_file_has_a_head(path):
    assert path.read_text().startswith("# ")


def test_gin_config_is_not_hidden_by_our_folder():
    import gin

    assert gin.parse_config and not (ROOT / "gin" / "__init__.py").exists()
