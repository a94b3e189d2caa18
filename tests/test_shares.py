"""Shares of the global batch: of replicas, of micro-batches, of both."""

import numpy as np
import tensorflow as tf
from support import on_two_replicas, replica_number

from akdg_tf import latents
from akdg_tf.shares import accumulated, share, share_of_mean

STEP = tf.constant(5, tf.int64)


def test_each_replica_holds_its_share_of_the_mean():
    """Two replicas of one example each: Keras sums the shares, which must give the mean 3 of 2 and 4."""
    assert float(share_of_mean(tf.constant([2.0, 4.0]))) == 3.0
    values = tf.constant([[2.0], [4.0]])
    assert on_two_replicas(lambda: share_of_mean(values[replica_number()])) == [1.0, 2.0]


def test_the_shares_of_micro_batches_sum_to_the_mean():
    values = tf.constant([[1.0, 2.0], [3.0, 5.0], [7.0, 9.0]])
    assert float(accumulated(lambda i: share_of_mean(values[i]), tf.zeros(()), 3)) == 27.0 / 6.0
    assert share() == (1, 0)  # nothing of it is left


def test_micro_batches_of_replicas_draw_all_rows_of_the_global_draw_once():
    def latent(count):
        return latents.draw("normal", tf.constant(count), 3, (0, latents.STUDENT), STEP)

    def position(count):
        return latents.positions(tf.constant(count), STEP)

    for rows in (latent, position):
        whole = rows(8)
        zeros = tf.zeros((2, 2, *whole.shape[1:]), whole.dtype)
        halves = on_two_replicas(tf.function(lambda: accumulated(lambda i: _placed(rows(2), i), zeros, 2)))  # noqa: B023
        np.testing.assert_array_equal(np.concatenate(halves).reshape(whole.shape), whole)


def _placed(value, i):
    """`value` at place i of two, and zeros at the other."""
    return tf.stack([value * tf.cast(i == place, value.dtype) for place in (0, 1)])
