"""A classifier's activations over a stream of images, kept on disk: memory use does not grow with the images."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterable

import numpy as np

from akdg_tf.data import ImageDataset
from akdg_tf.errors import UserError
from akdg_tf.files import locked, replacing
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.progress import Progress


@dataclasses.dataclass(frozen=True)
class Activations:
    """A classifier's outputs for n images, memory-mapped.

    Attributes:
        logits: float32 [n, classes].
        features: float32 [n, d].
    """

    logits: np.ndarray
    features: np.ndarray


def read(folder: pathlib.Path) -> Activations:
    """Reads the activations that `write` wrote."""
    count = int((folder / "count").read_text())
    return Activations(*(np.load(folder / f"{key}.npy", mmap_mode="r")[:count] for key in ("logits", "features")))


def write(classifier: Classifier, batches: Iterable[np.ndarray], count: int, folder: pathlib.Path, what: str) -> None:
    """Writes the activations of a stream of images, and logs the progress.

    Args:
        classifier: computes the activations.
        batches: float32 [any, h, w, c] in [-1, 1].
        count: maximum number of images in all batches together.
        folder: existing folder; gets `logits.npy`, `features.npy` and `count`, the number of images.
        what: names the images in the log and in the error.

    Raises:
        UserError: an activation is not finite.
    """
    files, done = {}, 0
    progress = Progress(f"scoring {what}", count)
    for images in batches:
        for key, values in zip(("logits", "features"), classifier.activations(images), strict=True):
            if not np.isfinite(values).all():
                raise UserError(f"{what}: the classifier's {key} are not finite: check the samples and the classifier")
            if key not in files:
                shape = (count, values.shape[1])
                files[key] = np.lib.format.open_memmap(folder / f"{key}.npy", "w+", np.float32, shape)
            files[key][done : done + len(images)] = values
        done += len(images)
        progress.report(done)
    (folder / "count").write_text(str(done))


def of_reals(classifier: Classifier, dataset: ImageDataset, count: int, seed: int, cache: pathlib.Path) -> Activations:
    """Activations of the first `count` real images in an order fixed by the seed, computed once.

    Args:
        classifier: computes the activations.
        dataset: the images.
        count: maximum number of images.
        seed: fixes the order.
        cache: folder of all kept activations; each has a folder named by a digest of classifier, data, count and seed.

    Returns:
        The activations.

    Raises:
        UserError: an activation is not finite.
    """
    count = min(count, dataset.size)
    seed = seed if count < dataset.size else 0  # all images: one order for every seed, because KID and prdc see parts
    key = f"{classifier.digest} {dataset.digest()} {count} {seed}"
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f".lock-{folder.name}"):
        if not folder.exists():
            with replacing(folder) as part:
                write(classifier, dataset.real_batches(count, seed), count, part, f"real images of {dataset.name}")
    return read(folder)
