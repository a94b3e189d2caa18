"""Every experiment in gin/ parses, builds, and says at its head what it makes."""

import pathlib

import pytest

from akdg_tf import teachers
from akdg_tf.export import export_generator
from akdg_tf.models import MLPGenerator
from akdg_tf.training import config, experiment  # noqa: F401  (registers what the files bind)
from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.workdir import Run

ROOT = pathlib.Path(__file__).parent.parent
SHARED = {
    *("cifar10", "cifar10_student", "cifar10_mlp", "cifar10_dcgan"),
    *("mnist", "mnist_student", "mnist_mlp", "mnist_dcgan"),
    *("toy", "toy_student", "toy_ring_student", "toy_grid_student"),
}
FILES = sorted(path for path in (ROOT / "gin").glob("*.gin") if path.stem not in SHARED)


TEACHERS = {"toy": (8, (2,)), "mnist": (64, (32, 32, 1)), "cifar10": (128, (32, 32, 3))}  # latent, sample


@pytest.fixture(scope="module")
def small_teachers(tmp_path_factory):
    """A generator of each family's latent and samples, in the place of teachers that are not there."""
    folder = tmp_path_factory.mktemp("teachers")
    for family, (latent_dim, sample_shape) in TEACHERS.items():
        export_generator(MLPGenerator(latent_dim, sample_shape, width=1, depth=1), folder / family, (0, 1))
    yield folder
    teachers.load_teacher.cache_clear()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_experiment_builds(path, small_teachers, tmp_path, monkeypatch):
    """With its trainer: every network, loss and optimizer that the file binds."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(teachers, "find_saved_model", lambda name: small_teachers / path.stem.partition("_")[0])
    teachers.load_teacher.cache_clear()
    config.parse([str(path)], [])
    made = config.build(Run(tmp_path, path.stem))
    if path.stem == "mnist_classifier":
        assert isinstance(made, ClassifierExperiment)
    else:
        with config.explained():
            assert len(made.trainer.optimizers) == {"mse": 1, "akdg": 3}.get(path.stem.split("_")[-1], 2)


@pytest.mark.parametrize("path", sorted((ROOT / "gin").glob("*.gin")), ids=lambda path: path.stem)
def test_file_has_a_head(path):
    assert path.read_text().startswith("# ")


def test_gin_config_is_not_hidden_by_our_folder():
    import gin

    assert gin.parse_config and not (ROOT / "gin" / "__init__.py").exists()
