"""Latents from stateless random numbers: a draw depends only on (seed, stream, step)."""

import math
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.shares import share

SAMPLING_BATCH, SAMPLING_PIXELS = 250, 2**21  # largest number of samples per call of a generator, and of their pixels
# Streams: with the same seed, their numbers are independent.
STUDENT, TEACHER, EVALUATION, BANK, PROBE, ADVERSARIES, CALIBRATION = 1, 2, 3, 4, 5, 6, 7


def latent_dim_of(generator: keras.Model) -> int:
    """Size of the latent of a Keras generator: its `latent_dim`, or the last axis of its input."""
    return generator.latent_dim if hasattr(generator, "latent_dim") else generator.input_shape[-1]


def sample_shape_of(generator: keras.Model) -> tuple[int, ...]:
    """Shape of one sample of a Keras generator: (height, width, channels) of an image, (2,) of a point."""
    return tuple(generator(tf.zeros((1, latent_dim_of(generator)))).shape[1:])


def draw(prior: str, count: tf.Tensor, dim: int, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
    """The rows of the global draw of `step` that belong to this share of the batch.

    Args:
        prior: "normal", N(0, I), or "uniform", U(-1, 1).
        count: rows per share.
        dim: size of the latent.
        seed: (seed, stream).
        step: int64 scalar.

    Returns:
        float32 [count, dim].

    Raises:
        ValueError: the prior is unknown.
    """
    shares, number = share()
    shape = (count * shares, dim)
    key = tf.random.fold_in(tf.constant(seed, tf.int64), step)
    if prior == "normal":
        rows = tf.random.stateless_normal(shape, key)
    elif prior == "uniform":
        rows = tf.random.stateless_uniform(shape, key, -1.0, 1.0)
    else:
        raise ValueError(f"unknown prior {prior!r}: 'normal' or 'uniform'")
    return rows[number * count : (number + 1) * count]


def positions(count: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """This share's positions in the endless sequence of samples; each step takes the next global batch.

    Args:
        count: rows per share.
        step: int64 scalar.

    Returns:
        int64 [count].
    """
    shares, number = share()
    count = tf.cast(count, tf.int64)
    first = (step * shares + tf.cast(number, tf.int64)) * count
    return first + tf.range(count)


def shuffled(position: tf.Tensor, size: int, seed: tuple[int, int]) -> tf.Tensor:
    """The item at each position of a sequence that visits all of `size` items, pass after pass, shuffled.

    Args:
        position: int64 [n].
        size: items per pass; every pass has a different order.
        seed: two numbers that fix the orders.

    Returns:
        int64 [n] in [0, size).
    """
    size = tf.constant(size, tf.int64)
    count, (first, second) = tf.size(position), (tf.constant(number, tf.int64) for number in seed)
    key = tf.stack([tf.fill([count], first), position // size, tf.fill([count], second)], axis=1)
    # The raw op, because its Python wrapper takes one seed instead of one per index.
    return tf.raw_ops.RandomIndexShuffle(index=position % size, seed=key, max_index=size - 1, rounds=4)


def batch_size(sample_shape: Sequence[int], most: int = SAMPLING_BATCH, pixels: int = SAMPLING_PIXELS) -> int:
    """Samples per call of a generator: fewer of large images, so that its feature maps fit into memory.

    Args:
        sample_shape: shape of one sample.
        most: largest number of samples.
        pixels: largest number of pixels of all samples together; a single sample may have more.
    """
    return max(1, min(most, pixels // math.prod(sample_shape[:2])))


def sample_batches(
    generator: Callable[[tf.Tensor], tf.Tensor],
    prior: str,
    dim: int,
    count: int,
    seed: int,
    batch: int = SAMPLING_BATCH,
) -> Iterator[np.ndarray]:
    """Samples a generator from the evaluation stream, batch by batch; a seed fixes the sequence of samples.

    Args:
        generator: latents to samples.
        prior: "normal" or "uniform".
        dim: size of the latent.
        count: samples.
        seed: seed of the latents.
        batch: largest number of samples per call of the generator; it does not change the samples.

    Yields:
        float32 [any, *sample_shape], `count` in all.
    """
    for step in range(-(-count // SAMPLING_BATCH)):
        z = draw(prior, SAMPLING_BATCH, dim, (seed, EVALUATION), tf.constant(step, tf.int64))
        z = z[: count - step * SAMPLING_BATCH]
        for start in range(0, len(z), batch):
            yield np.asarray(generator(z[start : start + batch]))


def sample(
    generator: Callable[[tf.Tensor], tf.Tensor],
    prior: str,
    dim: int,
    count: int,
    seed: int,
    batch: int = SAMPLING_BATCH,
) -> np.ndarray:
    """The samples of `sample_batches` in one array, float32 [count, *sample_shape]."""
    return np.concatenate(list(sample_batches(generator, prior, dim, count, seed, batch)))
