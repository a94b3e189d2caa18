"""The data that an experiment trains on."""

import dataclasses

from akdg_tf.data.image_reader import WHITE, Color
from akdg_tf.data.registry import check_name
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


def _is_level(value: object) -> bool:
    return type(value) is int and 0 <= value <= 255
