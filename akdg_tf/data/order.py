"""Which samples a batch holds: a function of (seed, step), whether its size is a number or a tensor."""

import tensorflow as tf

from akdg_tf import latents


def rows_of(step: tf.Tensor, size: int | tf.Tensor, total: int, seed: int) -> tf.Tensor:
    """The samples of batch number `step` in this share. Each epoch contains every sample once, in a new order.

    Args:
        step: int64 scalar.
        size: samples per share of the batch, see `shares.share`: a number, or an int32 or int64 scalar.
        total: number of samples.
        seed: fixes the orders.

    Returns:
        int64 [size] in [0, total).
    """
    return latents.shuffled(latents.positions(size, step), total, (seed, 0))


def static_size(size: int | tf.Tensor) -> int | None:
    """The size of a batch for a static shape: None if only the pipeline, as it runs, knows it."""
    return size if isinstance(size, int) else None
