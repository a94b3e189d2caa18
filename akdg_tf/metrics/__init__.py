"""Metrics: an evaluation turns generated samples and a dataset into named numbers that say what defines them."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from akdg_tf.artifacts.result import Score
from akdg_tf.data import Dataset
from akdg_tf.metrics.modes import PointScores
from akdg_tf.metrics.scores import ImageScores


class Evaluation(Protocol):
    """What scores the samples of a run.

    Attributes:
        samples: generated samples that it wants.
    """

    samples: int

    def prepare(self, dataset: Dataset) -> None:
        """Loads what it needs, and fails early where it does not fit the dataset."""

    def __call__(
        self, fakes: dict[str, Iterable[np.ndarray]], dataset: Dataset, seed: int
    ) -> dict[str, dict[str, Score]]:
        """Scores generators.

        Args:
            fakes: name of a generator to batches of its samples, `samples` in all.
            dataset: of the real samples.
            seed: of the latents and of the choice of real samples, for the record.

        Returns:
            For each generator its scores by name. `Score.evaluation` is left at its default: an evaluation does not
            know the name that the experiment gives it.
        """


__all__ = ["Evaluation", "ImageScores", "PointScores"]
