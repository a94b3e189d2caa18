"""A teacher of which only images are there, whatever made them: a folder, or arrays."""

import hashlib
import logging
import pathlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.data.folder import ImageFolder
from akdg_tf.data.image_reader import natural_shape
from akdg_tf.data.images import ImageArrays, to_float
from akdg_tf.errors import UserError
from akdg_tf.places import printable

logger = logging.getLogger(__name__)

UNKNOWN = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "latent_dim")


class Images(Protocol):
    """What `TeacherImages` draws from: a dataset whose images have numbers."""

    @property
    def size(self) -> int:
        """Number of images."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The images with these numbers, uint8 [n, height, width, channels]."""

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """See `ImageDataset`."""

    def digest(self) -> str:
        """See `Dataset`."""


class TeacherImages:
    """Images of a teacher that is not there itself: an `ImageSource`. AKDG needs no more.

    Args:
        images: the images.
        name: of the teacher.

    Attributes:
        name: of the teacher.
        folder: None: there is no SavedModel.
        sample_shape: shape of one image.
        size: number of images.
    """

    folder = None

    def __init__(self, images: Images, name: str):
        self.images, self.name, self.sample_shape = images, name, tuple(images.sample_shape)
        self.size = images.size

    def draw_images(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """This replica's rows of the global draw of `step`, without replacement; see `sources.ImageSource`."""
        return self._read(self._rows(count, seed, step))

    def _rows(self, count, seed, step):
        return latents.shuffled(latents.positions(count, step), self.images.size, seed)

    def _read(self, rows):
        drawn = tf.numpy_function(self.images.read, [rows], tf.uint8, stateful=False)
        return to_float(tf.ensure_shape(drawn, (rows.shape[0], *self.sample_shape)))

    def batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The first `count` images in an order that the seed fixes, batch by batch; fewer if there are fewer."""
        yield from self.images.real_batches(count, seed)

    def samples(self, count: int, seed: int) -> np.ndarray:
        """The images of `batches` in one array."""
        return np.concatenate(list(self.batches(count, seed)))

    def digest(self) -> str:
        """SHA-256, in hex, that identifies the images."""
        return hashlib.sha256(f"images {self.images.digest()}".encode()).hexdigest()

    def describe(self) -> dict[str, int | None]:
        """The counts of `FrozenGenerator.describe`, all of which are unknown."""
        return dict.fromkeys(UNKNOWN)


class TeacherPairs(TeacherImages):
    """Images of a teacher with the latents that they belong to: a `PairSource`, for the MSE method too.

    Args:
        images: the images.
        name: of the teacher.
        z: the latents, float32 [n, latent_dim].
        prior: what they were drawn from: "normal", "uniform", or "normal, 10 classes"; see `latents.draw`.

    Attributes:
        latent_dim: size of the latent.
        prior: see above.
    """

    def __init__(self, images: Images, name: str, z: np.ndarray, prior: str = "normal"):
        super().__init__(images, name)
        self.z, self.latent_dim, self.prior = z, z.shape[1], prior

    def draw_latents(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """The latents of `draw_pairs`, float32 [count, latent_dim]."""
        return tf.gather(tf.constant(self.z), self._rows(count, seed, step))

    def draw_pairs(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Latents z, float32 [count, latent_dim], and the images G_T(z)."""
        rows = self._rows(count, seed, step)
        return tf.gather(tf.constant(self.z), rows), self._read(rows)

    def digest(self) -> str:
        """SHA-256, in hex, that identifies the images and their latents."""
        return hashlib.sha256(super().digest().encode() + np.ascontiguousarray(self.z).tobytes()).hexdigest()


class ArrayImages(ImageArrays):
    """Images in memory that are read by number."""

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The images with these numbers."""
        return self.images[index]


def of_folder(folder: pathlib.Path, sample_shape: Sequence[int] | None = None) -> TeacherImages:
    """The teacher whose images lie in a folder, at any depth. They are read as they are needed.

    Args:
        folder: the folder.
        sample_shape: (height, width, channels) to which the images are resized and cropped; default: that of the first
            one, upright; gray if it is stored as gray.

    Raises:
        UserError: the folder holds no readable image, or the shape is not that of an image.
    """
    name = printable(folder.resolve().name)
    if sample_shape:
        return TeacherImages(ImageFolder(folder, sample_shape), name)
    small = ImageFolder(folder, (1, 1, 3))
    for path in small.paths:
        if path in small.unreadable:
            continue
        try:
            shape = natural_shape(small.folder / path)
        except Exception:  # a damaged file may raise any exception; another one tells the size
            continue
        logger.info("teacher: %d images of the shape %s in %s", small.size, shape, folder)
        return TeacherImages(ImageFolder(folder, shape), name)
    raise UserError(f"none of the images in {folder} can be read")
