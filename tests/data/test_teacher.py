"""A teacher's images, or none, in the place of real ones."""

import contracts
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_teacher

from akdg_tf.data.absent import NoImages
from akdg_tf.data.teacher import TeacherData


@pytest.fixture
def teacher_data():
    teacher, _ = make_teacher()
    return TeacherData(teacher, teacher, 20)


def test_a_batch_holds_what_the_source_draws(teacher_data):
    step = tf.constant(3, tf.int64)
    drawn = teacher_data.source.draw_images(tf.constant(5), (7, 0), step)
    np.testing.assert_array_equal(teacher_data.batch(step, 5, 7), drawn)


def test_the_size_of_a_batch_of_a_teachers_images_may_be_a_tensor(teacher_data):
    contracts.assert_sizes_may_be_tensors(lambda step, size: teacher_data.batch(step, size, 7))


def test_no_images_are_batches_of_zeros_of_any_size():
    contracts.assert_sizes_may_be_tensors(lambda step, size: NoImages(SAMPLE_SHAPE).batch(step, size, 7))
