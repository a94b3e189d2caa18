"""Evaluations: they turn generated samples and a dataset into named scores."""

import dataclasses
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np

from akdg_tf.artifacts.result import Score
from akdg_tf.data import Dataset
from akdg_tf.errors import UserError
from akdg_tf.teachers.sources import Teacher

logger = logging.getLogger(__name__)

SEED = 0  # of latents and real samples: all runs are scored on the same ones, so that only the networks differ

Scores = dict[str, Score]


@dataclasses.dataclass(frozen=True)
class Samples:
    """Samples of one generator.

    Attributes:
        batches: float32 [any, *sample_shape], in [-1, 1] for images.
        digest: identifies the generator, so that an evaluation may keep what it computes from its samples for the next
            run; None: it keeps nothing.
    """

    batches: Iterable[np.ndarray]
    digest: str | None = None


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

    def __call__(self, fakes: Mapping[str, Samples], dataset: Dataset, seed: int) -> dict[str, Scores]:
        """Scores generators.

        Args:
            fakes: samples by the generator's name, `samples` per generator.
            dataset: the real samples.
            seed: seed of the latents and of the choice of real samples; recorded in each score.

        Returns:
            The scores by name, for each generator. `Score.evaluation` keeps its default: an evaluation does not know
            the name that the experiment gives it.
        """


def score_all(
    evaluations: Mapping[str, Evaluation],
    generators: Mapping[str, Teacher],
    dataset: Dataset,
    kept: Collection[str] = (),
) -> dict[str, Scores]:
    """The scores of all evaluations, on the latents and real samples of `SEED`.

    Args:
        evaluations: by name.
        generators: by name.
        dataset: the real samples.
        kept: names of the generators that other runs score again, such as the teacher. What an evaluation computes from
            their samples may be kept.

    Returns:
        The scores by name, for each generator. Each score names the evaluation that made it.

    Raises:
        UserError: two evaluations give a score of the same name, or a sample is not finite.
    """
    found: dict[str, Scores] = {name: {} for name in generators}
    digests = {name: generators[name].digest() for name in kept}
    for evaluation_name, evaluation in evaluations.items():
        count = evaluation.samples
        logger.info("%s: scoring %d samples of each generator: %s", evaluation_name, count, ", ".join(generators))
        batches = {name: _finite(one.batches(count, SEED), name) for name, one in generators.items()}
        fakes = {name: Samples(found, digests.get(name)) for name, found in batches.items()}
        for name, scores in evaluation(fakes, dataset, SEED).items():
            twice = sorted(set(scores) & set(found[name]))
            if twice:
                raise UserError(f"two evaluations give the score {twice[0]}: bind only one of them")
            found[name] |= {key: dataclasses.replace(each, evaluation=evaluation_name) for key, each in scores.items()}
    return found


def _finite(batches: Iterable[np.ndarray], name: str) -> Iterator[np.ndarray]:
    """The batches of a generator, as long as they are finite.

    Raises:
        UserError: a sample is not.
    """
    for samples in batches:
        if not np.isfinite(samples).all():
            raise UserError(f"the {name} makes samples that are not finite, which have no score: its training diverged")
        yield samples
