"""What a method requires of a teacher, and how an experiment chooses the source."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from akdg_tf.data import ImageDataset
from akdg_tf.errors import UserError
from akdg_tf.models.chunks import Chunk


class Teacher(Protocol):
    """What is scored, shown and described as the teacher of a student: a `FrozenGenerator`, or `TeacherImages`.

    Attributes:
        name: name of its run, entry, SavedModel folder or file; None for a callable.
        folder: its SavedModel, None if it has none.
        sample_shape: shape of one sample.
        size: number of its samples if there are no others; None if it makes any number.
    """

    @property
    def size(self) -> int | None: ...

    @property
    def name(self) -> str | None: ...

    @property
    def folder(self) -> pathlib.Path | None: ...

    @property
    def sample_shape(self) -> tuple[int, ...]: ...

    def batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The first `count` samples for a seed, batch by batch, float32 in [-1, 1]; fewer if there are fewer."""

    def samples(self, count: int, seed: int) -> np.ndarray:
        """The samples of `batches` in one array."""

    def digest(self) -> str:
        """SHA-256, in hex, of all that determines the samples."""

    def describe(self) -> dict[str, int | None]:
        """Its counts by name; None for what is unknown."""


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
        prior: "normal", "uniform", or "normal, 10 classes"; see `latents.draw`.
    """

    latent_dim: int
    prior: str

    def draw_latents(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """The latents of `draw_pairs`, float32 [count, latent_dim], without the images."""

    def draw_pairs(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Latents z and the images G_T(z) of `draw_images`."""


@runtime_checkable
class ChunkSource(PairSource, Protocol):
    """A source of a teacher's images with the activations on the way to them. LIT needs one.

    Attributes:
        chunks: the teacher's layers, see `models.chunks`.
    """

    chunks: list[Chunk]

    def draw_activations(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> list[tf.Tensor]:
        """The latents z of `draw_pairs`, then the output of each of the teacher's chunks. The last one is G_T(z).

        Returns:
            float32 [count, ...] each, without gradient.
        """


NEEDS: dict[type, tuple[str, str]] = {  # of a role: what a method needs, and what to do about a source that lacks it
    ImageSource: ("images", "gives none: bind another GeneratorExperiment.teacher_source"),
    PairSource: (
        "pairs of latents and images",
        "gives only images: save them as `images`, with their latents as `latents`, in an .npz file",
    ),
    ChunkSource: (
        "the activations of the teacher's layers",
        "does not give them: bind GeneratorExperiment.teacher_source = @ChunkedTeacher()",
    ),
}


class TeacherSource(Protocol):
    """Makes the source that a method draws from; bound as `GeneratorExperiment.teacher_source`."""

    def open(self, teacher: Teacher | None, smoke: bool, reals: Callable[[], ImageDataset]) -> ImageSource:
        """Makes the source.

        Args:
            teacher: the experiment's teacher; None if it has no teacher.
            smoke: whether this is a smoke run, for which a few images are enough.
            reals: gives the real images. It raises a `UserError` if the experiment has none, so that only a source
                that compares with them may call it.

        Raises:
            UserError: the source cannot be made.
        """


@dataclasses.dataclass(frozen=True)
class OnlineTeacher:
    """The teacher itself, which makes its images inside the training step."""

    def open(self, teacher: Teacher | None, smoke: bool, reals: Callable[[], ImageDataset]) -> ImageSource:
        """Returns the teacher.

        Raises:
            UserError: there is none, or it gives no images.
        """
        given = required(teacher)
        if not isinstance(given, ImageSource):
            raise UserError(f"the teacher {given.name} gives no images inside a training step: bind @BankedTeacher()")
        return given


def required(teacher: Teacher | None) -> Teacher:
    """Returns the teacher of an experiment that needs one.

    Raises:
        UserError: the experiment has no teacher.
    """
    if teacher is None:
        raise UserError("the method needs a teacher: bind GeneratorExperiment.teacher")
    return teacher


def fitting(source: ImageSource, role: type | None, method: str) -> ImageSource:
    """Returns the source of a method's images if it gives what the method needs.

    Args:
        source: what was opened.
        role: the protocol that the method needs; None if it draws nothing.
        method: the method's name, for the message.

    Raises:
        UserError: the source does not give what the method needs.
    """
    if role is not None and not isinstance(source, role):
        name = getattr(source, "name", None) or type(source).__name__
        what, remedy = NEEDS[role]
        raise UserError(f"{method} needs {what}, but {name!r} {remedy}")
    return source
