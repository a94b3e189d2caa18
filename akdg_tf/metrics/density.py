"""How likely images are among real ones: the density of a Gaussian over a classifier's features."""

import functools
import hashlib
import logging
from collections.abc import Callable, Iterable

import gin
import numpy as np
from sklearn.cluster import KMeans

from akdg_tf.data import ImageDataset
from akdg_tf.errors import UserError
from akdg_tf.metrics import activations, scores
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.evaluation import Samples

logger = logging.getLogger(__name__)

RIDGE = 1e-5  # added to all variances, as in the paper's code: some features hardly vary
CLUSTERED = 5_000  # real images that the clusters are made from
SEED = 0  # of the choice of real images, and of the clusters


class DensityRanking:
    """Ranks a teacher's images by their density among the real ones; see `teachers.selection.Ranking`.

    A Gaussian is fitted to a classifier's features of the real images (DeVries et al., "Instance Selection for GANs",
    NeurIPS 2020). Images of large density are near the mean of the real ones, so that selecting from all of them
    together loses rare kinds of images. The paper selects within each class. Here images have no labels, so that each
    is ranked among those of the same cluster of real images.

    Scores over the same classifier are biased in favour of the selection. Choose one that no evaluation uses.

    Args:
        classifier: loads the classifier. One of RGB images gets gray ones as three equal channels.
        clusters: number of k-means clusters of the real images' features; 1: all images are ranked together.
    """

    def __init__(self, classifier: Callable[[], Classifier] = gin.REQUIRED, clusters: int = 50):
        self.load, self.clusters = classifier, clusters

    @functools.cached_property
    def _loaded(self) -> Classifier:
        return self.load()

    def _classifier(self, reals: ImageDataset) -> Classifier:
        return self._loaded.for_channels(reals.sample_shape[-1])

    def digest(self, reals: ImageDataset) -> str:
        """SHA-256, in hex, of classifier, real images and number of clusters.

        Raises:
            UserError: the number of clusters is not positive, the classifier cannot be loaded, or it does not take
                images of this shape.
        """
        if not isinstance(self.clusters, int) or self.clusters < 1:
            raise UserError(f"DensityRanking.clusters is {self.clusters!r}: bind a whole number from 1")
        classifier = self._classifier(reals)
        classifier.check_takes(reals.sample_shape)
        return hashlib.sha256(f"{classifier.digest} {reals.digest()} {self.clusters}".encode()).hexdigest()

    def ranks(self, batches: Iterable[np.ndarray], count: int, reals: ImageDataset) -> np.ndarray:
        """The rank of each image in its cluster; see `Ranking.ranks`. At most `count` real images are used.

        Raises:
            UserError: an activation is not finite, or fewer than two real images can be read.
        """
        classifier = self._classifier(reals)
        logger.info("ranking the teacher's images over %s: scores over it will be biased", classifier.id)
        samples = Samples(batches)
        with (
            activations.of_reals(classifier, reals, count, SEED, scores.CACHE) as real,
            activations.of_fakes(classifier, samples, count, SEED, scores.CACHE, "the teacher's images") as fake,
        ):
            if len(real.features) < 2:
                raise UserError(f"a density needs at least 2 images, but dataset {reals.name!r} gives fewer")
            clustered = np.array(real.features[:CLUSTERED])
            kmeans = KMeans(min(self.clusters, len(clustered)), n_init=1, random_state=SEED).fit(clustered)
            return ranks_within(kmeans.predict(fake.features), log_densities(real.features, fake.features))


def log_densities(real: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Log-densities of features under the Gaussian of the real ones, without its constant: -(x - m)' C^-1 (x - m) / 2.

    Args:
        real: [n, d], n > 1.
        features: [k, d].

    Returns:
        float64 [k]. `RIDGE` is added to each variance of C.
    """
    mean, covariance = scores.moments(real)
    variances, axes = np.linalg.eigh(covariance)
    whiten = axes / np.sqrt(np.maximum(variances, 0.0) + RIDGE)
    chunks = (features[start : start + scores.CHUNK] for start in range(0, len(features), scores.CHUNK))
    return np.concatenate([-0.5 * np.sum(((chunk - mean) @ whiten) ** 2, axis=1) for chunk in chunks])


def ranks_within(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The share of its group that has a larger value, for each of n items.

    Args:
        groups: int [n], the group of each item.
        values: [n].

    Returns:
        float64 [n] in [0, 1).
    """
    ranks = np.empty(len(values))
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        ranks[rows[np.argsort(-values[rows], kind="stable")]] = np.arange(len(rows)) / len(rows)
    return ranks
