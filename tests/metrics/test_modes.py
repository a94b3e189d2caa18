"""Scores of points: the modes of a mixture that they reach."""

import numpy as np
import pytest

from akdg_tf.artifacts.result import Score
from akdg_tf.data import load_dataset
from akdg_tf.errors import UserError
from akdg_tf.metrics.evaluation import Samples, score_all
from akdg_tf.metrics.modes import PointScores, mode_scores


def test_a_generator_whose_samples_are_not_finite_has_no_scores():
    """Not even the best possible: no point that is not a number lies on a bridge."""

    class Diverged:
        def batches(self, count, seed):
            yield np.full((count, 2), np.nan, np.float32)

    with pytest.raises(UserError, match=r"^the network makes samples that are not finite, which have no score"):
        score_all({"scores": PointScores(10)}, {"network": Diverged()}, load_dataset("ring", None))


def test_points_are_scored_by_a_mixture_alone_and_say_what_defines_their_numbers():
    ring = load_dataset("ring")
    scores = PointScores(100)({"a": Samples(iter(np.split(ring.reals(100, 0), 2)))}, ring, 3)["a"]
    assert list(scores) == ["modes", "high_quality", "kl_to_uniform", "bridges"]
    record = {"n_real": 0, "n_fake": 100, "classifier": "mixture", "dataset": "ring", "split": "endless"}
    assert scores["modes"] == Score(8, **record, resize="none", seed=3)
    with pytest.raises(UserError, match="dataset 'mnist5k' has no mode centers: bind ImageScores"):
        PointScores().prepare(load_dataset("mnist5k"))


@pytest.mark.parametrize("samples", [0, -1, 1.5, "9", True])
def test_a_number_of_points_that_is_none_is_one_line(samples):
    with pytest.raises(UserError, match=r"PointScores\.samples is .*: bind a whole number of at least 1"):
        PointScores(samples)


def test_mode_scores_of_a_case_worked_out_by_hand():
    centers = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    points = np.array([[0.0, 0.01]] * 6 + [[1.0, 0.0]] * 2 + [[0.5, 0.0]] * 1 + [[1.0, 1.05]] * 1)
    scores = mode_scores(points, centers, stddev=0.01)
    assert scores["modes"] == 2  # (1, 1)'s only point is 5 standard deviations off: not high-quality, nor on a bridge
    assert scores["high_quality"] == 0.8
    assert scores["bridges"] == 0.1
    assert scores["kl_to_uniform"] == pytest.approx(0.75 * np.log(0.75 * 4) + 0.25 * np.log(0.25 * 4))
