"""What one of several workers, the chief, does for all: it writes, makes what is made once, and restores."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError

WORD = 8  # bytes of an int64: what all workers are sent goes as a sum of int64, which is exact


def workers(strategy: tf.distribute.Strategy) -> int:
    """Number of processes that train together."""
    spec = _cluster(strategy)
    return sum(spec.num_tasks(job) for job in spec.jobs) if spec else 1


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run folder. The chief is the job "chief", or the worker 0."""
    spec = _cluster(strategy)
    if spec is None:
        return True
    resolver = strategy.cluster_resolver
    return (resolver.task_type, resolver.task_id) == ("chief" if "chief" in spec.jobs else "worker", 0)


def _cluster(strategy):
    """The cluster of a strategy; None if it has one process."""
    cluster = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and strategy.cluster_resolver
    return cluster.cluster_spec() if cluster else None


@contextlib.contextmanager
def first(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """What is done inside is done by the chief first, then by all other workers at once.

    The other workers wait without end, but not for a chief that has stopped: then TensorFlow raises an error. Nothing
    inside may create variables under the strategy's scope, because workers do that together.
    """
    if not is_chief(strategy):
        _wait(strategy)
    yield
    if is_chief(strategy):
        _wait(strategy)


def _wait(strategy):
    """Waits until all workers are here."""
    from_chief(strategy, [np.zeros(1)])


def from_chief(strategy: tf.distribute.Strategy, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The chief's arrays, bit for bit. All workers must call it, with arrays of the same shapes and dtypes."""
    if workers(strategy) == 1:
        return list(arrays)
    content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    words = np.frombuffer(content + bytes(-len(content) % WORD), np.int64)

    def sent(context):
        return tf.constant(words if context.replica_id_in_sync_group == 0 else np.zeros_like(words))

    replicas = strategy.experimental_distribute_values_from_function(sent)
    received = strategy.reduce(tf.distribute.ReduceOp.SUM, replicas, axis=None).numpy().tobytes()
    ends = np.cumsum([0, *(array.nbytes for array in arrays)])
    parts = zip(arrays, ends[:-1], ends[1:], strict=True)
    return [np.frombuffer(received[i:j], array.dtype).reshape(array.shape) for array, i, j in parts]


def check_same(strategy: tf.distribute.Strategy, what: str) -> None:
    """Checks that all workers were given the same.

    Args:
        strategy: the strategy of all workers.
        what: all that must be the same, as text.

    Raises:
        UserError: this worker differs from the chief.
    """
    mine = np.frombuffer(hashlib.sha256(what.encode()).digest(), np.int64)
    if not np.array_equal(from_chief(strategy, [mine])[0], mine):
        raise UserError(
            "this worker has another configuration, other data or another teacher than the chief: start all workers "
            "with the same command, from the same files"
        )
