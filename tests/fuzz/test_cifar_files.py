"""Pickles of CIFAR-10, broken as bytes and as values: a batch or one line, and nothing that they name is called."""

import pickle
import tempfile

import numpy as np
import pytest
from fuzzing import fuzzed, mutated, odd, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.data import cifar

BATCH = {
    b"batch_label": b"training batch 1 of 5",
    b"labels": [0, 9, 3],
    b"data": np.arange(3 * 3072, dtype=np.uint8).reshape(3, 3072),
    b"filenames": [b"a.png", b"b.jpg", b"c.png"],
}
CALLS = [b"cos\nsystem\n(X\x06\x00\x00\x00exit 1tR.", b"cbuiltins\neval\n(X\x011tR.", b"c__main__\nx\n."]
VALID = [pickle.dumps(BATCH, protocol) for protocol in (2, 3, 4, 5)] + CALLS
arrays = st.sampled_from(
    [np.zeros((3, 3072)), np.zeros((0, 3072), np.uint8), np.array([None]), np.zeros((3, 3072), np.uint8, order="F")]
)
values = st.one_of(odd, arrays, st.binary(max_size=20), st.lists(st.integers(-1, 10), max_size=5))


@pytest.fixture(scope="module")
def path():
    with tempfile.TemporaryDirectory() as folder:
        yield cifar.pathlib.Path(folder, "data_batch_1")


def check(path, content):
    path.write_bytes(content)
    with watched(path.parent):
        found = one_line(cifar.read_batch, path)
    if found:
        images, labels, _ = found
        assert images.dtype == np.uint8 and images.shape == (len(labels), 32, 32, 3) and 0 <= labels.min() <= 9


@fuzzed(150)
@given(content=mutated(VALID))
def test_broken_bytes(path, content):
    check(path, content)


@fuzzed(100)
@given(
    changed=st.dictionaries(st.sampled_from([*BATCH, b"x"]), values, max_size=3),
    gone=st.sets(st.sampled_from(list(BATCH)), max_size=1),
    protocol=st.integers(2, 5),
)
def test_values_of_other_types(path, changed, gone, protocol):
    batch = {key: value for key, value in {**BATCH, **changed}.items() if key not in gone}
    try:
        content = pickle.dumps(batch, protocol)
    except UnicodeEncodeError:  # a surrogate, which this protocol cannot hold
        return
    check(path, content)
