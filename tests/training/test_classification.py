import pytest

from akdg_tf.errors import UserError
from akdg_tf.models.classifier import ConvClassifier
from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


def experiment(tmp_path, held_out, dataset="mnist5k"):
    classifier = ConvClassifier((32, 32, 1), 10, widths=(2,))
    schedule = Schedule(2, batch_size=4, report_every=2)
    return ClassifierExperiment(Run(tmp_path, "c"), classifier, dataset, held_out=held_out, schedule=schedule)


def test_held_out_images_are_not_trained_on(tmp_path):
    training, test = experiment(tmp_path, 4999).splits
    assert (training.size, test.size) == (1, 4999)


@pytest.mark.parametrize(
    ("held_out", "dataset", "says"),
    [
        (5000, "mnist5k", "held_out is 5000: bind a number from 0 to 4999"),
        (-1, "mnist5k", "held_out is -1: bind a number from 0 to 4999"),
        (0, "mnist5k", "dataset 'mnist5k' has no test split: bind ClassifierExperiment.held_out"),
        (1, "ring", "dataset 'ring' has no labels"),
    ],
)
def test_data_that_cannot_be_split_are_one_line(held_out, dataset, says, tmp_path):
    with pytest.raises(UserError, match=says):
        experiment(tmp_path, held_out, dataset).prepare_data(evaluating=False)
