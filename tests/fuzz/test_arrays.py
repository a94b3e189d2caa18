"""Files of arrays, as data and as teachers: images, or one line."""

import io
import pathlib
import tempfile

import numpy as np
import pytest
from fuzzing import fuzzed, mutated, one_line, watched
from hypothesis import given

from akdg_tf.data.images import load_npy
from akdg_tf.teachers.npz import of_npz

IMAGES = np.zeros((3, 4, 4, 1), np.uint8)


def saved(save, *arrays, **named):
    content = io.BytesIO()
    save(content, *arrays, **named)
    return content.getvalue()


NPY = [saved(np.save, each) for each in (IMAGES, IMAGES.astype(np.float32), np.array([None, {}]))]
NPZ = [
    saved(np.savez, images=IMAGES, latents=np.zeros((3, 2))),
    saved(np.savez_compressed, images=IMAGES / 2),
    saved(np.savez, images=np.array([None, {}])),
]


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as parent:
        yield pathlib.Path(parent)


@fuzzed(75)
@given(content=mutated(NPY + NPZ))
def test_arrays_of_data(folder, content):
    (folder / "images.npy").write_bytes(content)
    with watched(folder):
        found = one_line(load_npy, folder)
        assert found is None or (found.images.dtype == np.uint8 and found.images.ndim == 4)


@fuzzed(75)
@given(content=mutated(NPZ + NPY))
def test_arrays_of_a_teacher(folder, content):
    (folder / "x.npz").write_bytes(content)
    with watched(folder):
        one_line(of_npz, folder / "x.npz", None)
