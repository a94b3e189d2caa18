"""Latents follow from (seed, stream, step) and nothing else, whatever the replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import mirrored

from akdg_tf import latents


def test_latents_of_student_and_teacher_are_independent_and_follow_from_seed_and_step():
    def draw(seed, stream, step):
        return latents.draw("normal", 512, 8, (seed, stream), tf.constant(step, tf.int64)).numpy()

    z, z_teacher = draw(0, latents.STUDENT, 5), draw(0, latents.TEACHER, 5)
    np.testing.assert_array_equal(z, draw(0, latents.STUDENT, 5))
    assert abs(np.corrcoef(z.ravel(), z_teacher.ravel())[0, 1]) < 0.06
    for other in (draw(1, latents.STUDENT, 5), draw(0, latents.STUDENT, 6)):
        assert abs(np.corrcoef(z.ravel(), other.ravel())[0, 1]) < 0.06
    assert latents.draw("uniform", 512, 8, (0, 1), tf.constant(0, tf.int64)).numpy().min() < -0.99
