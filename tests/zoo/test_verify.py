"""Every published entry: the images that it draws through the real tensorflow_hub, its scores, and `verify`."""

import json

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from support import ROOT

from akdg_tf.errors import UserError
from akdg_tf.zoo import checksums
from akdg_tf.zoo.entries import entries
from akdg_tf.zoo.verify import recomputed, verify, verify_readme

ENTRIES = entries(ROOT / "zoo")
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
    assert seeds == {name: [0, 1, 2] for name in STUDENTS}


def test_no_entry_is_too_big():
    sizes = {
        entry.name: sum(path.stat().st_size for path in entry.folder.rglob("*") if not path.is_symlink())
        for entry in ENTRIES
    }
    assert max(sizes.values()) < 20e6 and sum(sizes.values()) < 150e6


def test_the_classifiers_are_good():
    assert metrics("mnist_classifier")["metrics"]["accuracy"]["value"] >= 0.97
    accuracy = metrics("cifar10_classifier")["metrics"]["accuracy"]
    assert accuracy["value"] >= 0.85
    assert (accuracy["n_real"], accuracy["split"]) == (10_000, "test (10,000, JPEG)")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_entry_is_what_was_published_and_does_what_its_card_says(entry):
    wanted = {"checksums", "card", "config", "loads", "counts"} | ({"samples"} if entry.kind != "classifier" else set())
    assert set(verify(entry)) == wanted
    files = {"card.md", "metrics.json", "config.gin", "saved_model/saved_model.pb"}
    files |= {"classifier": set(), "teacher": {"samples.png"}, "student": {"samples.png", "model.tflite"}}[entry.kind]
    assert files <= set(checksums.read(entry.folder))


def test_the_readme_of_the_zoo_is_made_of_its_entries():
    verify_readme(ROOT / "zoo")


def test_the_published_metrics_are_those_of_the_published_weights(monkeypatch):
    """Of the quickest student; a metric that was raised by one is found out."""
    monkeypatch.chdir(ROOT)
    entry = entries(ROOT / "zoo")[[one.name for one in ENTRIES].index("mnist_mlp_mse")]
    assert f"fid[mnist-classifier] {entry.metrics['metrics'][fid(entry.name)]['value']:.4g}" in recomputed(entry, None)
    entry.metrics["metrics"][fid(entry.name)]["value"] += 1.0
    with pytest.raises(UserError, match=r"fid\[mnist-classifier\] is 6\d\.\d+, not 6\d\.\d+"):
        recomputed(entry, None)
