"""Every published entry, through the real tensorflow_hub; and what `publish` refuses."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from akdg_tf import zoo
from akdg_tf.errors import UserError

ROOT = pathlib.Path(__file__).parent.parent
ENTRIES = sorted(path.parent for path in (ROOT / "zoo").glob("*/card.md"))
STUDENTS = [f"mnist_{net}_{method}" for net in ("mlp", "dcgan") for method in ("vanilla", "mse", "akdg")]


def metrics(name):
    return json.loads((ROOT / "zoo" / name / "metrics.json").read_text())


def test_the_first_entries_are_there():
    assert {entry.name for entry in ENTRIES} == {"mnist_classifier", "mnist_sngan_teacher", *STUDENTS}


@pytest.mark.parametrize("name", ["mnist_sngan_teacher", *STUDENTS])
def test_entry_draws_images_that_are_not_black_squares(name):
    images = hub.load(str(ROOT / "zoo" / name / "saved_model"))(tf.random.stateless_normal((64, 64), (0, 0))).numpy()
    assert images.shape == (64, 32, 32, 1) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    assert 0.05 < images.mean() < 0.2 and images.std(axis=0).max() > 0.2  # real MNIST in 32x32: mean 0.10


def test_the_teacher_is_worth_distilling():
    fid = "fid[mnist-classifier]"
    teacher = metrics("mnist_sngan_teacher")
    for name in STUDENTS:
        student = metrics(name)
        assert student["over_seeds"][fid]["seeds"] == [0, 1, 2]
        assert 2 * student["student"]["mult_adds"] < teacher["student"]["mult_adds"]
        assert 2 * student["student"]["bytes"] < teacher["student"]["bytes"]
        if name.endswith("vanilla"):
            assert 2 * teacher["metrics"][fid]["value"] < min(student["over_seeds"][fid]["values"])


def test_the_classifier_is_good():
    assert metrics("mnist_classifier")["metrics"]["accuracy"]["value"] >= 0.97


def test_publish_refuses_smoke_runs_and_unfinished_ones(tmp_path):
    with pytest.raises(UserError, match="not a finished run"):
        zoo.publish([tmp_path])
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "result.json").write_text(json.dumps({"smoke": True}))
    with pytest.raises(UserError, match="smoke run"):
        zoo.publish([tmp_path])
