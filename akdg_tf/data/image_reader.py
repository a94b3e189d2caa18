"""Reading one image file into an array of a fixed shape."""

import errno
import pathlib

import numpy as np
from PIL import Image, ImageOps

from akdg_tf.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP")  # for any file name: Pillow passes some other formats to other programs
MODES = {1: "L", 3: "RGB"}


class ImageReader:
    """Reads image files, resizes them, and crops them at the centre.

    Args:
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.

    Raises:
        UserError: the shape is not that of an image.
    """

    def __init__(self, sample_shape: tuple[int, int, int]):
        if len(sample_shape) != 3 or sample_shape[2] not in MODES:
            raise UserError(f"images cannot have the shape {sample_shape}: it must be (height, width, 1 or 3)")
        self.sample_shape = tuple(sample_shape)

    def read(self, path: pathlib.Path) -> np.ndarray:
        """The image in a file, uint8 of the sample shape.

        Raises:
            OSError: the system cannot open the file; `errno` is set.
            Exception: the content is damaged. Pillow may raise any exception.
        """
        height, width, channels = self.sample_shape
        if not path.is_file():  # opening a pipe would block forever
            raise OSError(errno.ENOENT, "not a file")
        with Image.open(path, formats=FORMATS) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16-bit values, which Pillow would clip at 255
                upright = Image.fromarray((np.asarray(upright) / 256).clip(0, 255).astype(np.uint8))
            fitted = ImageOps.fit(upright.convert(MODES[channels]), (width, height), Image.Resampling.BICUBIC)
        return np.asarray(fitted).reshape(self.sample_shape)
