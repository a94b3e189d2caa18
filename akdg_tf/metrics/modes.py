"""Mode coverage of 2-D mixtures: modes found, share of high-quality samples, KL to uniform, samples on bridges."""

from collections.abc import Mapping

import numpy as np

from akdg_tf.artifacts.result import Score
from akdg_tf.data import Dataset
from akdg_tf.data.points import GaussianMixture
from akdg_tf.errors import UserError
from akdg_tf.metrics.evaluation import Samples

HIGH_QUALITY_STDDEVS = 4.0
BRIDGE_STDDEVS = 8.0


class PointScores:
    """Scores of 2-D points against the mixture that they should follow.

    Args:
        samples: number of generated points.

    Raises:
        UserError: that is no positive whole number.
    """

    def __init__(self, samples: int = 10_000):
        if type(samples) is not int or samples < 1:
            raise UserError(f"PointScores.samples is {samples!r}: bind a whole number of at least 1")
        self.samples = samples

    def limited(self, samples: int) -> "PointScores":
        """The same scores with at most this number of points."""
        return PointScores(min(self.samples, samples))

    def prepare(self, dataset: Dataset) -> None:
        """Checks the dataset.

        Raises:
            UserError: it is not a mixture of Gaussians.
        """
        if not isinstance(dataset, GaussianMixture):
            raise UserError(f"dataset {dataset.name!r} has no mode centers: bind ImageScores instead of PointScores")

    def __call__(
        self, fakes: Mapping[str, Samples], dataset: GaussianMixture, seed: int
    ) -> dict[str, dict[str, Score]]:
        """Scores generators.

        Args:
            fakes: points, float [any, 2] per batch, by the generator's name.
            dataset: the mixture.
            seed: seed of the latents; recorded in each score.

        Returns:
            "modes", "high_quality", "kl_to_uniform" and "bridges" for each generator; see `mode_scores`.
        """
        points = {name: np.concatenate(list(samples.batches)) for name, samples in fakes.items()}
        return {name: self._scores(one, dataset, seed) for name, one in points.items()}

    @staticmethod
    def _scores(points: np.ndarray, dataset: GaussianMixture, seed: int) -> dict[str, Score]:
        values = mode_scores(points, dataset.centers, dataset.stddev)
        return {
            metric: Score(
                value=value,
                n_real=0,
                n_fake=len(points),
                classifier="mixture",
                dataset=dataset.name,
                split=dataset.split,
                resize="none",
                seed=seed,
            )
            for metric, value in values.items()
        }


def mode_scores(points: np.ndarray, centers: np.ndarray, stddev: float) -> dict[str, float]:
    """Scores points against a mixture of equal Gaussians.

    Args:
        points: float [n, 2].
        centers: float [modes, 2].
        stddev: standard deviation of each mode.

    Returns:
        `modes`: number of centers with at least a tenth of n / modes high-quality samples;
        `high_quality`: share of samples within 4 standard deviations of a center (0.9997 of real ones);
        `kl_to_uniform`: KL(p || uniform) in nats, where p is the share of high-quality samples at each center;
            log(modes) if there are no high-quality samples;
        `bridges`: share of samples farther than 8 standard deviations from every center.
    """
    distance = np.linalg.norm(points[:, None] - centers[None], axis=-1)
    nearest, distance = distance.argmin(1), distance.min(1)
    good = nearest[distance <= HIGH_QUALITY_STDDEVS * stddev]
    counts = np.bincount(good, minlength=len(centers))
    share = counts / max(counts.sum(), 1)
    kl = (
        float(np.sum(share[share > 0] * np.log(share[share > 0] * len(centers))))
        if counts.sum()
        else float(np.log(len(centers)))
    )
    return {
        "modes": int(np.sum(counts >= 0.1 * len(points) / len(centers))),
        "high_quality": len(good) / len(points),
        "kl_to_uniform": kl,
        "bridges": float(np.mean(distance > BRIDGE_STDDEVS * stddev)),
    }
