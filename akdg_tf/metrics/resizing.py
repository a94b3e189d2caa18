"""Resizing images for a classifier, as a text such as "area 32x32" states it."""

import dataclasses
import re

import tensorflow as tf

from akdg_tf.errors import UserError

# For each method that can be stated, its name in ids and records. Both average over the pixels that a new pixel covers.
NAMES = {"area": "area", "bilinear": "antialiased-bilinear"}
_STATED = re.compile(rf"({'|'.join(NAMES)}) ([1-9]\d{{0,2}})x([1-9]\d{{0,2}})", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Resize:
    """Resizes images to a fixed size by `tf.image.resize`.

    Images of another aspect ratio are stretched; nothing is cropped or padded. Images that have the size already are
    not changed.

    Attributes:
        method: "area", the mean of the pixels that a new pixel covers, or "bilinear" with antialiasing.
        height, width: the size, from 1 to 999.
    """

    method: str
    height: int
    width: int

    @classmethod
    def parse(cls, text: str) -> "Resize":
        """The resize that a text states: "METHOD HEIGHTxWIDTH".

        Raises:
            UserError: it states none.
        """
        found = _STATED.fullmatch(text) if isinstance(text, str) else None
        if not found:
            raise UserError(
                f"load_classifier.resize is {text!r}: bind 'area HEIGHTxWIDTH' or 'bilinear HEIGHTxWIDTH', such as "
                "'area 32x32', or None"
            )
        return cls(found[1], int(found[2]), int(found[3]))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Float32 images [n, h, w, c], resized to [n, height, width, c]."""
        return tf.image.resize(images, (self.height, self.width), self.method, antialias=self.method != "area")

    def __str__(self):
        """How ids and records name it, such as "area 32x32" or "antialiased-bilinear 32x32"."""
        return f"{NAMES[self.method]} {self.height}x{self.width}"
