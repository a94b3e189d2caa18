"""A classifier experiment, in Python, on images of 8x8."""

import keras
import numpy as np
import pytest

import akdg_tf
from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.errors import UserError
from akdg_tf.models import ConvClassifier
from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


@pytest.fixture
def make(tmp_path):
    """A function that makes an experiment of so many steps in a folder, on 20 images of which 5 are held out."""
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)
    np.save(tmp_path / "images.npy", images)

    def function(name, steps, dataset="npy", held_out=5):
        keras.utils.set_random_seed(0)
        classifier = ConvClassifier((8, 8, 1), widths=(4,), features=6, dropout=0.5)
        run = Run(tmp_path / name, "my_classifier", data_dir=str(tmp_path))
        run.workdir.mkdir(exist_ok=True)
        schedule = Schedule(steps, 5, report_every=2)
        return ClassifierExperiment(run, classifier, dataset, held_out, augment=True, schedule=schedule)

    return function


@pytest.mark.parametrize("bound", [{"micro_batches": 5}, {"curve_every": 2}])
def test_what_a_classifier_would_ignore_is_refused(bound, tmp_path):
    with pytest.raises(UserError, match=f"without Schedule.{next(iter(bound))}: do not bind it"):
        ClassifierExperiment(Run(tmp_path, "x"), keras.Model(), "npy", schedule=Schedule(4, 5, 2, **bound))


def test_a_resumed_training_is_the_one_that_was_never_cut(make):
    """Dropout, augmentation and batch statistics are part of it."""
    uncut = make("uncut", 4)
    uncut.train()
    make("cut", 2).train()
    resumed = make("cut", 4)
    resumed.train()
    assert steps_in(resumed.run.path("checkpoints")) == [4, 2]
    for one, other in zip(uncut.classifier.get_weights(), resumed.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_result_is_the_accuracy_of_the_export_on_the_images_held_out(make):
    experiment = make("x", 2)
    experiment.prepare_data(evaluating=True)
    experiment.prepare(training=True)
    experiment.train()
    result = experiment.evaluate()
    logits = experiment.classifier(experiment.splits[1].reals(5, 0))["logits"].numpy()
    score = result.network.scores["accuracy"]
    assert score.value == pytest.approx(np.mean(logits.argmax(-1) == 0))  # every label of a bare array is 0
    assert (score.n_real, score.classifier, score.split) == (5, "my-classifier", "5 held out of 20 of images.npy")
    assert (result.kind, result.method, result.teacher, result.parents) == ("classifier", "classifier", None, ())
    assert result.network.params == experiment.describe()["network"]["params"]
    back = akdg_tf.load_network(experiment.run.workdir)
    np.testing.assert_array_equal(back(experiment.splits[1].reals(5, 0))["logits"], logits)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dataset": "ring"}, "dataset 'ring' does not read --data_dir"),
        ({"held_out": 0}, "dataset 'npy' has no test split: bind ClassifierExperiment.held_out"),
        ({"dataset": "nosuch"}, "unknown dataset 'nosuch'"),
        ({"held_out": 20}, "held_out is 20: bind a number from 0 to 19"),
        ({"held_out": -1}, "held_out is -1: bind a number from 0 to 19"),
    ],
)
def test_data_that_cannot_be_learned_are_one_line(settings, says, make):
    with pytest.raises(UserError, match=says):
        make("x", 2, **settings).prepare_data(evaluating=False)


def test_a_training_that_is_not_finished_is_not_exported(make):
    make("x", 2).train()
    with pytest.raises(UserError, match="holds no finished training"):
        make("x", 4).evaluate()
