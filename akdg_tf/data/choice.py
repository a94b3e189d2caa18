"""The data that an experiment trains on."""

import dataclasses

from akdg_tf.data.registry import check_name


@dataclasses.dataclass(frozen=True)
class Data:
    """The data of an experiment; bound as `GeneratorExperiment.data`.

    Attributes:
        name: name of a registered dataset.
        flip: whether to mirror half of the real training images left to right.

    Raises:
        UserError: no dataset has that name.
    """

    name: str
    flip: bool = False

    def __post_init__(self):
        check_name(self.name)
