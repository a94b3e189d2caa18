"""Images of up to 1024 pixels: few are drawn at a time, a student learns them, and pictures show fewer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from known_images import KERNEL, enlarged, normal, tf_enlarged

import akdg_tf
from akdg_tf.artifacts import measure
from akdg_tf.reporting import pictures
from akdg_tf.teachers.bank import make_bank
from akdg_tf.teachers.load import load_teacher


class Large(tf.Module):
    """A generator of 1024x1024 images in [0, 255], on a machine whose memory holds no more than 4 of them at a time."""

    def __init__(self, batch):
        self.kernel = tf.Variable(KERNEL[:100])
        self.draw = tf.function(self._draw, input_signature=[tf.TensorSpec((batch, 100), name="z")])

    def _draw(self, z):
        tf.debugging.assert_less_equal(tf.shape(z)[0], 4, "out of memory")
        return 127.5 * tf_enlarged(tf.tanh(z @ self.kernel), 1024) + 127.5


def large(z):
    return enlarged(np.tanh(z @ KERNEL[:100]), 1024)


@pytest.fixture(params=[None, 4], ids=["free", "fixed"])
def big(request, tmp_path):
    module = Large(request.param)
    tf.saved_model.save(module, str(tmp_path / "big"), {"draw": module.draw})
    return load_teacher(str(tmp_path / "big"), prior="uniform", output_range=(0, 255)), request.param or 2


def test_a_generator_of_1024_pixels_is_asked_for_few_images_at_a_time(big, tmp_path, monkeypatch):
    teacher, batch = big
    monkeypatch.setattr("akdg_tf.teachers.bank.IN_MEMORY", 2**20)
    bank = make_bank(teacher, 3, 0, tmp_path / "banks")
    assert np.abs(bank.latents).max() <= 1 and bank.images.shape == (3, 1024, 1024, 3)
    np.testing.assert_allclose(bank.images / 127.5 - 1, large(bank.latents), atol=1.1 / 127)
    z, images = bank.draw_pairs(tf.constant(2), (0, 0), tf.constant(0, tf.int64))
    np.testing.assert_allclose(images, large(z), atol=1.1 / 127)
    assert teacher.sampling_batch == batch
    assert sum(len(each) for each in teacher.batches(3, 0)) == 3
    assert measure.measure(teacher, {}).images_per_second > 0


def test_a_student_of_1024_pixels_learns():
    teacher = akdg_tf.FrozenGenerator(lambda z: tf_enlarged(tf.tanh(z @ KERNEL[:100]), 1024), 100)
    student = akdg_tf.DCGANGenerator(8, (1024, 1024, 3), (2, 2, 2), use_batch_norm=False)
    trainer = akdg_tf.AKDG(student, None, akdg_tf.ConvDiscriminator((2, 2, 2)), teacher, penalty=None)
    trainer.compile(keras.optimizers.Adam(1e-2, beta_1=0.0))
    before = student(normal(1, 8))
    trainer.fit(tf.data.Dataset.from_tensor_slices(tf.zeros((1, 1024, 1024, 3))).batch(1), verbose=0)
    assert np.isfinite(student(normal(1, 8))).all() and np.abs(student(normal(1, 8)) - before).max() > 0


def test_a_picture_shows_fewer_of_the_larger_images():
    assert [pictures.shown(shape) for shape in ((2,), (32, 32, 3), (256, 256, 3), (512, 512, 3))] == [2000, 64, 64, 16]
    assert [pictures.shown((side, side, 3)) for side in (1024, 4096)] == [4, 1]
    for count in (1, 4, 16):
        drawn = pictures.side_by_side({"": np.zeros((count, 64, 64, 3), np.float32)})
        middle = drawn[drawn.shape[0] // 2, :, 0] == 128  # a square grid fills the panel
        assert middle.sum() > 0.8 * drawn.shape[1]
