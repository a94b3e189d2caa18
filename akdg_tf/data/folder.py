"""Any folder of images, nested as it may be: read file by file as they are needed, so that a million files work."""

import hashlib
import logging
import os
import pathlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from akdg_tf import latents
from akdg_tf.data.images import REAL_BATCH, to_float
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MODES = {1: "L", 3: "RGB"}


class ImageFolder:
    """The PNG, JPEG and WebP files below a folder, resized and cropped at the centre when they are read.

    A file that cannot be read is named in the log once, with the count so far, and the next one stands in for it.

    Args:
        folder: where the files lie, at any depth.
        sample_shape: (height, width, channels) that they are brought to, 1 or 3 channels.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`; the size counts unreadable files too.
        unreadable: relative paths of the files that could not be read so far.

    Raises:
        UserError: there is no such folder, or no image in it that can be read.
    """

    name = "folder"

    def __init__(self, folder: pathlib.Path, sample_shape: tuple[int, int, int]):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}")
        if len(sample_shape) != 3 or sample_shape[2] not in MODES:
            raise UserError(f"images of a folder cannot be brought to the shape {sample_shape}")
        self.folder, self.sample_shape = folder, tuple(sample_shape)
        self.paths = sorted(_image_files(folder))
        self.size, self.split = len(self.paths), f"{len(self.paths):,} files of {folder.name}"
        self.unreadable: set[str] = set()
        self._lock = threading.Lock()
        self._readers = ThreadPoolExecutor(os.cpu_count())
        if not self.paths:
            raise UserError(f"there is no image in {folder}: it must hold files {', '.join(SUFFIXES)}, at any depth")
        self.read([0])

    def batch(self, step: tf.Tensor, size: int, seed: int) -> tf.Tensor:
        """Batch number `step`: every file once an epoch, each epoch in an order of its own."""
        index = latents.shuffled(step * size + tf.range(size, dtype=tf.int64), self.size, (seed, 0))
        images = tf.numpy_function(self.read, [index], tf.uint8, stateful=False)
        return to_float(tf.ensure_shape(images, (size, *self.sample_shape)))

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The images of these numbers, uint8 [n, height, width, channels].

        Raises:
            UserError: no file of the folder can be read.
        """
        return np.stack(list(self._readers.map(self._image, index)))

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The first `count` images of an order fixed by the seed, float32 [any, height, width, channels]."""
        order = np.random.default_rng(seed).permutation(self.size)[:count]
        for start in range(0, len(order), REAL_BATCH):
            yield to_float(self.read(order[start : start + REAL_BATCH])).numpy()

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The images of `real_batches` in one array."""
        return np.concatenate(list(self.real_batches(count, seed)))

    def digest(self) -> str:
        """Of the files' names, sizes and times, and of the shape that they are brought to."""
        digest = hashlib.sha256(repr(self.sample_shape).encode())
        for path in self.paths:
            stat = os.stat(self.folder / path)
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _image(self, number: int) -> np.ndarray:
        """The image of a number, or of the first one after it that can be read."""
        for offset in range(self.size):
            path = self.paths[(number + offset) % self.size]
            if path not in self.unreadable:
                try:
                    return self._decode(path)
                except Exception as error:  # a damaged file may raise anything
                    self._skip(path, error)
        raise UserError(f"none of the {self.size:,} images in {self.folder} can be read")

    def _decode(self, path: str) -> np.ndarray:
        height, width, channels = self.sample_shape
        with Image.open(self.folder / path) as image:
            upright = ImageOps.exif_transpose(image).convert(MODES[channels])
            fitted = ImageOps.fit(upright, (width, height), Image.Resampling.BICUBIC)
        return np.asarray(fitted).reshape(self.sample_shape)

    def _skip(self, path: str, error: Exception) -> None:
        with self._lock:
            if path not in self.unreadable:
                self.unreadable.add(path)
                reason = " ".join(str(error).split()) or type(error).__name__
                logger.warning("skipping %s (%s): %d unreadable so far", path, reason, len(self.unreadable))


def _image_files(folder: pathlib.Path) -> Iterator[str]:
    """Paths of the image files below a folder, relative to it."""
    for parent, _, names in os.walk(folder, followlinks=True):
        base = os.path.relpath(parent, folder)
        yield from (os.path.normpath(os.path.join(base, name)) for name in names if name.lower().endswith(SUFFIXES))


@register_dataset("folder")
def load_folder(data_dir=None, sample_shape=None) -> ImageFolder:
    """The images below --data_dir, brought to the shape that the generator makes, by default 32x32 RGB."""
    if data_dir is None:
        raise UserError("dataset 'folder' reads the images of a folder: give --data_dir=FOLDER")
    return ImageFolder(pathlib.Path(data_dir), sample_shape or (32, 32, 3))
