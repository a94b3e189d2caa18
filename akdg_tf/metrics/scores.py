"""IS, FID, KID, precision and recall of images. Each score records what defines it."""

import contextlib
import functools
import io
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import gin
import numpy as np
import prdc
import tensorflow as tf

from akdg_tf.artifacts.result import Score
from akdg_tf.data import ImageDataset, teacher
from akdg_tf.errors import UserError
from akdg_tf.metrics import activations, tfgan
from akdg_tf.metrics.activations import Activations
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.evaluation import Samples

CACHE = pathlib.Path("runs", "statistics")
TO_TEACHER = "_to_teacher"  # in the names of scores against the teacher's images
SPLITS = 10  # of the Inception Score, as in Salimans et al. 2016
KID_BLOCK = 1024  # maximum number of images per block, TF-GAN's default
NEIGHBOURS, NEIGHBOUR_SAMPLES = 5, 5000  # of precision and recall; their distance matrix has n squared elements
LEAST = max(SPLITS, NEIGHBOURS + 2)  # images of each kind that all scores together need
CHUNK = 1000  # rows of features that are read at once


class ImageScores:
    """Scores of images over one classifier.

    Only scores over Inception have plain names such as "fid". Others name their classifier: "fid[mnist-classifier]",
    and its stated resize: "fid[mnist-classifier area 32x32]".

    Args:
        classifier: loads the classifier.
        samples: number of generated images, and maximum number of real images.
    """

    def __init__(self, classifier: Callable[[], Classifier] = gin.REQUIRED, samples: int = 50_000):
        self.load, self.samples = classifier, samples

    def limited(self, samples: int) -> "ImageScores":
        """The same scores with at most this number of images."""
        return ImageScores(self.load, min(self.samples, samples))

    def prepare(self, dataset: ImageDataset) -> None:
        """Loads the classifier and checks the dataset.

        Raises:
            UserError: the classifier cannot be loaded or does not take the dataset's images, or there are too few
                images.
        """
        if not isinstance(self.samples, int) or min(self.samples, dataset.size) < LEAST:
            counts = f"ImageScores.samples is {self.samples}, dataset {dataset.name!r} holds {dataset.size}"
            raise UserError(f"scores need at least {LEAST} real and {LEAST} generated images: {counts}")
        _check_count(len(dataset.reals(LEAST, 0)), dataset)
        self._classifier.check_takes(dataset.sample_shape)

    @functools.cached_property
    def _classifier(self) -> Classifier:
        return self.load()

    def __call__(self, fakes: Mapping[str, Samples], dataset: ImageDataset, seed: int) -> dict[str, dict[str, Score]]:
        """Scores generators, in constant memory.

        Args:
            fakes: generated images by name, float32 [any, h, w, c] in [-1, 1] per batch, `samples` per generator.
            dataset: the real images. `runs/statistics/` keeps their activations, and those of fakes with a digest.
            seed: seed of the latents and of the choice of real images; recorded in each score.

        Returns:
            "is", "fid", "kid", "precision" and "recall" for each generator; "[<classifier>]" follows each name unless
            the classifier is Inception. Against a teacher's images the names are
            "fid_to_teacher" and so on, except for "is", which compares with nothing.

        Raises:
            UserError: an activation is not finite, or too few real images can be read.
        """
        with activations.of_reals(self._classifier, dataset, self.samples, seed, CACHE) as real:
            _check_count(len(real.features), dataset)
            return {name: self._scores(name, samples, real, dataset, seed) for name, samples in fakes.items()}

    def _scores(
        self, name: str, samples: Samples, real: Activations, dataset: ImageDataset, seed: int
    ) -> dict[str, Score]:
        """The scores of one generator."""
        classifier = self._classifier
        with activations.of_fakes(classifier, samples, self.samples, seed, CACHE, name) as fake:
            found = score(real, fake)
        record: dict[str, Any] = {
            "n_real": len(real.features),
            "n_fake": len(fake.features),
            "classifier": classifier.id,
            "dataset": dataset.name,
            "split": dataset.split,
            "resize": classifier.resize,
            "seed": seed,
        }
        suffix = "" if classifier.id == "inception" else f"[{classifier.id}]"
        against = TO_TEACHER if dataset.name == teacher.NAME else ""
        names = {metric: f"{metric}{against if metric != 'is' else ''}{suffix}" for metric in found}
        return {names[metric]: Score(**record | values) for metric, values in found.items()}


def _check_count(readable: int, dataset: ImageDataset) -> None:
    """Checks that enough real images could be read.

    Raises:
        UserError: there are too few.
    """
    if readable < LEAST:
        counts = f"only {readable} of the {dataset.size} in dataset {dataset.name!r} can be read"
        raise UserError(f"scores need at least {LEAST} real images: {counts}")


def score(real: Activations, fake: Activations) -> dict[str, dict[str, float]]:
    """All scores of generated images against real images.

    Returns:
        "is", "fid", "kid" (unbiased, may be negative), "precision" and "recall". Each holds the `Score` fields that are
        specific to it, "value" first. "std" of "is" is the standard deviation over the splits, that of "kid" the
        standard error over the blocks.
    """
    inception = [float(tfgan.classifier_score_from_logits(part)) for part in np.array_split(fake.logits, SPLITS)]
    return {
        "is": {"value": float(np.mean(inception)), "std": float(np.std(inception)), "splits": SPLITS},
        "fid": {"value": frechet_distance(real.features, fake.features)},
        "kid": kernel_distance(real.features, fake.features),
        **precision_and_recall(real.features, fake.features),
    }


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """|m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2)) of features [n, d], read in chunks (Heusel et al. 2017, eq. 6)."""
    (mean, covariance), (fake_mean, fake_covariance) = moments(real), moments(fake)
    root = float(tfgan.trace_sqrt_product(tf.constant(covariance), tf.constant(fake_covariance)))
    return float(np.sum((mean - fake_mean) ** 2) + np.trace(covariance) + np.trace(fake_covariance) - 2.0 * root)


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [d] and unbiased covariance [d, d] of features [n, d], in float64, in two passes."""
    chunks = [slice(start, start + CHUNK) for start in range(0, len(features), CHUNK)]
    mean = sum(features[chunk].sum(0, dtype=np.float64) for chunk in chunks) / len(features)
    centered = (features[chunk] - mean for chunk in chunks)
    return mean, sum(part.T @ part for part in centered) / (len(features) - 1)


def kernel_distance(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """KID (Binkowski et al. 2018): the mean of TF-GAN's unbiased estimate over blocks of features [n, d].

    Returns:
        "value", and with several blocks also "std", the standard error over the blocks.
    """
    count = min(-(-max(len(real), len(fake)) // KID_BLOCK), len(real) // 2, len(fake) // 2)  # at least 2 + 2 per block
    blocks = zip(np.array_split(real, count), np.array_split(fake, count), strict=True)
    values = [float(tfgan.kernel_classifier_distance_from_activations(*map(_float64, block))) for block in blocks]
    std = {"std": float(np.std(values, ddof=1) / count**0.5)} if count > 1 else {}
    return {"value": float(np.mean(values)), **std}


def precision_and_recall(real: np.ndarray, fake: np.ndarray) -> dict[str, dict[str, float]]:
    """The share of each set inside the manifold of the other; see `neighbour_scores`."""
    found = neighbour_scores(real, fake)
    record = {"n_real": min(len(real), NEIGHBOUR_SAMPLES), "n_fake": min(len(fake), NEIGHBOUR_SAMPLES)}
    record["neighbours"] = NEIGHBOURS
    return {metric: {"value": found[metric], **record} for metric in ("precision", "recall")}


def neighbour_scores(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Scores of features [n, d] from the 5 nearest neighbours of each sample, with at most 5,000 samples of each set.

    Returns:
        "precision" and "recall": the share of each set inside the manifold of the other (Kynkaanniemi et al. 2019).
        "density" and "coverage" (Naeem et al. 2020): the mean number of real samples whose neighbourhood holds a fake
        one, divided by 5; the share of real samples whose neighbourhood holds a fake one.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # prdc prints the numbers of samples
        found = prdc.compute_prdc(np.array(real[:NEIGHBOUR_SAMPLES]), np.array(fake[:NEIGHBOUR_SAMPLES]), NEIGHBOURS)
    return {metric: float(value) for metric, value in found.items()}


def _float64(features: np.ndarray) -> tf.Tensor:
    return tf.constant(features, tf.float64)
