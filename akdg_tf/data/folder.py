"""A folder of images, at any depth. Files are read only when they are needed, so that a million files work."""

import hashlib
import itertools
import logging
import os
import pathlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.data.image_files import SUFFIXES, find_images
from akdg_tf.data.image_reader import FORMATS, ImageReader
from akdg_tf.data.images import REAL_BATCH, to_float
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)


class ImageFolder:
    """The PNG, JPEG and WebP files below a folder. Reading resizes them and crops them at the centre.

    The log names each unreadable file once, with the count so far. In training, the next file replaces it. Metrics omit
    it from the real images.

    Args:
        folder: folder that holds the files, at any depth.
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`. The size includes unreadable files.
        unreadable: relative paths of the files that could not be read so far.

    Raises:
        UserError: the folder does not exist or holds no readable image, or the shape is not that of an image.
    """

    name = "folder"

    def __init__(self, folder: pathlib.Path, sample_shape: tuple[int, int, int]):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: give --data_dir=FOLDER")
        self._reader = ImageReader(sample_shape)
        self.folder, self.sample_shape = folder.resolve(), self._reader.sample_shape
        self.paths = sorted(find_images(folder))
        self.size, self.split = len(self.paths), f"{len(self.paths):,} files of {self.folder.name}"
        self.unreadable: set[str] = set()
        self._damaged: set[str] = set()
        self._lock = threading.Lock()
        self._readers = ThreadPoolExecutor(os.cpu_count())
        if not self.paths:
            raise UserError(f"there is no image in {folder}: it must hold {', '.join(SUFFIXES)} files, at any depth")
        self.read([0])

    def batch(self, step: tf.Tensor, size: int, seed: int) -> tf.Tensor:
        """Batch number `step`. Each epoch contains every file once, in a new order."""
        index = latents.shuffled(step * size + tf.range(size, dtype=tf.int64), self.size, (seed, 0))
        images = tf.numpy_function(self.read, [index], tf.uint8, stateful=False)
        return to_float(tf.ensure_shape(images, (size, *self.sample_shape)))

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The images with these numbers, uint8 [n, height, width, channels].

        Raises:
            UserError: no file of the folder can be read.
        """
        return np.stack(list(self._readers.map(self._image, index)))

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The first `count` readable images in an order that the seed fixes, batch by batch.

        Yields:
            float32 [any, *sample_shape] in [-1, 1], `count` in all, or fewer if the folder holds fewer.
        """
        paths = (self.paths[number] for number in np.random.default_rng(seed).permutation(self.size))
        while batch := list(itertools.islice(paths, min(REAL_BATCH, count))):
            images = [image for image in self._readers.map(self._decoded, batch) if image is not None]
            count -= len(images)
            if images:
                yield to_float(np.stack(images)).numpy()

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The images of `real_batches` in one array."""
        return np.concatenate(list(self.real_batches(count, seed)))

    def digest(self) -> str:
        """SHA-256, in hex, of the files' names, sizes and modification times, and of `sample_shape`."""
        digest = hashlib.sha256(repr(self.sample_shape).encode())
        for path in self.paths:
            try:
                status = os.stat(self.folder / path)
                state = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                state = "gone"
            digest.update(os.fsencode(path) + f" {state}\n".encode())
        return digest.hexdigest()

    def _image(self, number: int) -> np.ndarray:
        """The image with a number, or the next one that can be read."""
        for offset in range(self.size):
            image = self._decoded(self.paths[(number + offset) % self.size])
            if image is not None:
                return image
        raise UserError(
            f"none of the {self.size:,} images in {self.folder} can be read: give intact {', '.join(FORMATS)} files"
        )

    def _decoded(self, path: str) -> np.ndarray | None:
        """The image of a file, None if it cannot be read. A file with damaged content is not tried again."""
        if path in self._damaged:
            return None
        try:
            return self._reader.read(self.folder / path)
        except Exception as error:  # a damaged file may raise any exception
            if not isinstance(error, OSError) or error.errno is None:  # a system error (errno) may be temporary
                self._damaged.add(path)
            self._skip(path, error)
            return None

    def _skip(self, path: str, error: Exception) -> None:
        with self._lock:
            if path not in self.unreadable:
                self.unreadable.add(path)
                reason = " ".join(str(error).split()) or type(error).__name__
                logger.warning("skipping %r (%s): %d unreadable so far", path, reason, len(self.unreadable))


@register_dataset("folder")
def load_folder(data_dir=None, sample_shape=None) -> ImageFolder:
    """The images below --data_dir, resized to the generator's sample shape, by default 32x32 RGB.

    Raises:
        UserError: --data_dir is missing; for other errors see `ImageFolder`.
    """
    if data_dir is None:
        raise UserError("dataset 'folder' reads the images in --data_dir: give --data_dir=FOLDER")
    return ImageFolder(pathlib.Path(data_dir), sample_shape or (32, 32, 3))
