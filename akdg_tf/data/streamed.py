"""Images that are decoded when they are needed: what a folder of files and a database of encoded images share."""

import abc
import itertools
import logging
import os
import pathlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from akdg_tf.data.image_reader import ImageReader
from akdg_tf.data.images import REAL_BATCH, to_float
from akdg_tf.data.order import rows_of, static_size
from akdg_tf.errors import UserError
from akdg_tf.places import printable

logger = logging.getLogger(__name__)

CHECKED = 500  # images that are tried when a dataset is opened; all of them would take hours for a million
NAMED = 20  # unreadable images that the log names; of further ones it gives the number


class StreamedImages(abc.ABC):
    """Images by number, decoded when they are needed, so that a million images take no memory.

    Reading an image puts it on the background, resizes it and crops it at the centre; see `ImageReader`. The images of
    a batch are decoded in parallel.

    The log names each unreadable image once, with the count so far, and after 20 images only counts. In training, the
    next image replaces an unreadable one. Metrics omit it from the real images.

    A subclass gives `name`, `items`, `split` and the methods without a body below, and calls `_check` when it is
    complete.

    Args:
        folder: where the images come from.
        size: number of images, including unreadable ones.
        reader: decodes an image.

    Attributes:
        items: what the log calls the images: "files".
        folder, size: see above.
        sample_shape: see `Dataset`.
        unreadable: what could not be read so far, by the names that `_name_of` gives.
    """

    items: str

    def __init__(self, folder: pathlib.Path, size: int, reader: ImageReader):
        self.folder, self.size, self._reader, self.sample_shape = folder, size, reader, reader.sample_shape
        self.unreadable: set[str] = set()
        self._damaged: set[int] = set()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(os.cpu_count())

    @abc.abstractmethod
    def _read(self, number: int) -> np.ndarray:
        """The image with a number, uint8 of the sample shape. Called by several threads at once.

        Raises:
            OSError: the system cannot read it; `errno` is set. It may be there again later.
            Exception: the content is damaged or not supported. Pillow may raise any exception.
        """

    @abc.abstractmethod
    def _name_of(self, number: int) -> str:
        """What the log calls an image."""

    @abc.abstractmethod
    def _check_source(self) -> None:
        """Called when an image cannot be read.

        Raises:
            UserError: the reason is that all images are gone.
        """

    @abc.abstractmethod
    def _none_readable(self) -> str:
        """The message of the error if no image can be read."""

    @abc.abstractmethod
    def digest(self) -> str:
        """SHA-256, in hex, that identifies the images and how they are read."""

    def _check(self, limit: int) -> None:
        """Tries some images, or all of a small dataset, and logs how many can be read.

        Args:
            limit: largest number of images to try. They are spread evenly over all.

        Raises:
            UserError: no image at all can be read.
        """
        numbers = range(0, self.size, -(-self.size // limit))
        readable = sum(image is not None for image in self._threads.map(self._decoded, numbers))
        if not readable:
            self.read([0])  # tries every image
        tried = f"{len(numbers):,} images tried of {self.size:,}"
        which = f"{self.size:,} images" if len(numbers) == self.size else tried
        logger.info("%s: %s of the %s can be read", printable(str(self.folder)), f"{readable:,}", which)

    def batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tf.Tensor:
        """Batch number `step`. Each epoch contains every image once, in a new order."""
        images = tf.numpy_function(self.read, [rows_of(step, size, self.size, seed)], tf.uint8, stateful=False)
        return to_float(tf.ensure_shape(images, (static_size(size), *self.sample_shape)))

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The images with these numbers, uint8 [n, height, width, channels].

        Raises:
            UserError: no image can be read, or all are gone.
        """
        return np.stack(list(self._threads.map(self._image, index)))

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The first `count` readable images in an order that the seed fixes, batch by batch.

        Yields:
            float32 [any, *sample_shape] in [-1, 1], `count` in all, or fewer if there are fewer.

        Raises:
            UserError: all images are gone.
        """
        numbers = iter(np.random.default_rng(seed).permutation(self.size))
        while batch := list(itertools.islice(numbers, min(REAL_BATCH, count))):
            images = [image for image in self._threads.map(self._decoded, batch) if image is not None]
            count -= len(images)
            if images:
                yield to_float(np.stack(images)).numpy()

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The images of `real_batches` in one array.

        Raises:
            UserError: no image can be read, or all are gone.
        """
        batches = list(self.real_batches(count, seed))
        if not batches:
            raise UserError(self._none_readable())
        return np.concatenate(batches)

    def _image(self, number: int) -> np.ndarray:
        """The image with a number, or the next one that can be read."""
        for offset in range(self.size):
            image = self._decoded((number + offset) % self.size)
            if image is not None:
                return image
        raise UserError(self._none_readable())

    def _decoded(self, number: int) -> np.ndarray | None:
        """The image with a number, None if it cannot be read. Damaged content is not tried again.

        Raises:
            UserError: all images are gone.
        """
        if number in self._damaged:
            return None
        try:
            return self._read(number)
        except Exception as error:  # a damaged image may raise any exception
            self._check_source()
            if not isinstance(error, OSError) or error.errno is None:  # a system error (errno) may be temporary
                self._damaged.add(number)
            self._skip(self._name_of(number), error)
            return None

    def _skip(self, name: str, error: Exception) -> None:
        """Notes an unreadable image, and logs it: the first ones by name, then whenever their number has doubled."""
        with self._lock:  # also around the log, so that its counts are in order
            if name in self.unreadable:
                return
            self.unreadable.add(name)
            count = len(self.unreadable)
            if count <= NAMED:
                reason = " ".join(str(error).split()) or type(error).__name__
                logger.warning("skipping %r (%s): %d unreadable so far", name, reason, count)
            elif count % NAMED == 0 and (count // NAMED).bit_count() == 1:
                logger.warning("skipping unreadable %s: %d so far", self.items, count)
