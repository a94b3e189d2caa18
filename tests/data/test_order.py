"""Which samples a batch holds."""

import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.data.order import rows_of, static_size


def test_batches_of_an_epoch_hold_every_sample_once():
    rows = [rows_of(tf.constant(step, tf.int64), 4, 8, seed=1).numpy() for step in range(4)]
    for epoch in (rows[:2], rows[2:]):
        assert sorted(np.concatenate(epoch)) == list(range(8))
    assert not np.array_equal(rows[:2], rows[2:])


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_a_size_that_is_a_tensor_gives_the_rows_of_the_number(dtype):
    step = tf.constant(3, tf.int64)
    rows = rows_of(step, tf.constant(5, dtype), 100, 1)
    assert rows.dtype == tf.int64
    np.testing.assert_array_equal(rows, rows_of(step, 5, 100, 1))


def test_the_static_size_is_known_of_a_number_alone():
    assert static_size(5) == 5 and static_size(tf.constant(5)) is None
