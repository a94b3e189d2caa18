"""What the chief does for all workers; with one worker, nothing. Two workers are in `tests/cli/test_workers.py`."""

import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_trainer, mirrored

from akdg_tf import GAN
from akdg_tf.data import by_step, load_dataset
from akdg_tf.data.images import shifted_and_flipped
from akdg_tf.shares import share
from akdg_tf.training import chief
from akdg_tf.training.failures import failure_of, is_lost_worker
from akdg_tf.training.worker_steps import train_function, worker_batches

DEVICES = ("CPU:0", "CPU:1")


def test_a_process_alone_is_the_chief_and_waits_for_nobody():
    strategy = mirrored(DEVICES)
    assert (chief.workers(strategy), chief.is_chief(strategy)) == (1, True)
    with chief.first(strategy):
        pass
    chief.check_same(strategy, "anything")
    array = np.arange(3)
    assert chief.from_chief(strategy, [array])[0] is array


@pytest.mark.parametrize(
    ("said", "who"),
    [
        (
            "Socket closed\nAdditional GRPC error information from remote target /job:worker/replica:0/task:3",
            "worker 3",
        ),
        ("Error reported from /job:chief/task:0: The tasks are unhealthy", "chief 0"),
        ("Deadline Exceeded\n\nRPC: /tensorflow.CoordinationService/Heartbeat", "another worker"),
    ],
)
def test_an_error_of_a_collective_names_the_worker_that_has_stopped(said, who):
    here = "{{function_node __wrapped__CollectiveReduceV2_device_/job:worker/replica:0/task:1/device:CPU:0}}"
    error = tf.errors.UnavailableError(None, None, f"{here} Collective ops is aborted by: {said}")
    assert is_lost_worker(error) and failure_of(error).startswith(f"{who} of the cluster has stopped")
    assert not is_lost_worker(tf.errors.UnavailableError(None, None, said))


def images(step):
    whole = tf.random.stateless_uniform((8, *SAMPLE_SHAPE), tf.stack([tf.constant(1, tf.int64), step]), -1.0, 1.0)
    count, number = share()
    return whole if count == 1 else tf.reshape(whole, (count, -1, *SAMPLE_SHAPE))[number]


def points(step):
    return load_dataset("ring").batch(step, 8 // share()[0], 1)


def moved_digits(step):
    dataset = load_dataset("mnist5k")
    return shifted_and_flipped(dataset.batch(step, 8 // share()[0], 1), 2, 3, step)


@pytest.mark.parametrize("batch", [points, moved_digits], ids=["points", "moved_digits"])
def test_the_replicas_of_a_worker_get_the_rows_of_the_global_batch_in_order(batch):
    strategy = mirrored(DEVICES)
    pipeline = iter(worker_batches(strategy, batch, 2, 4))
    for whole in by_step(batch, 2, 4):
        parts = strategy.experimental_local_results(next(pipeline))
        assert [len(part) for part in parts] == [4, 4]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_steps_of_workers_are_steps_of_fit():
    """The same weights and the same logs, with rows that each replica is given in place of a batch that is split."""
    found = []
    for own_rows in (False, True):
        strategy = mirrored(DEVICES)
        with strategy.scope():
            trainer = make_trainer(GAN)
        if own_rows:
            trainer.train_function = train_function(trainer)
        batches = worker_batches(strategy, images, 0, 4) if own_rows else by_step(images, 0, 4)
        history = trainer.fit(batches, epochs=2, steps_per_epoch=2, verbose=0, shuffle=False)
        found.append((history.history, [variable.numpy() for group in trainer.state.values() for variable in group]))
    (logs, weights), (own_logs, own_weights) = found
    assert own_logs == logs and set(logs) >= {"g/loss", "d_s/loss"}
    for expected, value in zip(weights, own_weights, strict=True):
        np.testing.assert_array_equal(value, expected)
