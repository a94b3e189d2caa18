"""A bank of which only the images most like real ones are drawn."""

import logging
import os

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf
from support import ROOT, SAMPLE_SHAPE, make_teacher, train

import akdg_tf
from akdg_tf import latents
from akdg_tf.data.choice import Data
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics import scores
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.density import DensityRanking
from akdg_tf.teachers import bank as bank_module
from akdg_tf.teachers.images import ArrayImages, TeacherImages
from akdg_tf.teachers.selection import SelectedBank
from akdg_tf.training import config
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

SEED = (5, latents.TEACHER)
COUNT, KEPT = 20, 10


@pytest.fixture(autouse=True)
def _banks_are_kept_by_each_test(monkeypatch, tmp_path):
    monkeypatch.setattr(bank_module, "BANKS", tmp_path / "banks")
    monkeypatch.setattr(scores, "CACHE", tmp_path / "statistics")


class DarkFirst:
    """Ranks dark images first, and counts how often it does."""

    def __init__(self, digest="d" * 64):
        self.value, self.calls = digest, 0

    def digest(self, reals):
        return self.value

    def ranks(self, batches, count, reals):
        self.calls += 1
        brightness = np.concatenate(list(batches)).mean((1, 2, 3))
        assert len(brightness) == count
        return np.argsort(np.argsort(brightness)) / count


def reals():
    return ImageArrays("made up", "train", np.full((30, *SAMPLE_SHAPE), 60, np.uint8), None)


@pytest.fixture
def teacher():
    return make_teacher()[0]


def opened(teacher, ranking, kept=KEPT / COUNT):
    return SelectedBank(ranking, COUNT, kept).open(teacher, False, reals)


def drawn(source, step, count=4):
    return source.draw_pairs(tf.constant(count), SEED, tf.constant(step, tf.int64))


def darkest(bank, count):
    return {row.tobytes() for row in bank.latents[np.argsort(bank.images.mean((1, 2, 3)), kind="stable")[:count]]}


@pytest.mark.parametrize("in_memory", [10**9, 0])
def test_a_pass_draws_each_kept_image_once_and_no_other(in_memory, teacher, monkeypatch):
    """From a bank in memory, and from one that is read by rows."""
    monkeypatch.setattr(bank_module, "IN_MEMORY", in_memory)
    source = opened(teacher, DarkFirst())
    z = [row.tobytes() for step in range(5) for row in drawn(source, step)[0].numpy()]  # two passes of ten
    assert set(z[:KEPT]) == set(z[KEPT:]) == darkest(source, KEPT)
    assert z[:KEPT] != z[KEPT:]
    contracts.pair_source_contract(source, teacher, contracts.HALF_A_GRAY_LEVEL)


def test_the_whole_bank_is_as_it_was(teacher):
    assert set(opened(teacher, DarkFirst(), kept=1).rows) == set(range(COUNT))
    assert opened(teacher, DarkFirst(), kept=0.001).rows.shape == (1,)
    assert bank_module.make_bank(teacher, COUNT, 0, bank_module.BANKS).rows is None


def test_the_teachers_images_off_the_real_ones_are_never_drawn(caplog):
    """The teacher makes images of two kinds; only those of one kind are like the real ones."""

    def two_kinds(z):
        sign = tf.sign(z[:, 0])[:, None, None, None]
        return 0.5 * sign + 0.1 * tf.reshape(tf.tile(tf.tanh(z[:, 1:]), (1, 16)), (-1, *SAMPLE_SHAPE))

    def pixels(x):
        return {"logits": tf.zeros((len(x), 2)), "features": x[:, 0, :4, 0]}

    noise = np.random.default_rng(0).integers(-15, 16, (60, *SAMPLE_SHAPE))
    real = ImageArrays("made up", "train", (190 + noise).astype(np.uint8), None)
    ranking = DensityRanking(lambda: Classifier("judge", "none", "judge", pixels, SAMPLE_SHAPE), clusters=1)
    teacher = akdg_tf.FrozenGenerator(two_kinds, 5)
    with caplog.at_level(logging.INFO):
        source = SelectedBank(ranking, 200, 0.4).open(teacher, False, lambda: real)
    share = np.mean(source.latents[:, 0] > 0)
    assert 0.4 < share < 0.6
    images = np.concatenate([drawn(source, step, 16)[1] for step in range(5)])
    assert images.min() > 0.3
    assert "over judge: scores over it will be biased" in caplog.text


def test_ranks_are_kept_for_every_share_and_found_again(teacher):
    ranking = DarkFirst()
    first = opened(teacher, ranking)
    assert len(opened(teacher, ranking, kept=0.25).rows) == 5
    assert ranking.calls == 1 and len(list(first.folder.glob("ranks-*.npz"))) == 1
    np.testing.assert_array_equal(opened(teacher, ranking).rows, first.rows)
    another = DarkFirst("e" * 64)
    opened(teacher, another)
    assert another.calls == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_ranks_are_made_again(damage, teacher, caplog):
    ranking = DarkFirst()
    first = opened(teacher, ranking)
    (path,) = first.folder.glob("ranks-*.npz")
    whole = path.read_bytes()
    half = len(whole) // 2
    flipped = whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :]
    path.write_bytes({"cut": whole[:half], "flipped": flipped, "empty": b""}[damage])
    np.testing.assert_array_equal(opened(teacher, ranking).rows, first.rows)
    assert ranking.calls == 2 and f"{path} is damaged" in caplog.text
    assert not list(first.folder.glob("*.part"))
    opened(teacher, ranking)
    assert ranking.calls == 2


@pytest.mark.parametrize(
    "ranks",
    [
        np.zeros((COUNT, 2)),
        np.zeros(COUNT - 1),
        np.zeros(10 * COUNT),
        np.full(COUNT, np.nan),
        np.zeros(()),
        np.zeros(COUNT, np.float32),
        np.array(["a"] * COUNT),
    ],
)
def test_ranks_of_other_images_are_made_again(ranks, teacher, caplog):
    ranking = DarkFirst()
    first = opened(teacher, ranking)
    (path,) = first.folder.glob("ranks-*.npz")
    np.savez(path, ranks=ranks)
    np.testing.assert_array_equal(opened(teacher, ranking).rows, first.rows)
    assert ranking.calls == 2 and f"{path} is damaged" in caplog.text


def test_ranks_that_expand_or_are_a_pipe_are_made_again(teacher, caplog):
    ranking = DarkFirst()
    first = opened(teacher, ranking)
    (path,) = first.folder.glob("ranks-*.npz")
    np.savez_compressed(path, ranks=np.zeros(10**6))
    opened(teacher, ranking)
    path.unlink()
    os.mkfifo(path)
    np.testing.assert_array_equal(opened(teacher, ranking).rows, first.rows)
    assert ranking.calls == 3


@pytest.mark.parametrize("kept", [0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_one_line(kept, teacher):
    with pytest.raises(UserError, match=rf"^SelectedBank\.kept is {kept}: bind a share above 0 and at most 1$"):
        opened(teacher, DarkFirst(), kept)


def test_only_the_images_of_a_generator_are_selected():
    with pytest.raises(UserError, match=r"bind GeneratorExperiment\.teacher$"):
        SelectedBank(DarkFirst()).open(None, False, reals)
    images = TeacherImages(ArrayImages("x", "y", np.zeros((9, *SAMPLE_SHAPE), np.uint8), None), "drawn")
    with pytest.raises(UserError, match="drawn is no generator, and SelectedBank needs one: bind @OnlineTeacher"):
        SelectedBank(DarkFirst()).open(images, False, reals)


class SmallMSE(akdg_tf.MSEDistillation):
    """The method with the parts that gin would bind."""


@pytest.mark.parametrize(
    ("data", "says"), [("teacher", "but Data.name is 'teacher'"), ("mnist5k", "but nothing else reads these")]
)
def test_an_experiment_without_real_images_is_one_line_and_makes_no_bank(data, says, tmp_path):
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    given = {"data": Data(data), "schedule": Schedule(4, 4, 4), "evaluations": {}}
    given |= {"teacher": lambda: make_teacher()[0], "teacher_source": SelectedBank(DarkFirst())}
    experiment = GeneratorExperiment(Run(tmp_path / "x", "x"), student, SmallMSE, **given)
    with pytest.raises(UserError, match=rf"selected by real ones, {says}: bind .*, or @BankedTeacher\(\)$"):
        train(experiment)
    assert not bank_module.BANKS.exists()


GIN = """
include 'gin/mnist_mlp_akdg.gin'
GeneratorExperiment.teacher_source = @SelectedBank()
SelectedBank.kept = 0.3
SelectedBank.ranking = @DensityRanking()
DensityRanking.classifier = @selection/load_classifier
selection/load_classifier.name = 'cifar10_classifier'
"""


def test_a_student_is_trained_on_the_selection_that_a_gin_file_binds(tmp_path, monkeypatch):
    """Gray images, ranked over a classifier of RGB images."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(bank_module, "SMOKE_IMAGES", 50)
    (tmp_path / "x.gin").write_text(GIN)
    config.parse([tmp_path / "x.gin"], [])
    keras.utils.set_random_seed(0)
    experiment = train(config.build(Run(tmp_path / "run", "x", smoke=True)))
    source = experiment.trainer.teacher
    assert (len(source.images), len(source.rows)) == (50, 15)
    assert source.folder.parent == tmp_path / "banks" and len(list(source.folder.glob("ranks-*.npz"))) == 1
