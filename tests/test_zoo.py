"""Every published entry, through the real tensorflow_hub; and what `publish` refuses."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from akdg_tf import zoo
from akdg_tf.errors import UserError
from akdg_tf.export import export_generator
from akdg_tf.models import MLPGenerator

ROOT = pathlib.Path(__file__).parent.parent
ENTRIES = sorted(path.parent for path in (ROOT / "zoo").glob("*/card.md"))
STUDENTS = [
    f"{data}_{net}_{method}"
    for data in ("mnist", "cifar10")
    for net in ("mlp", "dcgan")
    for method in ("vanilla", "mse", "akdg")
]
TEACHERS = {"mnist": "mnist_sngan_teacher", "cifar10": "cifar10_sngan_teacher_cpu"}
# Shape, and the mean and the least spread of a pixel of real images in [0, 1].
IMAGES = {"mnist": ((32, 32, 1), 0.10, 0.2), "cifar10": ((32, 32, 3), 0.47, 0.15)}


def metrics(name):
    return json.loads((ROOT / "zoo" / name / "metrics.json").read_text())


def family(name):
    return name.partition("_")[0]


def fid(name):
    return f"fid[{family(name)}-classifier]"


def test_the_entries_are_there():
    assert {entry.name for entry in ENTRIES} == {
        "mnist_classifier",
        "cifar10_classifier",
        *TEACHERS.values(),
        *STUDENTS,
    }


@pytest.mark.parametrize("name", [*TEACHERS.values(), *STUDENTS])
def test_entry_draws_images_that_are_not_black_squares(name):
    latent_dim, (shape, mean, spread) = metrics(name)["student"]["latent_dim"], IMAGES[family(name)]
    images = hub.load(str(ROOT / "zoo" / name))(tf.random.stateless_normal((64, latent_dim), (0, 0))).numpy()
    assert images.shape == (64, *shape) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    assert abs(images.mean() - mean) < 0.1 and images.std(axis=0).max() > spread


@pytest.mark.parametrize("name", STUDENTS)
def test_the_teacher_is_better_and_costs_more_than_its_student(name):
    teacher, student = metrics(TEACHERS[family(name)]), metrics(name)
    assert 2 * student["student"]["mult_adds"] < teacher["student"]["mult_adds"] or "cifar10_dcgan" in name
    assert teacher["metrics"][fid(name)]["value"] < min(student["over_seeds"][fid(name)]["values"])


def test_students_are_published_with_the_seeds_that_were_run():
    seeds = {name: metrics(name)["over_seeds"][fid(name)]["seeds"] for name in STUDENTS}
    assert seeds == {name: [0] if "cifar10_dcgan" in name else [0, 1, 2] for name in STUDENTS}


def test_no_entry_is_too_big():
    sizes = {
        entry.name: sum(path.stat().st_size for path in entry.rglob("*") if path.is_file() and not path.is_symlink())
        for entry in ENTRIES
    }
    assert max(sizes.values()) < 20e6 and sum(sizes.values()) < 150e6


def test_the_classifiers_are_good():
    assert metrics("mnist_classifier")["metrics"]["accuracy"]["value"] >= 0.97
    accuracy = metrics("cifar10_classifier")["metrics"]["accuracy"]
    assert accuracy["value"] >= 0.85
    assert (accuracy["n_real"], accuracy["split"]) == (10_000, "test (10,000, JPEG)")


def fabricated_run(folder, seed, value, gin_file="gin/x.gin"):
    model = MLPGenerator(4, (8, 8, 1), width=4, depth=1)
    export_generator(model, folder / "saved_model", (0, 1))
    metric = {"value": value, "n_real": 9, "n_fake": 9, "classifier": "c", "split": "s", "resize": "none", "seed": seed}
    side = {"layers": 2, "params": 5, "mult_adds": 3, "bytes": 20, "latent_dim": 4, "metrics": {"fid[c]": metric}}
    result = {"experiment": "x", "method": "GAN", "seed": seed, "steps": 7, "smoke": False, "teacher": side}
    result |= {"gin_files": ["gin/x.gin"], "student": side, "metrics": side["metrics"]}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "config.gin").write_text(f"# experiment x, seed {seed}\n{(pathlib.Path(gin_file)).read_text()}")
    return folder


@pytest.fixture
def _folder_with_gin_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gin").mkdir()
    for name, steps in (("x", 7), ("y", 8)):
        (tmp_path / "gin" / f"{name}.gin").write_text(
            f"make_experiment.experiment = @GeneratorExperiment\nGeneratorExperiment.steps = {steps}\n"
        )


@pytest.mark.usefixtures("_folder_with_gin_files")
def test_publish_reports_every_seed_and_never_replaces_unasked(tmp_path):
    runs = [fabricated_run(tmp_path / f"run{seed}", seed, value) for seed, value in ((0, 1.0), (1, 2.0), (2, 6.0))]
    entry = tmp_path / zoo.publish(runs)
    row = json.loads((entry / "metrics.json").read_text())["over_seeds"]["fid[c]"]
    assert row == {"mean": 3.0, "stdev": pytest.approx(7**0.5), "values": [1.0, 2.0, 6.0], "seeds": [0, 1, 2]}
    card = (entry / "card.md").read_text()
    assert "python run.py --gin_file=gin/x.gin --seed=0" in card and "3 ± 2.6 (seed 0: 1, 1: 2, 2: 6)" in card
    assert hub.load(str(entry))(tf.zeros((2, 4))).shape == (2, 8, 8, 1)
    with pytest.raises(UserError, match="is there already"):
        zoo.publish(runs)
    zoo.publish(runs[:1], overwrite=True)
    with pytest.raises(UserError, match="same seed"):
        zoo.publish([runs[0], runs[0]], overwrite=True)
    other = fabricated_run(tmp_path / "other", 3, 1.0, gin_file="gin/y.gin")
    with pytest.raises(UserError, match="not of one experiment and configuration"):
        zoo.publish([runs[0], other], overwrite=True)
    with pytest.raises(UserError, match=r"not made by gin/x\.gin as they are"):
        zoo.publish([other], overwrite=True)


def test_publish_refuses_smoke_runs_and_unfinished_ones(tmp_path):
    with pytest.raises(UserError, match="not a finished run"):
        zoo.publish([tmp_path])
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "result.json").write_text(json.dumps({"smoke": True}))
    with pytest.raises(UserError, match="smoke run"):
        zoo.publish([tmp_path])
