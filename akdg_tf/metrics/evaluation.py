"""Evaluations: they turn generated samples and a dataset into named scores."""

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np

from akdg_tf.artifacts.result import Score
from akdg_tf.data import Dataset
from akdg_tf.errors import UserError
from akdg_tf.latents import sample_frozen_batches
from akdg_tf.teachers.frozen import FrozenGenerator

logger = logging.getLogger(__name__)

Scores = dict[str, Score]


class Evaluation(Protocol):
    """Scores the samples of a generator; bound by name in `GeneratorExperiment.evaluations`.

    Attributes:
        samples: number of generated samples that it needs.
    """

    samples: int

    def limited(self, samples: int) -> "Evaluation":
        """The same evaluation with at most this number of samples, for a smoke run."""

    def prepare(self, dataset: Dataset) -> None:
        """Loads what it needs, before a long training.

        Raises:
            UserError: something cannot be loaded, or does not fit the dataset.
        """

    def __call__(self, fakes: Mapping[str, Iterable[np.ndarray]], dataset: Dataset, seed: int) -> dict[str, Scores]:
        """Scores generators.

        Args:
            fakes: batches of samples by the generator's name, `samples` per generator.
            dataset: the real samples.
            seed: seed of the latents and of the choice of real samples; recorded in each score.

        Returns:
            The scores by name, for each generator. `Score.evaluation` keeps its default: an evaluation does not know
            the name that the experiment gives it.
        """


def score_all(
    evaluations: Mapping[str, Evaluation], generators: Mapping[str, FrozenGenerator], dataset: Dataset, seed: int
) -> dict[str, Scores]:
    """The scores of all evaluations.

    Args:
        evaluations: by name.
        generators: by name.
        dataset: the real samples.
        seed: seed of the latents and of the choice of real samples.

    Returns:
        The scores by name, for each generator. Each score names the evaluation that made it.

    Raises:
        UserError: two evaluations give a score of the same name.
    """
    found: dict[str, Scores] = {name: {} for name in generators}
    for evaluation_name, evaluation in evaluations.items():
        count = evaluation.samples
        logger.info("%s: scoring %d samples of each generator: %s", evaluation_name, count, ", ".join(generators))
        fakes = {name: sample_frozen_batches(one, count, seed) for name, one in generators.items()}
        for name, scores in evaluation(fakes, dataset, seed).items():
            twice = sorted(set(scores) & set(found[name]))
            if twice:
                raise UserError(f"two evaluations give the score {twice[0]}: bind only one of them")
            found[name] |= {key: dataclasses.replace(each, evaluation=evaluation_name) for key, each in scores.items()}
    return found
