"""LMDB environments, broken anywhere: their entries, or one line."""

import pathlib
import struct
import tempfile

import lsun
import numpy as np
import pytest
from fuzzing import fuzzed, mutated, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.data.lmdb_images import LmdbImages

SHAPE, PAGE = (4, 4, 3), 4096


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as parent:
        yield pathlib.Path(parent)


@pytest.fixture(scope="module")
def environment(folder):
    """A tree of two levels: small values in leaf pages, two images on pages of their own."""
    entries = {b"%03d" % number: b"x" * (number * 7 % 300) for number in range(60)}
    lsun.write(folder / "db", entries | {b"a": lsun.values(1, (64, 64))[0], b"b": lsun.encoded(lsun.crops(1)[0])})
    return (folder / "db" / "data.mdb").read_bytes()


def check(folder, content):
    (folder / "db" / "data.mdb").write_bytes(content)
    with watched(folder):
        dataset = one_line(LmdbImages, folder / "db", SHAPE)
        if dataset is not None:
            one_line(dataset.digest)
            images = one_line(dataset.read, [0, dataset.size - 1])
            assert images is None or (images.shape == (2, *SHAPE) and images.dtype == np.uint8)
            dataset._entries._pages._file.close()
            dataset._threads.shutdown()


@fuzzed(50)
@given(data=st.data())
def test_broken_bytes(folder, environment, data):
    check(folder, data.draw(mutated([environment])))


words = st.one_of(st.integers(0, 70), st.sampled_from((PAGE, 2**16 - 1, 2**31, 2**32 - 1, 2**48, 2**63, 2**64 - 1)))
writes = st.tuples(st.integers(0, 15), st.integers(0, 40), st.sampled_from("HIQ"), words)


@fuzzed(75)
@given(changes=st.lists(writes, min_size=1, max_size=4))
def test_numbers_in_the_heads_of_pages(folder, environment, changes):
    """Most of what is read is at the start of pages: two meta pages, then branches and leaves."""
    content = bytearray(environment)
    for page, place, kind, value in changes:
        at = page * PAGE + place * 4
        if at + 8 <= len(content):
            struct.pack_into(f"<{kind}", content, at, value % 2 ** (8 * struct.calcsize(kind)))
    check(folder, bytes(content))
