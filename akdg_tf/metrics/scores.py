"""IS, FID and KID of images through TF-GAN's own functions; every number carries what defines it."""

import functools
from collections.abc import Callable

import gin
import numpy as np
import tensorflow as tf

from akdg_tf.data import Dataset
from akdg_tf.errors import UserError
from akdg_tf.metrics import tfgan
from akdg_tf.metrics.classifiers import Classifier

SPLITS = 10  # of the Inception Score, as in Salimans et al. 2016


@gin.register
class ImageScores:
    """Scores of images over one classifier.

    A Frechet distance over anything but Inception is never called plain "fid": it is "fid[mnist-classifier]".

    Args:
        classifier: loads the classifier.
        samples: number of generated images, and at most so many real ones.
    """

    def __init__(self, classifier: Callable[[], Classifier] = gin.REQUIRED, samples: int = 50_000):
        self.load, self.samples = classifier, samples

    def prepare(self, dataset: Dataset) -> None:
        """Loads the classifier; raises UserError where it cannot be had, or takes no images of the dataset's shape."""
        classifier = self._classifier
        try:
            classifier.activations(dataset.reals(1, 0))
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            shape = dataset.sample_shape
            raise UserError(f"classifier {classifier.id} takes no samples of shape {shape}: bind another") from error

    @functools.cached_property
    def _classifier(self) -> Classifier:
        return self.load()

    def __call__(self, fakes: dict[str, np.ndarray], dataset: Dataset, seed: int) -> dict[str, dict[str, dict]]:
        """Scores generators.

        Args:
            fakes: name to generated images, float32 [n, h, w, c] in [-1, 1].
            dataset: of the real images.
            seed: seed of the latents and of the choice of real images, for the record.

        Returns:
            For each name: metric to {"value", "std" where there is one, and what defines it}.
        """
        classifier = self._classifier
        reals = dataset.reals(self.samples, seed)
        _, real_features = classifier.activations(reals)
        suffix = "" if classifier.id == "inception" else f"[{classifier.id}]"
        results = {}
        for name, images in fakes.items():
            record = {
                "n_real": len(reals),
                "n_fake": len(images),
                "classifier": classifier.id,
                "dataset": dataset.name,
                "split": dataset.split,
                "resize": classifier.resize,
                "seed": seed,
            }
            scores = _scores(real_features, *classifier.activations(images))
            results[name] = {f"{metric}{suffix}": {**value, **record} for metric, value in scores.items()}
        return results


def _scores(real_features: np.ndarray, logits: np.ndarray, features: np.ndarray) -> dict[str, dict[str, float]]:
    """The three scores; KID is the unbiased estimate, which may be below 0."""
    inception = [float(tfgan.classifier_score_from_logits(part)) for part in np.array_split(logits, SPLITS)]
    real, fake = tf.constant(real_features, tf.float64), tf.constant(features, tf.float64)
    kid, kid_std = tfgan.kernel_classifier_distance_and_std_from_activations(real, fake)
    return {
        "is": {"value": float(np.mean(inception)), "std": float(np.std(inception)), "splits": SPLITS},
        "fid": {"value": float(tfgan.frechet_classifier_distance_from_activations(real, fake))},
        "kid": {"value": float(kid), "std": float(kid_std)},
    }
