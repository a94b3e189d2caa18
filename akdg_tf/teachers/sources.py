"""What a method requires of a teacher, and how an experiment chooses the source."""

import dataclasses
from typing import Protocol, runtime_checkable

import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.teachers.frozen import FrozenGenerator


@runtime_checkable
class ImageSource(Protocol):
    """A source of a teacher's images. AKDG needs no more than this."""

    def draw_images(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """This replica's rows of the global draw of `step`.

        Args:
            count: number of rows per replica.
            seed: (seed, stream).
            step: int64 scalar.

        Returns:
            float32 [count, *sample_shape] in [-1, 1], without gradient.
        """


@runtime_checkable
class PairSource(ImageSource, Protocol):
    """A source of a teacher's images with their latents. The MSE method needs one.

    Attributes:
        latent_dim: size of the latent.
        prior: "normal", N(0, I), or "uniform", U(-1, 1).
    """

    latent_dim: int
    prior: str

    def draw_latents(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """The latents of `draw_pairs`, float32 [count, latent_dim], without the images."""

    def draw_pairs(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Latents z and the images G_T(z) of `draw_images`."""


class TeacherSource(Protocol):
    """Makes the source that a method draws from; bound as `GeneratorExperiment.teacher_source`."""

    def open(self, teacher: FrozenGenerator | None, smoke: bool) -> ImageSource:
        """Makes the source.

        Args:
            teacher: the experiment's teacher; None if it has no teacher.
            smoke: whether this is a smoke run, for which a few images are enough.

        Raises:
            UserError: the source cannot be made.
        """


@dataclasses.dataclass(frozen=True)
class OnlineTeacher:
    """The teacher itself, which makes its images inside the training step."""

    def open(self, teacher: FrozenGenerator | None, smoke: bool) -> FrozenGenerator:
        """Returns the teacher."""
        return required(teacher)


def required(teacher: FrozenGenerator | None) -> FrozenGenerator:
    """Returns the teacher of an experiment that needs one.

    Raises:
        UserError: the experiment has no teacher.
    """
    if teacher is None:
        raise UserError("the method needs a teacher: bind GeneratorExperiment.teacher")
    return teacher
