"""Encoded images, broken as bytes or with a huge size in their head: an image of the wanted shape, or an Exception.

`StreamedImages` passes over an image that raises any Exception; it must not hang, end the process or fill the memory.
"""

import io
import pathlib
import struct
import tempfile
import zlib

import numpy as np
import pytest
from fuzzing import fuzzed, mutated, watched
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from akdg_tf.data.image_reader import ImageReader, natural_shape

SHAPE = (8, 6, 3)


def encoded(mode, format, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 4), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(content, format, **options)
    return content.getvalue()


def deep_png():
    content = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint16).reshape(12, 16) * 300).save(content, "PNG")
    return content.getvalue()


VALID = [
    *(encoded(mode, "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
    *(encoded(mode, "JPEG") for mode in ("L", "RGB", "CMYK")),
    *(encoded("RGBA", "TIFF", compression=each) for each in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits")),
    *(encoded("RGB", "TIFF", compression="jpeg"), encoded("1", "TIFF", compression="group4")),
    *(encoded("RGB", "WEBP"), encoded("RGBA", "WEBP", lossless=True)),
    *(encoded("RGB", "BMP"), encoded("P", "BMP"), encoded("P", "GIF"), deep_png()),
]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, depth, color, data):
    """A PNG with this head, whatever its data are."""
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def path():
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(folder, "a.png")


def check(path, content):
    reader = ImageReader(SHAPE)
    path.write_bytes(content)
    with watched(path.parent):
        try:
            image = reader.read(content)
        except Exception:  # of any kind: the image is passed over
            pass
        else:
            assert image.shape == SHAPE and image.dtype == np.uint8
        try:
            height, width, channels = natural_shape(path)
        except Exception:
            pass
        else:
            assert height > 0 and width > 0 and channels in (1, 3)


@fuzzed(125)
@given(content=mutated(VALID))
def test_broken_bytes(path, content):
    check(path, content)


sides = st.one_of(st.integers(0, 300), st.sampled_from((2**16, 2**20, 2**31 - 1, 2**32 - 1)))


@fuzzed(50)
@given(
    width=sides,
    height=sides,
    depth=st.sampled_from((1, 2, 4, 8, 16, 32)),
    color=st.sampled_from((0, 2, 3, 4, 6, 7)),
    data=st.one_of(st.binary(max_size=50), st.integers(0, 10_000)),
)
def test_heads_that_do_not_fit_their_data(path, width, height, depth, color, data):
    check(path, png(width, height, depth, color, zlib.compress(bytes(data) if isinstance(data, int) else data)))
