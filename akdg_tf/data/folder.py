"""A folder of images, at any depth. Files are read only when they are needed, so that a million files work."""

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
from akdg_tf.data import image_reader
from akdg_tf.data.folder_digest import FolderDigest
from akdg_tf.data.image_files import SUFFIXES, ImageFiles, find_images
from akdg_tf.data.image_reader import FORMATS, WHITE, Color, ImageReader
from akdg_tf.data.images import REAL_BATCH, to_float
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError
from akdg_tf.places import printable

logger = logging.getLogger(__name__)

CHECKED = 500  # files that are tried when a folder is opened; all of them would take hours for a million
NAMED = 20  # unreadable files that the log names; of further ones it gives the number


class ImageFolder:
    """The image files below a folder: PNG, JPEG, WebP, TIFF, BMP, and the first frame of GIF.

    Hidden files and run folders are left out; see `find_images`. Reading an image puts it on the background, resizes it
    and crops it at the centre; see `ImageReader`.

    When the folder is opened, up to 500 files are tried, spread evenly over it, and the log says how many of them can
    be read. The log names each unreadable file once, with the count so far, and after 20 files only counts. In
    training, the next file replaces an unreadable one. Metrics omit it from the real images.

    Args:
        folder: folder that holds the files, at any depth.
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.
        background: the color behind transparent pixels, (red, green, blue) from 0 to 255.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`. The size includes unreadable files.
        unreadable: relative paths of the files that could not be read so far.

    Raises:
        UserError: the folder does not exist or holds no readable image, or the shape is not that of an image.
    """

    name = "folder"

    def __init__(self, folder: pathlib.Path, sample_shape: Sequence[int], background: Color = WHITE):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: give --data_dir=FOLDER")
        self._reader = ImageReader(sample_shape, background)
        self.folder, self.sample_shape = folder.resolve(), self._reader.sample_shape
        files = find_images(folder)
        files.log(self.folder)
        if not files.paths:
            raise UserError(_no_image(folder, files))
        self.paths, self.size = files.paths, len(files.paths)
        self.split = f"{self.size:,} files of {printable(self.folder.name)}"
        self.unreadable: set[str] = set()
        self._damaged: set[str] = set()
        self._lock = threading.Lock()
        self._readers = ThreadPoolExecutor(os.cpu_count())
        self._digest = FolderDigest(self.folder, self.paths)
        self._check()

    def _check(self) -> None:
        """Tries some files, or all of a small folder, and logs how many can be read.

        Raises:
            UserError: no file of the folder can be read.
        """
        paths = self.paths[:: -(-self.size // CHECKED)]
        readable = sum(image is not None for image in self._readers.map(self._decoded, paths))
        if not readable:
            self.read([0])  # tries every file
        which = f"{self.size:,} images" if len(paths) == self.size else f"{len(paths):,} images tried of {self.size:,}"
        logger.info("%s: %s of the %s can be read", self.folder, f"{readable:,}", which)

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

        Raises:
            UserError: the folder is gone.
        """
        paths = (self.paths[number] for number in np.random.default_rng(seed).permutation(self.size))
        while batch := list(itertools.islice(paths, min(REAL_BATCH, count))):
            images = [image for image in self._readers.map(self._decoded, batch) if image is not None]
            count -= len(images)
            if images:
                yield to_float(np.stack(images)).numpy()

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The images of `real_batches` in one array.

        Raises:
            UserError: no file of the folder can be read.
        """
        batches = list(self.real_batches(count, seed))
        if not batches:
            raise UserError(self._none_readable())
        return np.concatenate(batches)

    def digest(self) -> str:
        """SHA-256, in hex, of the files and of how they are read: the sample shape, the background and the reader.

        A folder keeps its digest when it is moved or copied. See `FolderDigest` for what it covers.
        """
        return self._digest.of(self.sample_shape, self._reader.background, image_reader.VERSION)

    def _image(self, number: int) -> np.ndarray:
        """The image with a number, or the next one that can be read."""
        for offset in range(self.size):
            image = self._decoded(self.paths[(number + offset) % self.size])
            if image is not None:
                return image
        raise UserError(self._none_readable())

    def _none_readable(self) -> str:
        formats = ", ".join(FORMATS)
        return f"none of the {self.size:,} images in {self.folder} can be read: bring back intact {formats} files"

    def _decoded(self, path: str) -> np.ndarray | None:
        """The image of a file, None if it cannot be read. A file with damaged content is not tried again.

        Raises:
            UserError: the folder is gone.
        """
        if path in self._damaged:
            return None
        try:
            return self._reader.read(self.folder / path)
        except Exception as error:  # a damaged file may raise any exception
            if not self.folder.is_dir():
                raise UserError(f"the data folder {self.folder} is gone: bring it back") from None
            if not isinstance(error, OSError) or error.errno is None:  # a system error (errno) may be temporary
                self._damaged.add(path)
            self._skip(path, error)
            return None

    def _skip(self, path: str, error: Exception) -> None:
        """Notes an unreadable file, and logs it: the first ones by name, then whenever their number has doubled."""
        with self._lock:
            if path in self.unreadable:
                return
            self.unreadable.add(path)
            count = len(self.unreadable)
        if count <= NAMED:
            reason = " ".join(str(error).split()) or type(error).__name__
            logger.warning("skipping %r (%s): %d unreadable so far", path, reason, count)
        elif count % NAMED == 0 and (count // NAMED).bit_count() == 1:
            logger.warning("skipping unreadable files: %d so far", count)


def _no_image(folder: pathlib.Path, files: ImageFiles) -> str:
    """Why a folder holds no image."""
    others = [
        *([files.others()] if files.not_read else []),
        *([f"{files.left_out} left out"] if files.left_out else []),
    ]
    found = f" (found {', '.join(others)})" if others else ""
    return f"there is no image in {folder}: it must hold {', '.join(SUFFIXES)} files, at any depth{found}"


@register_dataset("folder", options=("background",))
def load_folder(data_dir=None, sample_shape=None, background: Color = WHITE) -> ImageFolder:
    """The images below --data_dir, resized to the generator's sample shape, by default 32x32 RGB.

    Args:
        data_dir: folder that holds the images.
        sample_shape: see `ImageFolder`.
        background: see `ImageFolder`.

    Raises:
        UserError: --data_dir is missing; for other errors see `ImageFolder`.
    """
    if data_dir is None:
        raise UserError("dataset 'folder' reads the images in --data_dir: give --data_dir=FOLDER")
    return ImageFolder(pathlib.Path(data_dir), sample_shape or (32, 32, 3), background)
