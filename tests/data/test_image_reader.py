"""Reading one image: every format and mode, what is transparent, and 16 bits; a file or its content."""

import io
import logging
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from akdg_tf.data import image_reader
from akdg_tf.data.image_reader import WHITE, ImageReader, on_background

SHAPE = (8, 8, 3)
SIZE = (8, 8)
BACKGROUND = (0, 128, 255)
HIDDEN = (200, 10, 60)  # what must not show


def png_of_16_bits(values, transparent=()):
    """A PNG as Pillow cannot write it: 16-bit gray, gray + alpha, RGB or RGBA, with one transparent color."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = [(b"IHDR", header)]
    chunks += [(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))] if transparent else []
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def saved(image, format="PNG", **settings):
    content = io.BytesIO()
    image.save(content, format, **settings)
    return content.getvalue()


def palette_image(mode="P"):
    image = Image.new("P", SIZE, 3)
    image.putpalette([0] * 9 + list(HIDDEN) + [0] * 9)
    if mode == "PA":
        image.putalpha(0)
    return image


HIDING = {
    "RGBA": saved(Image.new("RGBA", SIZE, (*HIDDEN, 0))),
    "LA": saved(Image.new("LA", SIZE, (200, 0))),
    "RGB and tRNS": saved(Image.new("RGB", SIZE, HIDDEN), transparency=HIDDEN),
    "L and tRNS": saved(Image.new("L", SIZE, 200), transparency=200),
    "palette and one transparent color": saved(palette_image(), transparency=3),
    "palette with alpha": saved(palette_image(), transparency=bytes([255, 255, 255, 0])),
    "GIF": saved(palette_image(), "GIF", transparency=3),
    "WebP": saved(Image.new("RGBA", SIZE, (*HIDDEN, 0)), "WEBP", lossless=True, exact=True),
    "TIFF, RGBA": saved(Image.new("RGBA", SIZE, (*HIDDEN, 0)), "TIFF"),
    "TIFF, PA": saved(palette_image("PA"), "TIFF"),
    "16 bits, RGBA": png_of_16_bits(np.full((8, 8, 4), (60_000, 3000, 20_000, 0), np.uint16)),
    "16 bits, LA": png_of_16_bits(np.full((8, 8, 2), (60_000, 0), np.uint16)),
    "16 bits, L and tRNS": png_of_16_bits(np.full((8, 8, 1), 60_000, np.uint16), (60_000,)),
    "16 bits, RGB and tRNS": png_of_16_bits(
        np.full((8, 8, 3), (60_000, 3000, 20_000), np.uint16), (60_000, 3000, 20_000)
    ),
}


def read(tmp_path, content, shape=SHAPE, background=BACKGROUND):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    return ImageReader(shape, background).read(path)


@pytest.mark.parametrize("kind", HIDING)
def test_a_color_that_is_hidden_does_not_show(kind, tmp_path):
    np.testing.assert_array_equal(read(tmp_path, HIDING[kind]), np.broadcast_to(BACKGROUND, SHAPE))
    gray = round(0.299 * BACKGROUND[0] + 0.587 * BACKGROUND[1] + 0.114 * BACKGROUND[2])
    assert np.abs(read(tmp_path, HIDING[kind], (8, 8, 1)).astype(int) - gray).max() <= 1


@pytest.mark.parametrize("kind", HIDING)
def test_the_background_is_white_unless_another_is_given(kind, tmp_path):
    (tmp_path / "x.png").write_bytes(HIDING[kind])
    assert ImageReader(SHAPE).read(tmp_path / "x.png").min() == 255


def test_half_transparent_pixels_are_mixed_with_the_background_before_the_image_is_resized(tmp_path):
    image = np.zeros((16, 16, 4), np.uint8)
    image[:, :8] = (100, 100, 100, 51)  # a fifth
    image[:, 8:] = (255, 0, 0, 0)
    found = read(tmp_path, saved(Image.fromarray(image)), background=(0, 0, 200)).astype(int)
    assert np.abs(found[:, 0] - (20, 20, 180)).max() <= 1 and np.abs(found[:, 7] - (0, 0, 200)).max() <= 1
    assert found[..., 0].max() <= 25  # nothing of the hidden red, at the border either


def test_an_opaque_image_is_left_as_it_is():
    image = Image.new("RGB", SIZE, HIDDEN)
    assert on_background(image, BACKGROUND) is image


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_formats_that_keep_the_pixels_give_them_back(format, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    settings = {"WEBP": {"lossless": True}, "TIFF": {"compression": "tiff_lzw"}}.get(format, {})
    np.testing.assert_array_equal(read(tmp_path, saved(Image.fromarray(pixels), format, **settings)), pixels)


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = [Image.new("RGB", SIZE, color) for color in (HIDDEN, (0, 0, 0), (255, 255, 255))]
    for format in ("GIF", "TIFF", "PNG"):
        content = saved(frames[0], format, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(read(tmp_path, content), np.broadcast_to(HIDDEN, SHAPE))


@pytest.mark.parametrize("format", ["EPS", "PPM", "ICO", "TGA"])
def test_formats_that_are_not_listed_are_not_opened(format, tmp_path):
    with pytest.raises(OSError, match="cannot identify"):
        read(tmp_path, saved(Image.new("RGB", SIZE, HIDDEN), format))


@pytest.mark.parametrize(
    "values", [np.full(SIZE, 0.5, np.float32), np.full(SIZE, 70_000, np.int32), np.full(SIZE, -1, np.int32)]
)
def test_values_whose_range_is_unknown_are_not_guessed(values, tmp_path):
    with pytest.raises(ValueError, match=r"range is unknown|do not fit 16 bits"):
        read(tmp_path, saved(Image.fromarray(values), "TIFF"))


RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_divided_by_256(channels, tmp_path, caplog):
    image = read(tmp_path, png_of_16_bits(np.repeat(RAMP * 1000, channels, -1)))
    np.testing.assert_array_equal(image, np.repeat(RAMP * 1000 // 256, 3, -1))
    assert not caplog.messages


def test_sixteen_bits_of_a_tiff_are_divided_by_256(tmp_path):
    for settings in ({}, {"compression": "tiff_lzw"}):
        content = saved(Image.fromarray(RAMP[..., 0] * 1000), "TIFF", **settings)
        np.testing.assert_array_equal(read(tmp_path, content)[..., 0], RAMP[..., 0] * 1000 // 256)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_image_of_12_bits_in_16_is_named_once(channels, tmp_path, caplog):
    values = np.repeat(RAMP * 65, channels, -1)  # at most 4095
    if channels in (2, 4):
        values[..., -1] = 65_535  # alpha says nothing about the colors
    path = tmp_path / "x.png"
    path.write_bytes(png_of_16_bits(values))
    other = tmp_path / "other.png"
    other.write_bytes(png_of_16_bits(values))
    reader = ImageReader(SHAPE)
    with caplog.at_level(logging.WARNING):
        images = [reader.read(each) for each in (path, path, other)]
    np.testing.assert_array_equal(images[2], np.repeat(RAMP * 65 // 256, 3, -1))  # no guess about the scale
    (message,) = caplog.messages
    assert "'x.png' has 16 bits per value but uses at most 12: all values are below 4096" in message
    assert "divided by 256" in message


def test_an_image_that_uses_its_16_bits_or_has_8_is_no_cause_for_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        read(tmp_path, png_of_16_bits(RAMP + 4096 - 63))  # the largest is 4096
        read(tmp_path, saved(Image.new("RGB", SIZE, (3, 3, 3))))
    assert not caplog.messages


@pytest.mark.parametrize("kind", HIDING)
def test_the_content_of_a_file_is_read_as_the_file_is(kind, tmp_path):
    np.testing.assert_array_equal(ImageReader(SHAPE).read(HIDING[kind]), read(tmp_path, HIDING[kind], background=WHITE))


def test_content_of_12_bits_in_16_is_warned_of_by_the_name_that_is_given(caplog):
    ImageReader(SHAPE).read(png_of_16_bits(RAMP * 65), "the key")
    assert "'the key' has 16 bits per value but uses at most 12" in caplog.text


@pytest.mark.parametrize("content", [b"", b"no image", saved(Image.new("RGB", SIZE), "JPEG")[:100]])
def test_content_that_is_no_image_or_cut_is_an_error(content):
    with pytest.raises(OSError):
        ImageReader(SHAPE).read(content)


def test_content_that_would_decode_to_far_too_many_pixels_is_refused_before_it_is_decoded():
    bomb = saved(Image.new("1", (20_000, 20_000)))  # 400 million pixels in 50 KB
    assert len(bomb) < 100_000
    with pytest.raises(Image.DecompressionBombError):
        ImageReader(SHAPE).read(bomb)


def test_large_images_are_decoded_one_at_a_time(monkeypatch):
    """Each may take gigabytes; the threads of a dataset read many images at once."""
    monkeypatch.setattr(image_reader, "LARGE", 0)
    busy, most = [], []
    fitted = ImageReader._fitted

    def watched(*arguments):
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.02)
        busy.pop()
        return fitted(*arguments)

    monkeypatch.setattr(ImageReader, "_fitted", watched)
    with ThreadPoolExecutor(4) as threads:
        images = list(threads.map(ImageReader(SHAPE).read, [saved(Image.new("RGB", SIZE))] * 4))
    assert len(images) == 4 and most == [1, 1, 1, 1]
