"""A page of `akdg report`: a table, and the pictures that belong to it."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from akdg_tf.files import write_text
from akdg_tf.reporting import pictures


@dataclasses.dataclass(frozen=True)
class Page:
    """A table with its pictures.

    Attributes:
        name: stem of the table's file.
        text: the table, in Markdown.
        pictures: what draws each picture, uint8 [height, width, 3], by the stem of its file. None instead of a picture:
            there is nothing to draw.
    """

    name: str
    text: str
    pictures: Mapping[str, Callable[[], np.ndarray | None]]

    def write(self, folder: pathlib.Path) -> None:
        """Prints the table, writes it, and then draws and writes the pictures.

        Args:
            folder: where `<name>.md` and the pictures go; made if it is missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        print(self.text + "\n")
        write_text(folder / f"{self.name}.md", self.text + "\n")
        for stem, draw in self.pictures.items():
            drawn = draw()
            if drawn is not None:
                pictures.save_png(drawn, folder / f"{stem}.png")
