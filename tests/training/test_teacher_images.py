"""A teacher of which only images are there, in the place of the real ones."""

import keras
import numpy as np
import pytest
from PIL import Image
from support import SAMPLE_SHAPE, discriminator, made_up_score

import akdg_tf
from akdg_tf.data.choice import Data
from akdg_tf.data.teacher import TeacherData
from akdg_tf.errors import UserError
from akdg_tf.reporting import tables
from akdg_tf.teachers.load import load_teacher
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

COUNT = 12


class SmallAKDG(akdg_tf.AKDG):
    def __init__(self, generator, teacher, seed):
        super().__init__(generator, None, discriminator(), teacher, seed=seed)


class SmallMSE(akdg_tf.MSEDistillation):
    """The method with the parts that gin would bind."""


class MeanScore:
    """An evaluation that is quick: the mean of the samples. It counts the real ones."""

    samples = 500

    def prepare(self, dataset):
        """Nothing is needed."""

    def __call__(self, fakes, dataset, seed):
        record = {"n_real": len(dataset.reals(self.samples, seed)), "split": dataset.split}
        means = {name: np.concatenate(list(samples.batches)).mean() for name, samples in fakes.items()}
        return {name: {"mean": made_up_score(float(mean), **record)} for name, mean in means.items()}


@pytest.fixture
def things(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, *SAMPLE_SHAPE), np.uint8)
    (tmp_path / "drawn").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image[..., 0]).save(tmp_path / "drawn" / f"{number}.png")
    np.savez(tmp_path / "drawn.npz", images=pixels)
    return tmp_path


def experiment(folder, name, method=SmallAKDG):
    keras.utils.set_random_seed(0)
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    given = {"schedule": Schedule(4, 4, 4), "evaluations": {"scores": MeanScore()}, "data": Data("teacher")}
    run = Run(folder / "run", "x")
    return GeneratorExperiment(run, student, method, teacher=lambda: load_teacher(folder / name), **given)


@pytest.mark.parametrize("name", ["drawn", "drawn.npz"])
def test_the_student_is_scored_against_all_of_them_and_the_teacher_is_not_scored(name, things):
    made = experiment(things, name)
    made.prepare_data(evaluating=True)
    made.prepare(training=True)
    with made.run.claim():
        made.train()
    result = made.evaluate()
    score = result.network.scores["mean"]
    assert (score.n_real, score.split) == (COUNT, f"{COUNT} images of drawn")
    assert result.teacher.scores == {} and not result.unscored
    (row,) = (line.split() for line in tables.table(result).splitlines() if line.startswith("mean"))
    assert row == ["mean", f"{score.value:.4g}"]


def test_a_teacher_that_makes_others_is_compared_with_as_many_as_asked_for():
    teacher = akdg_tf.FrozenGenerator(akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1), 4)
    data = TeacherData(teacher, teacher, 30)
    assert (data.size, data.compares_teacher, len(data.reals(500, 0))) == (30, True, 30)


def test_mse_says_what_it_lacks_and_how_to_give_it(things):
    says = "SmallMSE needs pairs .*, but 'drawn' gives only images: save .* as `latents`, in an .npz file"
    with pytest.raises(UserError, match=says):
        experiment(things, "drawn", SmallMSE).prepare(training=False)
