"""Which share of the global batch is being computed: that of a replica, or of one of its micro-batches.

The batch of a step is computed in equal shares. Each replica has one, and divides it among its micro-batches. Draws of
latents and of samples give the rows of the share. Means are divided by the number of shares, so that the sum over all
shares is what one replica would compute at once.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import tensorflow as tf

_Nest = TypeVar("_Nest")
_tracing = threading.local()  # a strategy traces each replica in a thread of its own


def share() -> tuple[int, tf.Tensor | int]:
    """The number of shares of the global batch, and the number of the one that is being computed.

    Outside of a step, such as under a strategy's scope, there is one share.
    """
    replicas, replica = getattr(_tracing, "replica", None) or _replica()
    parts, part = getattr(_tracing, "micro_batch", (1, 0))
    return (replicas, replica) if parts == 1 else (replicas * parts, replica * parts + part)


def _replica():
    """The number of replicas, and the number of the one that calls."""
    context = tf.distribute.get_replica_context()
    return (context.num_replicas_in_sync, context.replica_id_in_sync_group) if context else (1, 0)


@contextlib.contextmanager
def of_replica(replicas: int, replica: tf.Tensor | int) -> Iterator[None]:
    """What is traced inside computes the share of this replica: a data pipeline, which runs outside of the replicas.

    Args:
        replicas: number of replicas of all workers.
        replica: int32 scalar.
    """
    _tracing.replica = replicas, replica
    try:
        yield
    finally:
        del _tracing.replica


def rows_of_share(rows: tf.Tensor, count: tf.Tensor | int) -> tf.Tensor:
    """This share's rows of a draw for the global batch.

    Args:
        rows: [shares * count, ...].
        count: rows per share.

    Returns:
        [count, ...].
    """
    shares, number = share()
    return rows if shares == 1 else tf.reshape(rows, (shares, count, *rows.shape[1:]))[number]


def share_of_mean(per_example: tf.Tensor) -> tf.Tensor:
    """This share's summand of the mean over the global batch. Keras 3 *sums* gradients over replicas.

    Args:
        per_example: float32 [n], one value per example of this share.

    Returns:
        Scalar: the mean of these values, divided by the number of shares.
    """
    return tf.reduce_mean(per_example) / share()[0]


def accumulated(function: Callable[[tf.Tensor | int], _Nest], zeros: _Nest, micro_batches: int) -> _Nest:
    """The sum of `function(i)` over this replica's micro-batches, computed one after the other.

    Args:
        function: maps the number of a micro-batch to tensors, in any nested structure.
        zeros: zeros in that structure.
        micro_batches: their number. With 1 the function is called once, outside of any loop.

    Returns:
        The sum, tensor by tensor.
    """
    if micro_batches == 1:
        return function(0)

    def add(i, total):
        with _micro_batch(i, micro_batches):
            return i + 1, tf.nest.map_structure(tf.add, total, function(i))

    # One at a time: the memory of a micro-batch is free before the next one begins.
    _, total = tf.while_loop(lambda i, _: i < micro_batches, add, (tf.constant(0), zeros), parallel_iterations=1)
    return total


@contextlib.contextmanager
def _micro_batch(number: tf.Tensor, count: int) -> Iterator[None]:
    """What is traced inside computes micro-batch `number` of `count`."""
    _tracing.micro_batch = count, number
    try:
        yield
    finally:
        del _tracing.micro_batch
