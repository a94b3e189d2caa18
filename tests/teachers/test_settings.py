"""The arguments of `load_teacher`: equal values in any form, and one line for what is not valid or does not apply."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from akdg_tf.errors import UserError
from akdg_tf.models import MLPGenerator
from akdg_tf.teachers.load import is_there, load_teacher
from akdg_tf.teachers.settings import Settings

BYTES = np.random.default_rng(1).integers(0, 256, (30, 4, 6, 3), np.uint8)


class Conditional(tf.Module):
    """A generator whose images are the sum of a constant input."""

    @tf.function(input_signature=[tf.TensorSpec((None, 3), name="z"), tf.TensorSpec((2,), name="style")])
    def __call__(self, z, style):
        return tf.zeros((tf.shape(z)[0], 4, 6, 3)) + tf.reduce_sum(style)


def test_lists_arrays_and_tuples_are_one_teacher(tmp_path):
    tf.saved_model.save(Conditional(), str(tmp_path))
    teachers = [
        load_teacher(str(tmp_path), inputs={"style": style}, output_range=output_range)
        for style, output_range in [
            ([0.25, 0.5], [-1, 1]),
            (np.array([0.25, 0.5]), np.array([-1, 1])),
            ((0.25, 0.5), (-1, 1)),
            (tf.constant([0.25, 0.5]), tf.constant([-1, 1])),
        ]
    ]
    assert len(set(map(id, teachers))) == 1
    np.testing.assert_array_equal(teachers[0](tf.zeros((2, 3))), np.full((2, 4, 6, 3), 0.75, np.float32))
    other = load_teacher(str(tmp_path), inputs={"style": [0.0, 0.5]}, output_range=(-1, 1))
    assert other is not teachers[0]


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("latent_dim", (-5, 0, "16", 16.5, True, [16]), "bind a whole number of at least 1"),
        ("prior", ("cauchy", 5, ["normal"]), "bind 'normal', 'uniform', or 'normal, N classes'"),
        (
            "output_range",
            (5, (0,), (0, 1, 2), "ab", "01", (1, 0), (0, 0), (0, float("inf")), ("a", "b"), (0, None), ([0, 1],)),
            "bind (smallest value, largest value)",
        ),
        ("inputs", (5, [0.7], {1: 2}), "bind values by name, such as {'truncation': 0.7}"),
        ("output", ([0], {"a": 1}), "bind a plain value"),
        (
            "sample_shape",
            ((8.5, 8, 3), (8, 8), 8, "883", (0, 8, 3), (8, -8, 3), (True, 8, 3)),
            "bind whole numbers, (height, width, channels)",
        ),
    ],
)
def test_a_value_that_is_not_valid_is_one_line(name, values, says):
    for value in values:
        with pytest.raises(UserError) as caught:
            Settings(**{name: value})
        assert str(caught.value) == f"load_teacher.{name} is {value!r}: {says}"


def test_whole_numbers_of_other_libraries_are_taken():
    settings = Settings(latent_dim=np.int64(16), sample_shape=np.array([8, 8, 3]), tags="serve")
    assert (settings.latent_dim, settings.sample_shape, settings.tags) == (16, (8, 8, 3), ("serve",))
    assert Settings(inputs={}) == Settings()


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """A teacher of every kind, by the kind's name."""
    folder = tmp_path_factory.mktemp("things")
    (folder / "images").mkdir()
    Image.fromarray(BYTES[0]).save(folder / "images" / "0.png")
    np.savez(folder / "images.npz", images=BYTES)
    np.savez(folder / "pairs.npz", images=BYTES / 255.0, latents=np.ones((30, 3)))
    MLPGenerator(3, (4, 6, 3), 4, 1).save(folder / "own.keras")
    (folder / "own.onnx").touch()
    return folder


@pytest.mark.parametrize(
    ("name", "bound", "says"),
    [
        ("images", {"latent_dim": 3}, "latent_dim does not apply to a folder of images"),
        ("images", {"layout": "NHWC"}, "layout does not apply to a folder of images"),
        ("images", {"output_range": (0, 1)}, "output_range does not apply to a folder of images"),
        ("images", {"prior": "normal"}, "prior does not apply to a folder of images"),
        ("images.npz", {"layout": "NHWC"}, "layout does not apply to an .npz file"),
        ("images.npz", {"latent_dim": 3}, "latent_dim does not apply to an .npz file"),
        ("images.npz", {"prior": "uniform"}, "prior does not apply to .*images.npz, which holds no latents"),
        ("images.npz", {"output_range": (0, 1)}, "output_range does not apply to the uint8 images in .*images.npz"),
        ("own.keras", {"signature": "default"}, "signature does not apply to a .keras file"),
        ("own.onnx", {"tags": ["serve"]}, "tags does not apply to an .onnx file"),
        ("m:f", {"signature": "x", "latent_dim": 3}, "signature does not apply to a Python function"),
        ("m:f", {"tags": "serve"}, "tags does not apply to a Python function"),
        ("m:f", {"inputs": {"label": 3}}, "inputs does not apply to a Python function"),
        ("m:f", {"output": 0}, "output does not apply to a Python function"),
    ],
)
def test_what_does_not_apply_is_refused(name, bound, says, things):
    with pytest.raises(UserError, match=rf"^load_teacher.{says}: remove it, or bind None$"):
        load_teacher(name if name == "m:f" else str(things / name), **bound)


def test_the_prior_of_pairs_is_what_is_bound(things):
    path = things / "pairs.npz"
    assert (load_teacher(path).prior, load_teacher(path, prior="uniform").prior) == ("normal", "uniform")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "there is no teacher '': give a run folder"),
        (5, "there is no teacher 5: give a run folder"),
        ("~nouser/x", "~nouser/x: the home folder is unknown; write the whole path"),
        ("lat\udcff1", r"'lat\\udcff1' is not UTF-8: rename the file or folder"),
    ],
)
def test_a_name_that_names_nothing_is_one_line(name, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lat\udcff1").mkdir()
    with pytest.raises(UserError, match=f"^{says}"):
        load_teacher(name)
    assert not is_there("")


def test_a_folder_that_is_not_utf_8_gives_a_name_that_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "lat\udcff1").mkdir()
    Image.fromarray(BYTES[0]).save(tmp_path / "lat\udcff1" / "0.png")
    monkeypatch.chdir(tmp_path / "lat\udcff1")
    assert load_teacher(".").name == "lat\ufffd1"
