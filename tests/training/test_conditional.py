"""A class-conditional experiment: its data give labels, its bank and its result know the classes."""

import json

import numpy as np
import pytest
import tensorflow as tf
from support import discriminator, train

import akdg_tf
from akdg_tf import data
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.models import MLPGenerator
from akdg_tf.teachers import bank
from akdg_tf.teachers.load import load_teacher
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

SHAPE, PRIOR = (32, 32, 1), "normal, 10 classes"


class SmallAKDG(akdg_tf.AKDG):
    """The method with the parts that gin would bind."""

    def __init__(self, generator, teacher, seed):
        super().__init__(generator, discriminator(10), discriminator(10), teacher, seed=seed)


def small_generator():
    return MLPGenerator(14, SHAPE, width=4, depth=1, classes=10)


def test_a_student_of_a_bank_is_published_with_its_classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export_generator(small_generator(), tmp_path / "teacher", (0, 1))
    run = Run(tmp_path / "runs" / "mine", "mine")
    experiment = GeneratorExperiment(
        run,
        small_generator(),
        SmallAKDG,
        Data("mnist5k"),
        Schedule(4, 8, report_every=2),
        evaluations={},
        teacher=lambda: load_teacher(str(tmp_path / "teacher")),
        teacher_source=bank.BankedTeacher(40),
    )
    train(experiment)
    real, labels = experiment._batch(tf.constant(0, tf.int64))
    dataset = data.load_dataset("mnist5k")
    for image, label in zip(real.numpy(), labels.numpy(), strict=True):
        same = np.abs(dataset.images / 127.5 - 1.0 - image).max((1, 2, 3)) < 1e-6
        assert set(dataset.labels[same]) == {label}
    assert len(set(labels.numpy())) > 1
    experiment.export()
    result = experiment.evaluate()
    (path,) = (tmp_path / "runs" / "banks").glob("*-40-0/bank.json")
    assert json.loads(path.read_text())["prior"] == PRIOR
    one_hot = bank.TeacherBank(path.parent).latents[:, 4:]
    assert set(one_hot.ravel()) == {0, 1} and (one_hot.sum(1) == 1).all() and one_hot.any(0).sum() > 5
    assert result.network.prior == result.teacher.prior == PRIOR
    assert akdg_tf.load("runs/mine").sample(2, label=7).shape == (2, *SHAPE)


@pytest.mark.parametrize(
    ("name", "classes", "says"),
    [
        ("ring", 2, "a class-conditional generator needs labels, and dataset 'ring' has none"),
        ("mnist5k", 11, "the labels of dataset 'mnist5k' are not the numbers from 0 to 10"),
        ("mnist5k", 9, "the labels of dataset 'mnist5k' are not the numbers from 0 to 8"),
        ("npy", 10, "the labels of dataset 'npy' are not the numbers from 0 to 9"),
    ],
)
def test_data_without_these_labels_are_one_line(name, classes, says, tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((20, *SHAPE), np.uint8))
    dataset = data.load_dataset(name, tmp_path if name == "npy" else None)
    with pytest.raises(UserError, match=says):
        Data(name).check(dataset, classes)
