"""Broken keys and signatures: never a signature that nobody made."""

import pathlib
import tempfile

import pytest
from fuzzing import fuzzed, mutated, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.zoo import signatures
from akdg_tf.zoo.checksums import SIGNATURE, SUMS


@pytest.fixture(scope="module")
def signed():
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent)
        (folder / SUMS).write_bytes(b"0" * 64 + b"  card.md\n")
        signatures.make_keys(folder / "key")
        signatures.sign(folder, folder / "key")
        names = ("key", "key.pub", SUMS, SIGNATURE)
        yield folder, {name: (folder / name).read_bytes() for name in names}


@fuzzed(125)
@given(data=st.data(), name=st.sampled_from(("key.pub", SUMS, SIGNATURE)))
def test_what_was_changed_is_refused(signed, data, name):
    folder, contents = signed
    content = data.draw(mutated([contents[name]]))
    (folder / name).write_bytes(content)
    with watched(folder):
        key = one_line(signatures.public_key, folder / "key.pub")
        accepted = key is not None and one_line(lambda: signatures.check(folder, key) or True)
        same_key = key is not None and key == signatures.public_key(_written(folder / "old.pub", contents["key.pub"]))
        assert not accepted or (
            same_key and all((folder / each).read_bytes() == contents[each] for each in (SUMS, SIGNATURE))
        )
    (folder / name).write_bytes(contents[name])


@fuzzed(30)
@given(data=st.data())
def test_any_private_key(signed, data):
    folder, contents = signed
    (folder / "other").write_bytes(data.draw(mutated([contents["key"], contents["key.pub"]])))
    with watched(folder):
        one_line(signatures.sign, folder, folder / "other")
    (folder / SIGNATURE).write_bytes(contents[SIGNATURE])


def _written(path, content):
    path.write_bytes(content)
    return path
