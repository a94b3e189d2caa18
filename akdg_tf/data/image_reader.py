"""Reading one image, a file or its content, into an array of a fixed shape."""

import errno
import io
import logging
import os
import pathlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

VERSION = 1  # raise it whenever the same file gives other pixels: it belongs to the digest of a dataset
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")  # an explicit list: Pillow passes others to other programs
MODES = {1: "L", 3: "RGB"}
LARGE = 1 << 24  # pixels
WHITE = (255, 255, 255)  # what pages, viewers and browsers show behind a cut-out image
DEEP, DIM = 1 << 16, 1 << 12  # values of 16 bits; an image with only smaller ones than DIM looks nearly black

Color = tuple[int, int, int]

_one_by_one = ThreadPoolExecutor(1)  # a lock would not do: what one thread frees, another one can hardly use


class ImageReader:
    """Reads encoded images: the first frame, upright, on an opaque background, resized and cropped at the centre.

    Values of 16 bits are divided by 256. A warning names the first image that uses at most 12 of its 16 bits.
    An image of more than 179 million pixels, twice Pillow's `MAX_IMAGE_PIXELS`, is refused before it is decoded. Images
    of more than 16 million pixels are decoded one at a time, because one may take gigabytes.

    Args:
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.
        background: the color behind transparent pixels, (red, green, blue) from 0 to 255.

    Raises:
        UserError: the shape is not that of an image.
    """

    def __init__(self, sample_shape: Sequence[int], background: Color = WHITE):
        if len(sample_shape) != 3 or sample_shape[2] not in MODES:
            raise UserError(f"images cannot have the shape {sample_shape}: it must be (height, width, 1 or 3)")
        height, width, channels = sample_shape
        self.sample_shape, self.background = (height, width, channels), background
        self._warned, self._lock = False, threading.Lock()

    def read(self, source: str | os.PathLike | bytes, name: str = "") -> np.ndarray:
        """An image, uint8 of the sample shape.

        Args:
            source: path of a file, or the content of one.
            name: what a warning calls the image; by default the name of the file.

        Raises:
            OSError: the system cannot open the file; `errno` is set.
            Exception: the content is damaged or not supported. Pillow may raise any exception.
        """
        if isinstance(source, bytes):
            file: str | os.PathLike | io.BytesIO = io.BytesIO(source)
        else:
            file, name = source, name or pathlib.Path(source).name
            if not os.path.isfile(source):  # opening a pipe would block forever
                raise OSError(errno.ENOENT, "not a file")
        with _opened(file) as image:
            if image.width * image.height > LARGE:
                return _one_by_one.submit(self._fitted, image, name).result()
            return self._fitted(image, name)

    def _fitted(self, image: Image.Image, name: str) -> np.ndarray:
        """An opened image, uint8 of the sample shape."""
        height, width, channels = self.sample_shape
        is_deep = _is_deep(image)
        ImageOps.exif_transpose(image, in_place=True)  # otherwise it copies the image
        upright = _in_8_bits(image, is_deep)
        if is_deep and upright.mode != "CMYK":  # whose small values are light
            self._check_depth(upright, name)
        opaque = on_background(upright, self.background)
        fitted = ImageOps.fit(opaque.convert(MODES[channels]), (width, height), Image.Resampling.BICUBIC)
        return np.asarray(fitted).reshape(self.sample_shape)

    def _check_depth(self, image: Image.Image, name: str) -> None:
        """Warns once if the 16-bit values of an image are so small that it looks nearly black."""
        colors = [band for channel, band in zip(image.getbands(), image.split(), strict=True) if channel != "A"]
        largest = max(int(np.asarray(band).max()) for band in colors)
        with self._lock:
            if self._warned or largest >= DIM * 256 // DEEP:
                return
            self._warned = True
        logger.warning(
            "%r has 16 bits per value but uses at most 12: all values are below %d. They are divided by 256, so that "
            "the image is nearly black: multiply 12-bit images by 16 first (said once, for the first such file)",
            name,
            (largest + 1) * 256,
        )


def natural_shape(path: str | os.PathLike) -> tuple[int, int, int]:
    """The shape of the image in a file as `ImageReader` reads it: upright, with 1 channel if it is stored as gray.

    Raises:
        Exception: the content is damaged or not supported. Pillow may raise any exception.
    """
    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
    return upright.height, upright.width, 1 if _is_gray(upright) else 3


def _is_gray(image: Image.Image) -> bool:
    """Whether an image is stored as gray: by its mode, or by a palette of which it uses only gray colors."""
    if image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I"):
        return True
    if not image.mode.startswith("P"):
        return False
    red, green, blue = (np.asarray(band) for band in on_background(image, WHITE).convert("RGB").split())
    return np.array_equal(red, green) and np.array_equal(green, blue)


def _opened(file: str | os.PathLike | io.BytesIO) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:  # whose message would name an object in memory
        if isinstance(file, io.BytesIO):
            raise UnidentifiedImageError("cannot identify its content as an image") from None
        raise


def on_background(image: Image.Image, background: Color) -> Image.Image:
    """An 8-bit image over a color: the colors that alpha hides do not show. An opaque image is returned as it is."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, (*background, 255)), layer).convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    """Whether a file that was opened, and not yet read, holds 16 bits per value."""
    tiles = getattr(image, "tile", [])
    modes = [each.args if isinstance(each.args, str) else each.args[0] for each in tiles if each.args]
    return any(";16" in str(mode) and "BGR" not in str(mode) for mode in modes)  # BGR;16: 16 bits for all three colors


def _in_8_bits(image: Image.Image, is_deep: bool) -> Image.Image:
    """The image with 8 bits per value, and its transparent color, if it has one, in 8 bits, too."""
    hidden = image.info.get("transparency")
    if image.mode.startswith("I"):
        return _gray_in_8_bits(np.asarray(image), hidden)
    if image.mode == "F":
        raise ValueError("it holds floating-point values, whose range is unknown")
    if is_deep and isinstance(hidden, tuple):  # Pillow has divided the values by 256, but not the transparent color
        image.info["transparency"] = tuple(value // 256 for value in hidden)
    return image


def _gray_in_8_bits(values: np.ndarray, hidden: int | None) -> Image.Image:
    """Gray values of 16 bits, divided by 256, which Pillow would clip at 255. Those that equal `hidden` get alpha 0."""
    if values.min() < 0 or values.max() >= DEEP:
        raise ValueError("its values do not fit 16 bits")
    gray = Image.fromarray((values // 256).astype(np.uint8))
    if hidden is not None:
        gray.putalpha(Image.fromarray(np.where(values == hidden, 0, 255).astype(np.uint8)))
    return gray
