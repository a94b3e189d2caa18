"""Keras' `fit` on several workers: the batches of each, and the function of one step."""

from collections.abc import Callable

import keras
import tensorflow as tf

from akdg_tf.data import by_step
from akdg_tf.shares import of_replica


def worker_batches(
    strategy: tf.distribute.Strategy, batch: Callable[[tf.Tensor], tf.Tensor], start: int, stop: int
) -> tf.distribute.DistributedDataset:
    """The batches of the steps `start` to `stop - 1`, of which each worker makes only the rows of its replicas.

    Args:
        strategy: the strategy of all workers.
        batch: maps a step to the rows of the current share; see `shares.share`.
        start: first step.
        stop: step after the last one.
    """
    replicas = strategy.num_replicas_in_sync

    def of_worker(context):
        here = replicas // context.num_input_pipelines
        before = context.input_pipeline_id * here

        def part(number):
            with of_replica(replicas, tf.cast(before + number % here, tf.int32)):
                return batch(number // here)

        # Endless, because the workers would otherwise ask each other in every step whether all have a next batch.
        return by_step(part, start * here, stop * here).repeat()

    return strategy.distribute_datasets_from_function(of_worker)


def train_function(model: keras.Model) -> Callable:
    """What `fit` calls for each step, to be set as `model.train_function`; returns the logs of the first replica here.

    Keras 3.15 would sum each log over all workers in every step, and fails because a log is a scalar. The logs at the
    end of an epoch are not these: they are the results of the metrics, over all workers.
    """
    strategy = model.distribute_strategy

    @tf.function
    def step(data):
        return strategy.run(model.train_step, args=(data,))

    def function(iterator):
        return tf.nest.map_structure(lambda log: strategy.experimental_local_results(log)[0], step(next(iterator)))

    return function
