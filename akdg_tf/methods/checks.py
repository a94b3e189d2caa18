"""Checks of what the Python API is given: networks, teachers, images. Each error is one sentence."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.latents import classes_in, classes_of, sample_shape_of
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.sources import ChunkSource, ImageSource

PEEKED = 64  # images of an array that are checked
SLACK = 0.01  # by which images may leave [-1, 1]


def check_generator(generator: Any) -> None:
    """Checks that a generator can be trained.

    Raises:
        ValueError: it is not a Keras model, or has no weights to train.
    """
    if not isinstance(generator, keras.Model):
        raise ValueError(
            f"the generator must be a Keras model, not {_kind(generator)}: "
            "akdg_tf.load_network gives that of a SavedModel"
        )
    if not generator.trainable_variables:
        raise ValueError("the generator has no trainable weights: build it, and set generator.trainable = True")


def check_discriminator(discriminator: Any, name: str, generator: keras.Model) -> None:
    """Checks that a discriminator is one, and that it has as many classes as the generator.

    Raises:
        ValueError: it is not a Keras model, or has other classes.
    """
    if not isinstance(discriminator, keras.Model):
        raise ValueError(f"{name} must be a Keras model that maps images to logits, not {_kind(discriminator)}")
    found, wanted = classes_of(discriminator), classes_of(generator)
    if found != wanted:
        raise ValueError(f"{name} has classes={found}, the generator classes={wanted}: they must be equal")


def check_teacher(teacher: Any, role: type, method: str, generator: keras.Model) -> None:
    """Checks that a teacher fills its role, gives samples in its range, and of the shape of the student's.

    Args:
        teacher: what the method was given.
        role: `ImageSource`, `PairSource` or `ChunkSource`.
        method: the method, for the message.
        generator: the student.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(teacher, role):
        if isinstance(teacher, ImageSource):
            name = getattr(teacher, "name", None)
            raise ValueError(_lacking(method, role, repr(name) if name else _kind(teacher)))
        raise ValueError(
            f"the teacher of {method} cannot be {_kind(teacher)}: give akdg_tf.FrozenGenerator(model, latent_dim), "
            "akdg_tf.load_teacher(folder) or a bank"
        )
    if isinstance(teacher, FrozenGenerator):
        try:
            teacher.check()
        except UserError as error:
            raise ValueError(str(error)) from error
    shape, wanted = getattr(teacher, "sample_shape", None), sample_shape_of(generator)
    if shape is not None and tuple(shape) != wanted:
        raise ValueError(
            f"the teacher's samples have the shape {tuple(shape)}, the student's {wanted}: they must be equal"
        )


def check_labels(teacher: ImageSource, generator: keras.Model) -> None:
    """Checks that the teacher of a class-conditional student gives labels.

    Raises:
        ValueError: it gives none, or those of other classes.
    """
    classes = classes_of(generator)
    if classes and classes_in(getattr(teacher, "prior", "")) != classes:
        raise ValueError(
            f"the student has {classes} classes: its teacher needs latents of the prior 'normal, {classes} classes'"
        )


def _lacking(method: str, role: type, teacher: str) -> str:
    """What a source of images lacks of a role."""
    if role is ChunkSource:
        return (
            f"{method} requires the activations of the teacher's layers, which {teacher} does not give: give "
            "akdg_tf.FrozenChunks(akdg_tf.load_network(name))"
        )
    return (
        f"{method} requires pairs of latent and image: {teacher} gives only images; save them with their latents as "
        "`latents` in an .npz file"
    )


def check_images(x: Any, sample_shape: tuple[int, ...]) -> None:
    """Checks the first batch that `fit` is given; of a Python generator, which can be read only once, nothing.

    Raises:
        ValueError: there is no batch, or it does not hold floats of this shape in [-1, 1].
    """
    if x is None:
        raise ValueError("fit needs the real images: give a tf.data.Dataset, or an array, of float32 in [-1, 1]")
    if isinstance(x, tf.data.Dataset):
        first = next(iter(x.take(1)), None)
        if first is None:
            raise ValueError("the dataset holds no batch: it is empty, or its batches are larger than it is")
        images = first[0] if isinstance(first, tuple) else first
    elif isinstance(x, np.ndarray | tf.Tensor):
        images = x[:PEEKED]
    else:
        return
    _check_batch(images, sample_shape)


def _check_batch(images: Any, sample_shape: tuple[int, ...]) -> None:
    shape, dtype = tuple(images.shape), tf.as_dtype(images.dtype)
    if shape[1:] != sample_shape or not shape[0]:
        raise ValueError(
            f"a batch of images has the shape {shape}: it must be (n, {', '.join(map(str, sample_shape))})"
        )
    if not dtype.is_floating:
        raise ValueError(f"the images are {dtype.name}: scale them to float32 in [-1, 1], such as images / 127.5 - 1")
    values = np.asarray(tf.cast(images, tf.float32))
    if not np.isfinite(values).all():
        raise ValueError("the images hold values that are not finite")
    fault = range_fault(values) if len(sample_shape) == 3 else None  # points have no range
    if fault:
        raise ValueError(fault)


def range_fault(images: np.ndarray) -> str | None:
    """What is wrong with the range of images that should be in [-1, 1]; None if nothing is.

    Args:
        images: float [n, height, width, channels].
    """
    least, most = float(images.min()), float(images.max())
    dark = least >= 0 and most > 0.5  # in [-1, 1], no pixel would be darker than the middle gray
    if least < -1 - SLACK or most > 1 + SLACK or dark:
        return f"the images run from {least:.3g} to {most:.3g}: scale them to [-1, 1]"
    return None


def _kind(thing: Any) -> str:
    return "None" if thing is None else f"a {type(thing).__name__}"
