"""Latents by stateless random numbers: what is drawn follows from (seed, stream, step) and nothing else."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

SAMPLING_BATCH = 250
STUDENT, TEACHER, EVALUATION = 1, 2, 3  # streams: one seed gives each its own, independent numbers


def latent_dim_of(generator: keras.Model) -> int:
    """Size of the latent of a Keras generator: its `latent_dim`, or the last axis of its input."""
    return generator.latent_dim if hasattr(generator, "latent_dim") else generator.input_shape[-1]


def draw(prior: str, count: tf.Tensor, dim: int, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
    """This replica's rows of the global draw of `step`.

    Args:
        prior: "normal", N(0, I), or "uniform", U(-1, 1).
        count: rows of one replica.
        dim: size of the latent.
        seed: (seed, stream).
        step: int64 scalar.

    Returns:
        float32 [count, dim].

    Raises:
        ValueError: the prior is unknown.
    """
    context = tf.distribute.get_replica_context()
    shape = (count * context.num_replicas_in_sync, dim)
    key = tf.random.fold_in(tf.constant(seed, tf.int64), step)
    if prior == "normal":
        rows = tf.random.stateless_normal(shape, key)
    elif prior == "uniform":
        rows = tf.random.stateless_uniform(shape, key, -1.0, 1.0)
    else:
        raise ValueError(f"unknown prior {prior!r}: 'normal' or 'uniform'")
    start = context.replica_id_in_sync_group * count
    return rows[start : start + count]


def sample(generator: Callable[[tf.Tensor], tf.Tensor], prior: str, dim: int, count: int, seed: int) -> np.ndarray:
    """Samples a generator from the evaluation stream, batch by batch; the first n of a seed are always the same.

    Args:
        generator: latents to samples.
        prior: "normal" or "uniform".
        dim: size of the latent.
        count: samples.
        seed: seed of the latents.

    Returns:
        float32 [count, *sample_shape].
    """
    rows = []
    for step in range(-(-count // SAMPLING_BATCH)):
        z = draw(prior, SAMPLING_BATCH, dim, (seed, EVALUATION), tf.constant(step, tf.int64))
        rows.append(np.asarray(generator(z)))
    return np.concatenate(rows)[:count]


def sample_frozen(generator, count: int, seed: int) -> np.ndarray:
    """The first `count` samples of a `Teacher`, or of any frozen generator like it, for a seed; see `sample`."""
    return sample(tf.function(generator), generator.prior, generator.latent_dim, count, seed)
