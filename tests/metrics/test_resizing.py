"""A stated resize: what it computes, held against values worked out here and against Pillow, and what it refuses."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from akdg_tf.errors import UserError
from akdg_tf.metrics.resizing import Resize


def covered(size, new):
    """Share of each new pixel that each old pixel covers, [new, size], along one axis."""
    edges = np.arange(new + 1) * size / new
    low, high = np.arange(size), np.arange(size) + 1
    shares = [np.clip(np.minimum(high, b) - np.maximum(low, a), 0, None) for a, b in itertools.pairwise(edges)]
    return np.array(shares) * new / size


@pytest.mark.parametrize("shape", [(64, 64), (40, 60), (33, 47), (28, 28), (8, 100)])
def test_area_is_the_mean_of_what_a_new_pixel_covers_and_stretches_what_is_not_square(shape):
    images = np.random.default_rng(0).uniform(-1, 1, (2, *shape, 3)).astype(np.float32)
    expected = np.einsum("ah,bw,nhwc->nabc", covered(shape[0], 32), covered(shape[1], 32), images)
    resized = Resize.parse("area 32x32")(tf.constant(images)).numpy()
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (40, 60), (28, 20)])
def test_bilinear_has_antialiasing_as_pillow_has(shape):
    image = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    expected = np.asarray(Image.fromarray(image).resize((24, 32), Image.Resampling.BILINEAR))
    resized = Resize.parse("bilinear 32x24")(image[None, :, :, None]).numpy()
    np.testing.assert_allclose(resized[0, :, :, 0], expected, atol=1e-5)


def test_a_row_of_four_pixels_is_halved_as_worked_out_by_hand():
    row = tf.reshape(tf.constant([0.0, 1.0, 0.5, -1.0]), (1, 1, 4, 1))
    halved = {method: Resize.parse(f"{method} 1x2")(row).numpy().ravel() for method in ("area", "bilinear")}
    np.testing.assert_allclose(halved["area"], [0.5, -0.25])
    triangle = np.array([[3, 3, 1, 0], [0, 1, 3, 3]]) / 7  # its half-width is two pixels
    np.testing.assert_allclose(halved["bilinear"], triangle @ [0.0, 1.0, 0.5, -1.0], atol=1e-6)


@pytest.mark.parametrize("method", ["area", "bilinear"])
def test_images_of_the_stated_size_are_not_changed(method):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 5, 7, 1)).astype(np.float32)
    np.testing.assert_array_equal(Resize.parse(f"{method} 5x7")(images), images)


def test_a_resize_is_named_by_method_and_size():
    assert [str(Resize.parse(text)) for text in ("area 32x48", "bilinear 299x299")] == [
        "area 32x48",
        "antialiased-bilinear 299x299",
    ]


BAD = [
    "",
    "foo",
    "32",
    "32x32",
    "area",
    "area 32",
    "area 0x0",
    "area 032x32",
    "area -1x32",
    "area 32x32x3",
    "area 32X32",
]
BAD += ["area  32x32", " area 32x32", "area 32x32\n", "area 1000x32", "area 3\u0662x32", "nearest 32x32", "none", 32]


@pytest.mark.parametrize("text", [*BAD, ("area", 32, 32)])
def test_what_states_no_resize_is_one_line(text):
    with pytest.raises(UserError, match=r"^load_classifier\.resize is .*: bind 'area HEIGHTxWIDTH' or") as caught:
        Resize.parse(text)
    assert "\n" not in str(caught.value)
