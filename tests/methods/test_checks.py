"""What the Python API answers to what it cannot use: one sentence."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, make_teacher, make_trainer

import akdg_tf
from akdg_tf import AKDG, GAN, MSEDistillation

IMAGES = np.random.default_rng(0).uniform(-1, 1, (40, *SAMPLE_SHAPE)).astype("float32")


def student():
    return akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)


def dataset(images, size=8, **settings):
    return tf.data.Dataset.from_tensor_slices(images).batch(size, **settings)


def keras_model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])


def images_of(z):
    return tf.reshape(tf.tanh(tf.repeat(z, 16, 1)), (-1, *SAMPLE_SHAPE))


def taught_by(function):
    """AKDG by a generator of somebody else, handed over as it is."""
    return AKDG(student(), discriminator(), discriminator(), akdg_tf.FrozenGenerator(function, 4))


def teacher_of_one_pixel():
    return akdg_tf.FrozenGenerator(lambda z: tf.reshape(tf.tanh(z[:, :1]), (-1, 1, 1, 1)), 4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: GAN(student(), None), "discriminator of d_s must be a .* not None"),
        (lambda: AKDG(student(), discriminator(), None, make_teacher()[0]), "distillation discriminator must be a"),
        (lambda: GAN(tf.Module(), discriminator()), "must be a Keras model, not a Module: akdg_tf.load_network"),
        (lambda: GAN("zoo/x", discriminator()), "must be a Keras model, not a str"),
        (
            lambda: AKDG(student(), discriminator(), discriminator(), keras_model()),
            "cannot be a Sequential: give akdg_tf",
        ),
        (lambda: AKDG(student(), discriminator(), discriminator(), "zoo/x"), "cannot be a str: give akdg_tf"),
        (lambda: MSEDistillation(student(), None), "the teacher of MSE cannot be None"),
        (lambda: MSEDistillation(student(), teacher_of_one_pixel()), r"shape \(1, 1, 1\), the student's \(8, 8, 1\)"),
        (
            lambda: AKDG(student(), discriminator(), discriminator(), teacher_of_one_pixel()),
            r"shape \(1, 1, 1\), the student's \(8, 8, 1\): they must be equal",
        ),
        (
            lambda: taught_by(lambda z: 255.0 * images_of(z)),
            "outside the range .* bind output_range",
        ),
        (lambda: taught_by(lambda z: images_of(z) / 0.0), "samples that are not finite"),
        (lambda: taught_by(lambda z: (images_of(z), z)), "gives a tuple: wrap it in a function"),
        (lambda: taught_by(lambda z: {"images": images_of(z)}), "gives a dict: wrap it in a function"),
        (lambda: taught_by(lambda z: tf.transpose(images_of(z), (0, 3, 1, 2))), r"shape \(1, 8, 8\), the student's"),
    ],
)
def test_parts_that_are_none_are_refused_when_they_are_given(make, says):
    with pytest.raises(ValueError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", [GAN, AKDG])
@pytest.mark.parametrize(
    ("x", "says"),
    [
        (None, "fit needs the real images"),
        (dataset(IMAGES, 64, drop_remainder=True), "the dataset holds no batch"),
        (dataset(127.5 * IMAGES + 127.5), r"run from \S+ to 25\S+: scale them to \[-1, 1\]"),
        (dataset(0.5 * IMAGES + 0.5), r"run from 0\S+ to 0.9\S+: scale them to \[-1, 1\]"),
        (0.5 * IMAGES + 0.5, "scale them to"),
        (dataset((127.5 * IMAGES + 127.5).astype("uint8")), "images are uint8: scale them to float32"),
        (dataset(IMAGES * np.nan), "not finite"),
        (dataset(IMAGES[:, :4]), r"the shape \(8, 4, 8, 1\): it must be \(n, 8, 8, 1\)"),
        (dataset((127.5 * IMAGES, np.zeros(40))), "scale them to"),
    ],
)
def test_images_that_cannot_be_learned_are_refused_before_the_first_step(x, says, method):
    trainer = make_trainer(method)
    with pytest.raises(ValueError, match=says):
        trainer.fit(x, verbose=0)
    assert int(trainer.step) == 0


def test_images_are_taken_from_arrays_datasets_and_python_generators():
    trainer = make_trainer(GAN)
    trainer.fit(IMAGES, batch_size=8, verbose=0)
    trainer.fit(dataset((IMAGES, np.zeros(40))), verbose=0)
    trainer.fit(((IMAGES[:8],) for _ in range(2)), steps_per_epoch=2, verbose=0)
    assert int(trainer.step) == 5 + 5 + 2


@pytest.mark.parametrize("method", ["save", "export"])
def test_saving_a_method_names_what_saves_its_generator(method, tmp_path):
    with pytest.raises(ValueError, match=r"akdg_tf\.export\(model, folder\) writes its averaged generator"):
        getattr(make_trainer(GAN), method)(str(tmp_path / "x.keras"))


def test_a_last_batch_that_d_steps_does_not_divide_is_one_sentence():
    trainer = make_trainer(GAN, d_steps=2)
    with pytest.raises(
        ValueError, match=r"d_steps \* micro_batches = 2 does not divide a batch .* drop_remainder=True"
    ) as caught:
        trainer.fit(dataset(IMAGES[:33]), verbose=0)
    assert "\n" not in str(caught.value)
