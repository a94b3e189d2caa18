"""Which images a run needs: real ones, its teacher's, or none."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_experiments import MeanScore, SmallImageGAN, SmallMSE, finish, on_images, on_the_ring
from support import SAMPLE_SHAPE, discriminator, make_teacher, train

import akdg_tf
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.metrics import scores as scores_module
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.teachers.load import load_teacher
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


@pytest.fixture(autouse=True)
def _statistics_are_kept_by_each_test(monkeypatch, tmp_path):
    monkeypatch.setattr(scores_module, "CACHE", tmp_path / "statistics")


def test_a_student_is_distilled_from_a_teacher_of_which_only_images_are_there(tmp_path):
    class SmallAKDG(akdg_tf.AKDG):
        def __init__(self, generator, teacher, seed):
            super().__init__(generator, discriminator(), discriminator(), teacher, seed=seed)

    drawn = np.random.default_rng(1).integers(0, 256, (40, *SAMPLE_SHAPE), np.uint8)
    np.savez(tmp_path / "drawn.npz", images=drawn)
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    settings = {"teacher": lambda: load_teacher(str(tmp_path / "drawn.npz")), "method": SmallAKDG}
    result = finish(on_images(tmp_path / "x", tmp_path, student, **settings))
    assert (result.kind, result.teacher.name, result.teacher.params, result.teacher.images_per_second) == (
        "student",
        "drawn",
        None,
        None,
    )
    assert result.teacher.scores["mean"].value == pytest.approx(np.mean(drawn / 127.5 - 1), abs=1e-5)
    assert result.parents[0].name == "drawn" and len(result.parents[0].digest) == 64


@pytest.mark.parametrize("alone", [True, False])
def test_without_real_images_a_student_learns_from_the_teachers_and_is_compared_with_them(alone, tmp_path):
    """By D_KD alone, or by the vanilla method on the teacher's images."""

    class ByDKD(akdg_tf.AKDG):
        def __init__(self, generator, teacher, seed):
            super().__init__(generator, None, discriminator(), teacher, seed=seed)

    teacher, _ = make_teacher()
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    given = {"method": ByDKD if alone else SmallImageGAN, "schedule": Schedule(4, 4, 4)}
    given |= {"teacher": lambda: teacher, "evaluations": {"scores": ImageScores(flat_classifier, 60)}}
    experiment = GeneratorExperiment(Run(tmp_path / "x", "x"), student, data=Data("teacher"), **given)
    result = finish(experiment)
    names = ("is[flat]", "fid_to_teacher[flat]", "kid_to_teacher[flat]", "precision_to_teacher[flat]")
    assert set(result.network.scores) == {*names, "recall_to_teacher[flat]"}
    score, floor = (each.scores["fid_to_teacher[flat]"] for each in (result.network, result.teacher))
    assert (score.dataset, score.split, score.n_real) == ("teacher", "60 images of a callable", 60)
    assert 0 < floor.value < score.value  # the teacher against itself, on other latents
    assert [parent.role for parent in result.parents] == ["teacher"]


def test_a_run_without_evaluations_is_finished_and_marked_as_unscored(tmp_path):
    generator = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    result = finish(on_images(tmp_path / "x", tmp_path, generator, evaluations={}))
    assert result.unscored and result.network.scores == {} and result.network.images_per_second > 0
    assert (result.dataset, len(result.data_digest)) == ("npy", 64)  # it was trained on these
    assert not finish(on_images(tmp_path / "y", tmp_path, generator)).unscored


def test_data_that_only_scores_would_read_are_needed_by_scores_alone(tmp_path):
    """The MSE method trains the same student with them and without."""
    teacher, _ = make_teacher()
    weights = []
    for where, evaluations in (("without", {}), ("with", {"scores": MeanScore()})):
        keras.utils.set_random_seed(0)
        student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
        settings = {"teacher": lambda: teacher, "method": SmallMSE, "evaluations": evaluations}
        experiment = on_images(tmp_path / where, tmp_path, student, **settings)
        if where == "without":
            (tmp_path / "images.npy").unlink()
            assert set(experiment.inputs()) == {"teacher"}
        result = finish(experiment)
        assert (result.dataset, result.unscored) == (("none", True) if where == "without" else ("npy", False))
        assert experiment.picture().shape[1] == (2 if where == "without" else 3) * 400
        weights.append(np.concatenate([each.ravel() for each in student.get_weights()]))
    np.testing.assert_array_equal(*weights)


@pytest.mark.parametrize(
    "settings",
    [
        {"evaluations": {}},  # the vanilla method reads them
        {"method": SmallMSE, "evaluations": {"scores": MeanScore()}},
        {
            "method": SmallMSE,
            "evaluations": {},
            "curve": {"curve": MeanScore()},
            "schedule": Schedule(4, 4, 4, curve_every=4),
        },
    ],
)
def test_data_that_anything_reads_are_needed(settings, tmp_path):
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    experiment = on_images(tmp_path / "x", tmp_path, student, teacher=lambda: make_teacher()[0], **settings)
    (tmp_path / "images.npy").unlink()
    with pytest.raises(UserError, match=r"images\.npy"):
        experiment.prepare_data(evaluating=False)


def flat_classifier():
    return Classifier(
        "flat", "none", "digest", lambda x: dict.fromkeys(("logits", "features"), tf.reshape(x, (-1, 64))[:, ::8])
    )


def test_data_of_a_teacher_need_a_teacher(tmp_path):
    with pytest.raises(UserError, match=r"takes the teacher's images: bind GeneratorExperiment\.teacher"):
        train(on_the_ring(tmp_path / "x", 8, data=Data("teacher")))
