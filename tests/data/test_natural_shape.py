"""The shape of an image as it is read: upright, and gray if it is stored as gray."""

import numpy as np
import pytest
from PIL import Image

from akdg_tf.data.image_reader import ImageReader, natural_shape
from akdg_tf.teachers.images import of_folder

GRAY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def palette(colors):
    image = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) % 4, "P")
    image.putpalette(colors)
    return image


def with_alpha(image):
    image.putalpha(Image.fromarray(GRAY))
    return image


IMAGES = {
    "L": (lambda: Image.fromarray(GRAY), 1),
    "1": (lambda: Image.fromarray(GRAY).convert("1"), 1),
    "LA": (lambda: with_alpha(Image.fromarray(GRAY)), 1),
    "I;16": (lambda: Image.fromarray(GRAY.astype(np.uint16) * 256), 1),
    "I": (lambda: Image.fromarray(GRAY.astype(np.int32) * 256), 1),
    "gray palette": (lambda: palette([0, 0, 0, 90, 90, 90, 180, 180, 180, 255, 255, 255, 255, 0, 0]), 1),
    "colored palette": (lambda: palette([0, 0, 0, 90, 90, 90, 180, 0, 0, 255, 255, 255]), 3),
    "RGB": (lambda: Image.fromarray(GRAY).convert("RGB"), 3),
    "RGBA": (lambda: Image.fromarray(GRAY).convert("RGBA"), 3),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_channels(kind, tmp_path):
    make, channels = IMAGES[kind]
    path = tmp_path / ("x.tif" if kind == "I" else "x.png")
    make().save(path)
    assert natural_shape(path) == (4, 6, channels)
    assert of_folder(tmp_path).sample_shape == (4, 6, channels)


@pytest.mark.parametrize(
    ("orientation", "sides"), [(1, (4, 6)), (2, (4, 6)), (3, (4, 6)), (5, (6, 4)), (6, (6, 4)), (8, (6, 4))]
)
def test_a_photograph_that_was_taken_upright_is_upright(orientation, sides, tmp_path):
    image = Image.fromarray(GRAY).convert("RGB")
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x.png", exif=exif)
    assert natural_shape(tmp_path / "x.png") == (*sides, 3)
    teacher = of_folder(tmp_path)
    assert teacher.sample_shape == (*sides, 3)
    expected = {1: GRAY, 2: GRAY[:, ::-1], 3: GRAY[::-1, ::-1], 5: GRAY.T, 6: GRAY[::-1].T, 8: GRAY.T[::-1]}
    np.testing.assert_array_equal(teacher.images.read([0])[0, :, :, 0], expected[orientation])


def test_the_first_file_that_can_be_read_tells_the_shape(tmp_path):
    Image.fromarray(np.zeros((4, 6), np.float32)).save(tmp_path / "a.tif")  # floats have no known range
    Image.fromarray(GRAY).save(tmp_path / "c.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "c.png").read_bytes()[:60])
    assert of_folder(tmp_path).sample_shape == (4, 6, 1)
    assert ImageReader((4, 6, 1)).read(tmp_path / "c.png")[..., 0].tolist() == GRAY.tolist()
