"""A Python function as a teacher: what it may do, and one line for what it may not."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.errors import UserError
from akdg_tf.teachers.bank import make_bank
from akdg_tf.teachers.load import _loaded, load_teacher
from akdg_tf.teachers.python_function import HostFunction
from akdg_tf.training import config
from akdg_tf.training.failures import failure_of

FUNCTIONS = """
import sys
import numpy as np

calls = 0

def plain(z):
    return np.tile(np.tanh(z[:, :1, None, None]), (1, 4, 6, 3)).astype("float32")

def in_place(z):
    z *= 0.5
    return plain(z)

def random(z):
    return plain(z) * np.random.uniform(0.9, 1.0)

def random_bytes(z):
    return np.random.randint(0, 256, (len(z), 4, 6, 3)).astype(np.uint8)

def noisy(z):
    return plain(z) * (1 - np.random.uniform(0, 1e-6))

def fails_later(z):
    global calls
    calls += 1
    if calls > LIMIT:
        raise RuntimeError("the server is gone")
    return plain(z)

def a_tuple(z): return plain(z), 1
def two_arrays(z): return plain(z), plain(z)
def a_dict(z): return {"images": plain(z)}
def nothing(z): pass
def text(z): return "images"
def complex_numbers(z): return plain(z) + 1j
def objects(z): return [object()] * len(z)
def one_image(z): return plain(z)[0]
def one_number(z): return 0.5
def asserts(z): assert len(z) > 100
def leaves(z): sys.exit("bye")

def changes(z):
    global calls
    calls += 1
    return plain(z) if calls % 2 else (255 * np.abs(plain(z))).astype(np.uint8)
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "functions", raising=False)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    _loaded.cache_clear()
    yield
    _loaded.cache_clear()


def load(name):
    return load_teacher(f"functions:{name}", latent_dim=3, output_range=None if name == "random_bytes" else (-1, 1))


def test_a_function_that_changes_its_input_changes_no_latents(tmp_path):
    teacher = load("in_place")
    count, seed, step = tf.constant(5), (7, latents.STUDENT), tf.constant(3, tf.int64)
    expected = teacher.draw_latents(count, seed, step).numpy()
    for draw in (teacher.draw_pairs, tf.function(teacher.draw_pairs)):
        z, images = draw(count, seed, step)
        np.testing.assert_array_equal(z, expected)
        np.testing.assert_allclose(images[:, 0, 0, 0], np.tanh(expected[:, 0] / 2), atol=1e-6)
    bank = make_bank(teacher, 20, 0, tmp_path / "banks")
    drawn = latents.draw("normal", 250, 3, (0, latents.BANK), tf.constant(0, tf.int64))[:20]
    np.testing.assert_array_equal(bank.latents, drawn)


@pytest.mark.parametrize("name", ["random", "random_bytes"])
def test_a_function_must_give_the_same_images_for_the_same_latents(name):
    says = f"the function functions:{name} gives other images for the same latents: seed it from them, or write its"
    with pytest.raises(UserError, match=says):
        load(name)


def test_rounding_noise_is_no_other_image_and_is_told(caplog):
    load("noisy")
    assert any("images that differ by rounding" in message for message in caplog.messages)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a_tuple", r"fails for latents of the shape \(8, 3\) \(ValueError: .*"),
        ("two_arrays", "gives a tuple: it must give one array of images"),
        ("a_dict", "gives a dict: it must give one array of images"),
        ("nothing", "gives None: it must give one array of images"),
        ("text", "gives a str: it must give one array of images"),
        ("complex_numbers", "gives an array of complex64: it must give one array of images"),
        ("objects", "gives a list: it must give one array of images"),
        ("one_image", r"gives an array of the shape \(4, 6, 3\) for 8 latents"),
        ("one_number", r"gives an array of the shape \(\) for 8 latents"),
        ("asserts", r"fails for latents of the shape \(8, 3\) \(AssertionError in functions.py, line \d+\)"),
        ("leaves", r"fails for latents of the shape \(8, 3\) \(SystemExit: bye\)"),
        ("changes", "gives uint8 now and float32 before: give one kind of numbers"),
    ],
)
def test_what_is_no_array_of_images_is_one_line(name, says):
    with pytest.raises(UserError, match=rf"^the function functions:{name} {says}$"):
        load(name)


def test_a_module_that_leaves_python_is_one_line(tmp_path):
    (tmp_path / "leaving.py").write_text("raise SystemExit\n")
    with pytest.raises(UserError, match=r"leaving:f cannot be imported \(SystemExit in leaving.py, line 1\)"):
        load_teacher("leaving:f", latent_dim=3)


GONE = (
    r"the function functions:fails_later fails for latents of the shape \(\d+, 3\) \(RuntimeError: the server is gone\)"
)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_what_a_function_raises_while_it_is_loaded_is_told(limit, tmp_path):
    (tmp_path / "functions.py").write_text(FUNCTIONS.replace("LIMIT", str(limit)))
    with pytest.raises(UserError, match=rf"^{GONE}$"):
        load("fails_later")


def test_what_a_function_raises_later_is_told(tmp_path):
    (tmp_path / "functions.py").write_text(FUNCTIONS.replace("LIMIT", "calls_before"))
    sys.path.insert(0, str(tmp_path))
    import functions

    functions.calls_before = 100
    teacher = load("fails_later")
    folder = tmp_path / "banks"
    functions.calls_before = functions.calls + 1  # the bank begins with the digest of its teacher
    with pytest.raises(UserError, match=rf"^{GONE}$"), config.explained():
        make_bank(teacher, 20, 0, folder)
    with pytest.raises(tf.errors.OpError) as caught:  # as a training step with an OnlineTeacher
        tf.function(teacher)(tf.zeros((2, 3)))
    assert failure_of(caught.value) == (
        "the function functions:fails_later fails for latents of the shape (2, 3) (RuntimeError: the server is gone)"
    )


def test_equal_kinds_of_numbers_of_other_sizes_are_taken():
    sizes = iter(["float32", "float64"])
    function = HostFunction(lambda z: z.astype(next(sizes)), "f")
    assert [function(np.zeros((2, 3), np.float32)).dtype.name for _ in range(2)] == ["float32", "float64"]
