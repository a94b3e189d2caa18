"""Datasets by name, and the pipeline that feeds them to `fit`."""

import functools
import os
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.places import expanded

PARALLEL, PREFETCHED, PREFETCHED_BYTES = 2, 8, 2**29  # batches that are made at once, and in advance


class Dataset(Protocol):
    """What training and metrics require of a dataset."""

    @property
    def name(self) -> str:
        """The registered name."""

    @property
    def split(self) -> str:
        """Description of the samples, recorded with each score: "train (5,000)"."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(height, width, channels), or (2,) for points."""

    def batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tf.Tensor:
        """Batch number `step`, float32 [size, *sample_shape] in [-1, 1]; depends only on (seed, step).

        Args:
            step: int64 scalar.
            size: samples per share of the batch: a number, or an int32 or int64 scalar if it changes with the step.
                There is one share, unless several workers train; see `shares.share`. A share holds its own rows of the
                batch, which `order.rows_of` and `shares.rows_of_share` give.
            seed: fixes the samples of all steps.
        """

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The first `count` samples for a metric, float32 [n <= count, *sample_shape] in [-1, 1]."""

    def digest(self) -> str | None:
        """SHA-256, in hex, that identifies the samples; None for an endless dataset."""


class ImageDataset(Dataset, Protocol):
    """What `ImageScores` requires of a dataset in addition."""

    @property
    def size(self) -> int:
        """Number of images."""

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The images of `reals`, batch by batch, float32 [any, height, width, channels] in [-1, 1]."""


_LOADERS: dict[str, Callable[..., Dataset]] = {}
_WITHOUT_FOLDER: set[str] = set()  # names of the datasets that read no data folder
_OPTIONS: dict[str, tuple[str, ...]] = {}  # further arguments of a loader, by the name of its dataset


def register_dataset(name: str, reads_folder: bool = True, options: tuple[str, ...] = ()):
    """Decorator that registers a function returning a `Dataset`.

    The function is called with the data folder and the requested sample shape. Either may be None. A dataset with a
    fixed shape ignores the request.

    Args:
        name: the name that `Data.name` binds.
        reads_folder: whether the dataset reads files in the data folder. If not, it is an error to give a data folder.
        options: names of further arguments of the function, such as "background".
    """

    def decorator(loader):
        _LOADERS[name], _OPTIONS[name] = loader, options
        if not reads_folder:
            _WITHOUT_FOLDER.add(name)
        return loader

    return decorator


def check_name(name: str) -> str:
    """Returns `name` if a dataset is registered under it.

    Raises:
        UserError: no dataset has that name.
    """
    if name not in _LOADERS:
        raise UserError(f"unknown dataset {name!r}: choose one of {', '.join(sorted(_LOADERS))}")
    return name


def reads_folder(name: str) -> bool:
    """Whether a registered dataset reads files in the data folder; for errors see `check_name`."""
    return check_name(name) not in _WITHOUT_FOLDER


@functools.cache
def load_dataset(
    name: str, data_dir: str | os.PathLike | None = None, sample_shape: tuple[int, ...] | None = None, **options
) -> Dataset:
    """Loads a registered dataset. A second call returns the same object.

    Args:
        name: a registered name.
        data_dir: folder with the files, for a dataset that reads files.
        sample_shape: requested shape of the samples, for a dataset that can resize them.
        **options: what else the dataset takes, such as `background` of "folder".

    Returns:
        The dataset.

    Raises:
        UserError: the name is unknown, the data cannot be read or downloaded, or `data_dir` or an option is given to a
            dataset that does not read it.
    """
    if data_dir is not None and not reads_folder(name):
        raise UserError(
            f"dataset {name!r} does not read --data_dir: omit it, or bind Data.name='folder' to train on its images"
        )
    loader = _LOADERS[check_name(name)]
    for option in options:
        if option not in _OPTIONS.get(name, ()):
            raise UserError(f"dataset {name!r} takes no {option}: omit it, or bind no Data.{option}")
    return loader(_existing(data_dir), sample_shape, **options)


def _existing(data_dir: str | os.PathLike | None) -> str | os.PathLike | None:
    """A data folder with its ~ expanded. Whether it exists is for its dataset to say.

    Raises:
        UserError: it is a file.
    """
    folder = data_dir if data_dir is None else expanded(data_dir)
    if folder is not None and os.path.isfile(folder):
        raise UserError(f"{data_dir} is a file: give the folder with the data; unpack an archive first")
    return folder


def by_step(batch: Callable[[tf.Tensor], tf.Tensor], start: int, stop: int) -> tf.data.Dataset:
    """The pipeline of `batch(start)`, ..., `batch(stop - 1)`. A resumed run begins at a later step."""
    options = tf.data.Options()
    # There is nothing to tune, and the tuner's thread delays the end of `fit` by up to 60 s. The strategy's automatic
    # sharding would turn it on again. Sharding is not needed: the strategy splits each global batch over its replicas.
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    batches = tf.data.Dataset.range(start, stop).map(batch, num_parallel_calls=PARALLEL)
    return batches.prefetch(_prefetched(batches.element_spec)).with_options(options)


def _prefetched(spec) -> int:
    """Batches that are made in advance: fewer of large ones, so that they fit into memory."""
    sizes = [tensor.dtype.size * (tensor.shape.num_elements() or 0) for tensor in tf.nest.flatten(spec)]
    return max(1, min(PREFETCHED, PREFETCHED_BYTES // max(1, sum(sizes))))
