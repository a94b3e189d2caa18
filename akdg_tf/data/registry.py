"""Datasets by name, and the pipeline that feeds them to `fit`."""

import functools
import os
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError


class Dataset(Protocol):
    """What the training and the metrics ask of a dataset.

    Attributes:
        name: the registered name.
        split: what the samples are, for the record of a score: "train (5,000)".
        sample_shape: (height, width, channels), or (2,) of points.
    """

    name: str
    split: str
    sample_shape: tuple[int, ...]

    def batch(self, step: tf.Tensor, size: int, seed: int) -> tf.Tensor:
        """Batch number `step`, float32 [size, *sample_shape] in [-1, 1]; follows from (seed, step) alone."""

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The first `count` samples for a metric, float32 [n <= count, *sample_shape] in [-1, 1]."""

    def digest(self) -> str | None:
        """SHA-256, in hex, that tells these samples from others; None of an endless dataset."""


class ImageDataset(Dataset, Protocol):
    """What `ImageScores` asks of a dataset beyond that.

    Attributes:
        size: number of images.
    """

    size: int

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The images of `reals`, batch by batch, float32 [any, height, width, channels] in [-1, 1]."""


_LOADERS: dict[str, Callable[[str | os.PathLike | None, tuple[int, ...] | None], Dataset]] = {}
_WITHOUT_FOLDER: set[str] = set()  # names of the datasets that read no data folder


def register_dataset(name: str, reads_folder: bool = True):
    """Decorator: registers a function that returns a `Dataset`.

    It is called with the data folder and the shape of the samples that are wanted. Either may be None. A dataset whose
    samples have a shape of their own ignores the second.

    Args:
        name: what `Data.name` binds.
        reads_folder: whether it reads files of the data folder. If not, a data folder that is given is an error.
    """

    def decorator(loader):
        _LOADERS[name] = loader
        if not reads_folder:
            _WITHOUT_FOLDER.add(name)
        return loader

    return decorator


def check_name(name: str) -> str:
    """Returns the name of a registered dataset.

    Raises:
        UserError: there is none of that name.
    """
    if name not in _LOADERS:
        raise UserError(f"unknown dataset {name!r}: choose one of {', '.join(sorted(_LOADERS))}")
    return name


def reads_folder(name: str) -> bool:
    """Whether a registered dataset reads files of the data folder."""
    return check_name(name) not in _WITHOUT_FOLDER


@functools.cache
def load_dataset(
    name: str, data_dir: str | os.PathLike | None = None, sample_shape: tuple[int, ...] | None = None
) -> Dataset:
    """Loads a registered dataset; a second call gives the same object.

    Args:
        name: a registered name.
        data_dir: folder with the files, where the dataset reads any.
        sample_shape: shape of the samples, where the dataset can give them any.

    Returns:
        The dataset.

    Raises:
        UserError: the name is unknown, the data cannot be had, or a folder is given to a dataset that reads none.
    """
    if data_dir is not None and not reads_folder(name):
        raise UserError(
            f"dataset {name!r} reads no --data_dir: leave that out, or bind Data.name='folder' to train on its images"
        )
    return _LOADERS[check_name(name)](data_dir, sample_shape)


def by_step(batch: Callable[[tf.Tensor], tf.Tensor], start: int, stop: int) -> tf.data.Dataset:
    """The pipeline of `batch(start)` ... `batch(stop - 1)`: resuming is to begin at another number."""
    options = tf.data.Options()
    # Nothing is left to tune, and the tuner's thread holds up the end of `fit` for up to 60 s. The strategy's sharding
    # would start it again; a batch is the global one, which the strategy splits over its replicas by itself.
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    steps = tf.data.Dataset.range(start, stop)
    return steps.map(batch, num_parallel_calls=2).prefetch(8).with_options(options)
