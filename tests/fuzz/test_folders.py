"""Data folders with any names, links and content: a dataset that never fails later, or one line."""

import os
import pathlib
import tempfile

import numpy as np
from fuzzing import fuzzed, mutated, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.data.folder import ImageFolder

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63f80f00010101001bb6ee56"
    "0000000049454e44ae426082"
)
SHAPE = (4, 4, 1)
names = st.one_of(
    st.sampled_from(
        ("a", ".a", "__MACOSX", "runs", "config.gin", "a\n", "\x1b[2J", "é", "ä" * 100, "\udcff", "-rf", "~")
    ),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=20),
)
suffixes = st.sampled_from(("", ".png", ".PNG", ".jpg", ".gif", ".heic", ".png.png"))
files = st.tuples(st.lists(names, max_size=3), names, suffixes, st.one_of(mutated([PNG]), st.just(PNG)))
links = st.sampled_from((".", "..", "/nosuch", "a", "/dev/zero", "../outside"))


def fill(folder, found, linked):
    """Writes files and links; those with impossible names are left out."""
    for parents, name, suffix, content in found:
        try:
            parent = folder.joinpath(*parents)
            if not parent.resolve().is_relative_to(folder.resolve()):
                continue
            parent.mkdir(parents=True, exist_ok=True)
            (parent / (name + suffix)).write_bytes(content)
        except OSError:
            continue
    for number, target in enumerate(linked):
        (folder / f"link{number}.png").symlink_to(target)
    os.mkfifo(folder / "pipe.png")


@fuzzed(30)
@given(found=st.lists(files, max_size=4), linked=st.lists(links, max_size=2))
def test_any_folder(found, linked):
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent, "data")
        folder.mkdir()
        (folder.parent / "outside").write_bytes(PNG)
        fill(folder, found, linked)
        with watched(parent):
            dataset = one_line(ImageFolder, folder, SHAPE)
            if dataset is not None:
                images = one_line(dataset.read, range(dataset.size))
                assert images.shape == (dataset.size, *SHAPE) and images.dtype == np.uint8
                assert len(one_line(dataset.reals, 5, 0)) <= 5 and len(dataset.digest()) == 64
                dataset._threads.shutdown()
