"""What a method asks of a teacher, and how an experiment chooses it."""

import dataclasses
from typing import Protocol, runtime_checkable

import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.teachers.frozen import FrozenGenerator


@runtime_checkable
class ImageSource(Protocol):
    """Gives images of a teacher, which is all that AKDG needs."""

    def draw_images(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """This replica's rows of the global draw of `step`.

        Args:
            count: rows of one replica.
            seed: (seed, stream).
            step: int64 scalar.

        Returns:
            float32 [count, *sample_shape] in [-1, 1], without gradient.
        """


@runtime_checkable
class PairSource(ImageSource, Protocol):
    """Gives images of a teacher with the latents that they were made from, which the MSE method needs.

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
    """How an experiment gets what its method draws from; bound as `GeneratorExperiment.teacher_source`."""

    def open(self, teacher: FrozenGenerator | None, smoke: bool) -> ImageSource:
        """Gives what the method draws from.

        Args:
            teacher: the experiment's teacher, None if it loads none.
            smoke: of a smoke run: a few images are enough.

        Raises:
            UserError: it cannot be had.
        """


@dataclasses.dataclass(frozen=True)
class OnlineTeacher:
    """The teacher itself, which makes its images inside the training step."""

    def open(self, teacher: FrozenGenerator | None, smoke: bool) -> FrozenGenerator:
        """Gives the teacher."""
        return required(teacher)


def required(teacher: FrozenGenerator | None) -> FrozenGenerator:
    """The teacher.

    Raises:
        UserError: the experiment loads none.
    """
    if teacher is None:
        raise UserError("the method learns from a teacher: bind GeneratorExperiment.teacher")
    return teacher
