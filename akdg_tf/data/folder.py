"""Any folder of images, nested as it may be: read file by file as they are needed, so that a million files work."""

import errno
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
from PIL import Image, ImageOps

from akdg_tf import latents
from akdg_tf.data.images import REAL_BATCH, to_float
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
FORMATS = ("PNG", "JPEG", "WEBP")  # whatever a file's name says: Pillow hands other formats to other programs
MODES = {1: "L", 3: "RGB"}


class ImageFolder:
    """The PNG, JPEG and WebP files below a folder, resized and cropped at the centre when they are read.

    A file that cannot be read is named in the log once, with the count so far. In training the next one stands in for
    it; among the real images of a metric it is left out.

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
        self.folder, self.sample_shape = folder.resolve(), tuple(sample_shape)
        self.paths = sorted(_image_files(folder))
        self.size, self.split = len(self.paths), f"{len(self.paths):,} files of {self.folder.name}"
        self.unreadable: set[str] = set()
        self._damaged: set[str] = set()
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
        """The first `count` images, or all there are, of an order fixed by the seed, float32 [any, *sample_shape]."""
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
        """Of the files' names, sizes and times, and of the shape that they are brought to."""
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
        """The image of a number, or of the first one after it that can be read."""
        for offset in range(self.size):
            image = self._decoded(self.paths[(number + offset) % self.size])
            if image is not None:
                return image
        raise UserError(f"none of the {self.size:,} images in {self.folder} can be read")

    def _decoded(self, path: str) -> np.ndarray | None:
        """The image of a file, None if it cannot be read; one whose content is damaged is not tried again."""
        if path in self._damaged:
            return None
        try:
            return self._decode(self.folder / path)
        except Exception as error:  # a damaged file may raise anything
            if not isinstance(error, OSError) or error.errno is None:  # else the system's reason, which may pass
                self._damaged.add(path)
            self._skip(path, error)
            return None

    def _decode(self, path: pathlib.Path) -> np.ndarray:
        height, width, channels = self.sample_shape
        if not path.is_file():  # opening a pipe would wait for ever
            raise OSError(errno.ENOENT, "not a file")
        with Image.open(path, formats=FORMATS) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits, which Pillow would clip to 8
                upright = Image.fromarray((np.asarray(upright) / 256).clip(0, 255).astype(np.uint8))
            fitted = ImageOps.fit(upright.convert(MODES[channels]), (width, height), Image.Resampling.BICUBIC)
        return np.asarray(fitted).reshape(self.sample_shape)

    def _skip(self, path: str, error: Exception) -> None:
        with self._lock:
            if path not in self.unreadable:
                self.unreadable.add(path)
                reason = " ".join(str(error).split()) or type(error).__name__
                logger.warning("skipping %r (%s): %d unreadable so far", path, reason, len(self.unreadable))


def _image_files(folder: pathlib.Path) -> Iterator[str]:
    """Paths of the image files below a folder, relative to it; a folder that links lead to again is entered once."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        base = os.path.relpath(parent, folder)
        yield from (os.path.normpath(os.path.join(base, name)) for name in names if name.lower().endswith(SUFFIXES))


@register_dataset("folder")
def load_folder(data_dir=None, sample_shape=None) -> ImageFolder:
    """The images below --data_dir, brought to the shape that the generator makes, by default 32x32 RGB."""
    if data_dir is None:
        raise UserError("dataset 'folder' reads the images of a folder: give --data_dir=FOLDER")
    return ImageFolder(pathlib.Path(data_dir), sample_shape or (32, 32, 3))
