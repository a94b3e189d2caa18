"""The data that an experiment trains on."""

import dataclasses
from typing import cast

import numpy as np
import tensorflow as tf

from akdg_tf.data.image_reader import WHITE, Color
from akdg_tf.data.images import ImageArrays, shifted_and_flipped
from akdg_tf.data.registry import Dataset, check_name
from akdg_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class Data:
    """The data of an experiment; bound as `GeneratorExperiment.data`.

    Attributes:
        name: name of a registered dataset.
        flip: whether to mirror half of the real training images left to right.
        background: the color behind transparent pixels, for a dataset that reads image files: (red, green, blue) from 0
            to 255. White is what pages, viewers and browsers show behind a cut-out image.
        tfds_name: for `name = 'tfds'`, the dataset's name in TensorFlow Datasets, such as "lsun/bedroom".

    Raises:
        UserError: no dataset has that name, or the background is not a color.
    """

    name: str
    flip: bool = False
    background: Color = WHITE
    tfds_name: str | None = None

    def __post_init__(self):
        check_name(self.name)
        color = self.background
        if not isinstance(color, tuple) or len(color) != 3 or not all(map(_is_level, color)):
            raise UserError(f"Data.background is {color!r}: bind (red, green, blue), each from 0 to 255")

    @property
    def options(self) -> dict[str, Color | str]:
        """What `load_dataset` is told beside name, folder and shape: what is not left at its default."""
        options: dict[str, Color | str] = {} if self.background == WHITE else {"background": self.background}
        return options if self.tfds_name is None else {**options, "tfds_name": self.tfds_name}

    def check(self, dataset: Dataset, classes: int) -> None:
        """Checks that a dataset can be changed as asked for, and has labels if they are used.

        Args:
            dataset: the dataset `name`, loaded.
            classes: number of classes of its labels; 0: they are not used.

        Raises:
            UserError: it cannot, or has not.
        """
        if self.flip and len(dataset.sample_shape) != 3:
            raise UserError("Data.flip mirrors images, but these samples are points: bind Data.flip=False")
        if classes and not isinstance(dataset, ImageArrays):
            raise UserError(f"a class-conditional generator needs labels, and dataset {self.name!r} has none")
        if classes and not np.array_equal(np.unique(cast(ImageArrays, dataset).labels), np.arange(classes)):
            raise UserError(f"the labels of dataset {self.name!r} are not the numbers from 0 to {classes - 1}")

    def batch(
        self, dataset: Dataset, step: tf.Tensor, size: int | tf.Tensor, seed: int, labelled: bool
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Batch number `step` of a dataset that `check` accepts; it depends only on (seed, step).

        Returns:
            float32 [size, *sample_shape] in [-1, 1], and the labels, int64 [size], if they are asked for.
        """
        labels = None
        if labelled:
            samples, labels = cast(ImageArrays, dataset).labelled_batch(step, size, seed)
        else:
            samples = dataset.batch(step, size, seed)
        return (shifted_and_flipped(samples, 0, seed, step) if self.flip else samples), labels


def _is_level(value: object) -> bool:
    return type(value) is int and 0 <= value <= 255
