"""Banks with a damaged bank.json, or other arrays with right checksums; banks that were cut while they were made."""

import hashlib
import io
import json
import pathlib
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from fuzzing import fuzzed, json_files, mutated, odd, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.teachers import bank
from akdg_tf.teachers.bank import TeacherBank

SHAPES = {"images": ((3, 2, 2, 1), np.uint8), "latents": ((3, 4), np.float32)}
META = {"prior": "normal", "latent_dim": 4, "count": 3, "seed": 0, "sha256": {"images": "0" * 64, "latents": "0" * 64}}


def npy(array, save=np.save):
    content = io.BytesIO()
    save(content, array)
    return content.getvalue()


WHOLE = {name: npy(np.zeros(shape, dtype)) for name, (shape, dtype) in SHAPES.items()}
OTHERS = [
    *(
        npy(np.zeros(shape, dtype))
        for shape in ((3, 2, 2, 1), (3, 2), (3,), ())
        for dtype in (np.float16, "U1", "M8[s]")
    ),
    *(npy(np.asfortranarray(np.zeros((3, 4), np.float32))), npy(np.zeros((3, 4), "f4,u1"))),
    *(npy(np.array([{}] * 3)), npy(np.zeros(3), np.savez), b"", b"\x80\x04]."),
]
arrays = st.one_of(mutated([*WHOLE.values()]), st.sampled_from(OTHERS))


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as parent:
        yield pathlib.Path(parent)


def check(folder, meta, contents):
    for name, content in contents.items():
        (folder / f"{name}.npy").write_bytes(content)
    (folder / "bank.json").write_bytes(meta)
    with watched(folder):
        found = one_line(TeacherBank, folder)
        if found is not None:
            z, images = found.draw_pairs(2, (0, 1), tf.constant(0, tf.int64))
            assert len(z) == len(images) == 2 and images.dtype == tf.float32


def sums(contents):
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


@fuzzed(100)
@given(meta=json_files({**META, "sha256": sums(WHOLE)}))
def test_any_description(folder, meta):
    check(folder, meta, WHOLE)


@fuzzed(75)
@given(
    images=arrays, latents=arrays, changed=st.dictionaries(st.sampled_from(("latent_dim", "count")), odd, max_size=1)
)
def test_any_arrays_with_their_checksums(folder, images, latents, changed):
    contents = {"images": images, "latents": latents}
    check(folder, json.dumps({**META, **changed, "sha256": sums(contents)}).encode(), contents)


@fuzzed(50)
@given(contents=st.fixed_dictionaries({"images": arrays, "latents": arrays}), done=mutated([b"0", b"2", b"999"]))
def test_any_bank_that_was_cut_is_continued_or_begun_anew(folder, contents, done):
    for name, content in contents.items():
        (folder / f"{name}.npy").write_bytes(content)
    (folder / "done").write_bytes(done)
    with watched(folder):
        files, first = bank._unfinished(folder, SHAPES, 3)
        assert 0 <= first <= 3
        for name, (shape, dtype) in SHAPES.items():
            assert files[name].shape == shape and files[name].dtype == dtype
            files[name].close()
