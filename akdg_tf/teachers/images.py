"""A teacher of which only images are there: a folder, or an .npz file. Whatever made them."""

import hashlib
import logging
import pathlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf
from PIL import Image

from akdg_tf import latents
from akdg_tf.data.folder import FORMATS, ImageFolder
from akdg_tf.data.images import ImageArrays, to_float, to_uint8
from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

UNKNOWN = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "latent_dim")
ARRAYS = ("images", "latents")  # of an .npz file; the second is optional


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
    """

    folder = None

    def __init__(self, images: Images, name: str):
        self.images, self.name, self.sample_shape = images, name, tuple(images.sample_shape)

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
        z: the latents, float32 [n, latent_dim], drawn from N(0, I).

    Attributes:
        latent_dim: size of the latent.
        prior: "normal".
    """

    prior = "normal"

    def __init__(self, images: Images, name: str, z: np.ndarray):
        super().__init__(images, name)
        self.z, self.latent_dim = z, z.shape[1]

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


class _Arrays(ImageArrays):
    """Images in memory that are read by number."""

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The images with these numbers."""
        return self.images[index]


def of_folder(folder: pathlib.Path, sample_shape: tuple[int, int, int] | None = None) -> TeacherImages:
    """The teacher whose images lie in a folder, at any depth. They are read as they are needed.

    Args:
        folder: the folder.
        sample_shape: (height, width, channels) to which the images are resized and cropped; default: that of the first
            one.

    Raises:
        UserError: the folder holds no readable image, or the shape is not that of an image.
    """
    if sample_shape:
        return TeacherImages(ImageFolder(folder, sample_shape), folder.resolve().name)
    small = ImageFolder(folder, (1, 1, 3))
    for path in small.paths:
        try:
            with Image.open(small.folder / path, formats=FORMATS) as image:
                shape = (image.height, image.width, 1 if image.mode in ("1", "L") else 3)
        except Exception:  # a damaged file may raise any exception; another one tells the size
            continue
        logger.info("teacher: %d images of the shape %s in %s", small.size, shape, folder)
        return TeacherImages(ImageFolder(folder, shape), small.folder.name)
    raise UserError(f"none of the images in {folder} can be read")


def of_npz(path: pathlib.Path, output_range: tuple[float, float] | None) -> TeacherImages:
    """The teacher whose images an .npz file holds: `images`, and `latents` if they are known.

    Args:
        path: the file. `images` is uint8 [n, height, width, 1 or 3], or float in `output_range`; `latents` is float
            [n, latent_dim].
        output_range: smallest and largest value of float images; default (0, 1).

    Raises:
        UserError: the file cannot be read, or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in ARRAYS if name in found}
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read: it must be an .npz file with an array 'images'") from error
    images, z = arrays.get("images"), arrays.get("latents")
    if images is None or images.ndim != 4 or not len(images) or images.shape[3] not in (1, 3):
        shape = None if images is None else images.shape
        raise UserError(f"{path} must hold 'images' [n, height, width, 1 or 3], not {shape}")
    if images.dtype != np.uint8:
        images = _as_bytes(images, output_range, path)
    stored = _Arrays(path.stem, f"{len(images):,} of {path.name}", images, np.zeros(len(images), np.int64))
    if z is None:
        return TeacherImages(stored, path.stem)
    if z.ndim != 2 or len(z) != len(images):
        raise UserError(
            f"{path} holds latents of the shape {z.shape} for {len(images)} images: they must be [n, latent_dim]"
        )
    return TeacherPairs(stored, path.stem, z.astype(np.float32))


def _as_bytes(images: np.ndarray, output_range: tuple[float, float] | None, path: pathlib.Path) -> np.ndarray:
    """Float images as uint8.

    Raises:
        UserError: they are not finite, or outside their range.
    """
    low, high = output_range or (0.0, 1.0)
    least, most = float(images.min()), float(images.max())
    if not (low - 1e-3 <= least and most <= high + 1e-3):  # also if they are not finite
        raise UserError(
            f"{path} holds images from {least:.3g} to {most:.3g}, outside the range {(low, high)}: "
            "bind load_teacher.output_range"
        )
    return to_uint8((images - low) * (2.0 / (high - low)) - 1.0)
