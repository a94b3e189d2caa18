"""The teacher's images in the place of real ones, for a teacher whose training images are not there."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError

NAME = "teacher"
SEED = 1  # of the latents of what a student is compared with; it is itself scored on those of another seed


class TeacherData:
    """A teacher's images as a dataset; bound as `Data.name = 'teacher'`.

    Scores against it are named so, such as "fid_to_teacher[cifar10-classifier]": the distance to the teacher, not to
    real images. Of a teacher of which only images are there, these are the images that the student learns from, and the
    teacher itself cannot be compared with them.

    Args:
        teacher: the teacher, see `teachers.sources.Teacher`.
        source: what training draws the images from, see `teachers.sources.ImageSource`.
        size: number of images for scores; fewer if the teacher has fewer.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`.
        compares_teacher: whether the teacher can be compared with these images: it makes others.
    """

    name = NAME

    def __init__(self, teacher, source, size: int):
        self.teacher, self.source = teacher, source
        self.compares_teacher = teacher.size is None
        self.size = size if teacher.size is None else min(size, teacher.size)
        self.sample_shape = tuple(teacher.sample_shape)
        self.split = f"{self.size:,} images of {teacher.name or 'a callable'}"

    def batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tf.Tensor:
        """Batch number `step`, float32 [size, *sample_shape]."""
        return self.source.draw_images(tf.cast(size, tf.int32), (seed, 0), step)

    def reals(self, count: int, seed: int) -> np.ndarray:
        """The first `count` images, whatever the seed."""
        return np.concatenate(list(self.real_batches(count, seed)))

    def real_batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The images of `reals`, batch by batch."""
        yield from self.teacher.batches(min(count, self.size), SEED)

    def digest(self) -> str:
        """SHA-256, in hex, that identifies the teacher."""
        return self.teacher.digest()


@register_dataset(NAME, reads_folder=False)
def load_teacher_data(data_dir=None, sample_shape=None):
    """Refuses: an experiment makes this dataset from its own teacher.

    Raises:
        UserError: always.
    """
    raise UserError("dataset 'teacher' holds the images of an experiment's teacher: it cannot be loaded without one")
