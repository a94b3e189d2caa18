"""Latents from stateless random numbers: a draw depends only on (seed, stream, step)."""

import math
import re
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.shares import rows_of_share, share

SAMPLING_BATCH, SAMPLING_PIXELS = 250, 2**21  # largest number of samples per call of a generator, and of their pixels
# Streams: with the same seed, their numbers are independent.
STUDENT, TEACHER, EVALUATION, BANK, PROBE, ADVERSARIES, CALIBRATION, FLIPS = 1, 2, 3, 4, 5, 6, 7, 8
NORMAL = "normal"  # N(0, I), the prior of our generators
PRIORS = "'normal', 'uniform', or 'normal, N classes'"
_WITH_CLASSES = re.compile(r"normal, ([1-9]\d{0,5}) classes")


def is_prior(name: object) -> bool:
    """Whether there is a prior of this name; see `draw`."""
    return isinstance(name, str) and (name in ("normal", "uniform") or bool(_WITH_CLASSES.fullmatch(name)))


def classes_in(prior: str) -> int:
    """How many entries at the end of a latent are the label, one-hot; 0 if the prior has no labels."""
    found = _WITH_CLASSES.fullmatch(prior)
    return int(found[1]) if found else 0


def classes_of(network: keras.Model) -> int:
    """The classes of a class-conditional generator or discriminator: its attribute `classes`, 0 if it has none."""
    return getattr(network, "classes", 0)


def prior_of(generator: keras.Model) -> str:
    """The prior of a Keras generator: normal, with the labels of its classes if it has any."""
    classes = classes_of(generator)
    return f"normal, {classes} classes" if classes else NORMAL


def labels_in(z: tf.Tensor, prior: str) -> tf.Tensor | None:
    """The labels of latents, one-hot, float32 [n, classes]; None if the prior has no labels."""
    classes = classes_in(prior)
    return z[:, -classes:] if classes else None


def with_label(z: tf.Tensor, prior: str, label: int) -> tf.Tensor:
    """Latents of a prior with labels, all of which get this label in [0, classes)."""
    classes = classes_in(prior)
    return tf.concat([z[:, :-classes], tf.one_hot(tf.fill([tf.shape(z)[0]], label), classes)], 1)


def latent_dim_of(generator: keras.Model) -> int:
    """Size of the latent of a Keras generator: its `latent_dim`, or the last axis of its input."""
    return generator.latent_dim if hasattr(generator, "latent_dim") else generator.input_shape[-1]


def sample_shape_of(generator: keras.Model) -> tuple[int, ...]:
    """Shape of one sample of a Keras generator: (height, width, channels) of an image, (2,) of a point."""
    return tuple(generator(tf.zeros((1, latent_dim_of(generator)))).shape[1:])


def draw(prior: str, count: tf.Tensor, dim: int, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
    """The rows of the global draw of `step` that belong to this share of the batch.

    Args:
        prior: "normal", N(0, I); "uniform", U(-1, 1); or "normal, 10 classes": the last 10 entries are a random label,
            one-hot, and the others N(0, I).
        count: rows per share.
        dim: size of the latent.
        seed: (seed, stream).
        step: int64 scalar.

    Returns:
        float32 [count, dim].

    Raises:
        ValueError: the prior is unknown.
    """
    shape = (count * share()[0], dim)
    key = tf.random.fold_in(tf.constant(seed, tf.int64), step)
    if prior == "normal":
        rows = tf.random.stateless_normal(shape, key)
    elif prior == "uniform":
        rows = tf.random.stateless_uniform(shape, key, -1.0, 1.0)
    elif is_prior(prior):
        classes = classes_in(prior)
        labels = tf.random.stateless_uniform(shape[:1], tf.random.fold_in(key, 1), 0, classes, tf.int32)
        noise = tf.random.stateless_normal((shape[0], dim - classes), key)
        rows = tf.concat([noise, tf.one_hot(labels, classes)], 1)
    else:
        raise ValueError(f"unknown prior {prior!r}: {PRIORS}")
    return rows_of_share(rows, count)


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
    label: int | None = None,
) -> Iterator[np.ndarray]:
    """Samples a generator from the evaluation stream, batch by batch; a seed fixes the sequence of samples.

    Args:
        generator: latents to samples.
        prior: see `draw`.
        dim: size of the latent.
        count: samples.
        seed: seed of the latents.
        batch: largest number of samples per call of the generator; it does not change the samples.
        label: label of all samples, if the prior has labels; None draws them at random.

    Yields:
        float32 [any, *sample_shape], `count` in all.
    """
    for step in range(-(-count // SAMPLING_BATCH)):
        z = draw(prior, SAMPLING_BATCH, dim, (seed, EVALUATION), tf.constant(step, tf.int64))
        z = z[: count - step * SAMPLING_BATCH]
        z = z if label is None else with_label(z, prior, label)
        for start in range(0, len(z), batch):
            yield np.asarray(generator(z[start : start + batch]))


def sample(
    generator: Callable[[tf.Tensor], tf.Tensor],
    prior: str,
    dim: int,
    count: int,
    seed: int,
    batch: int = SAMPLING_BATCH,
    label: int | None = None,
) -> np.ndarray:
    """The samples of `sample_batches` in one array, float32 [count, *sample_shape]."""
    return np.concatenate(list(sample_batches(generator, prior, dim, count, seed, batch, label)))
