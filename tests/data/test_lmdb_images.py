"""LSUN's LMDB as a dataset: real photographs as JPEG and WebP, in random order, unreadable values skipped."""

import io
import logging
import os

import contracts
import lsun
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from akdg_tf.data import by_step, image_reader, load_dataset
from akdg_tf.data import lmdb_images as lmdb_module
from akdg_tf.data.choice import Data
from akdg_tf.data.folder import ImageFolder
from akdg_tf.data.images import to_uint8
from akdg_tf.data.lmdb_images import LmdbImages, load_lmdb
from akdg_tf.errors import UserError
from akdg_tf.training.failures import failure_of

SHAPE = (16, 16, 3)
COUNT = 12


@pytest.fixture
def entries(tmp_path):
    """Photographs in LSUN's format, sorted by their keys."""
    return lsun.write(tmp_path / "bedroom_train_lmdb", lsun.values(COUNT, size=(48, 64)))


@pytest.fixture
def folder(tmp_path, entries):
    return tmp_path / "bedroom_train_lmdb"


def fitted(content, side=16):
    """What LSUN's users do: the shorter side resized, and the centre cropped; by Pillow itself."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC))


def test_each_value_is_an_image_resized_and_cropped(folder, entries):
    dataset = LmdbImages(folder, SHAPE)
    assert (dataset.size, dataset.split) == (COUNT, "12 entries of bedroom_train_lmdb")
    formats = {Image.open(io.BytesIO(value)).format for _, value in entries}
    assert formats == {"JPEG", "WEBP"}
    expected = np.stack([fitted(value) for _, value in entries])
    np.testing.assert_array_equal(dataset.read(range(COUNT)), expected)
    assert len(np.unique(expected, axis=0)) == COUNT


def test_an_lsun_image_at_256_pixels_is_only_cropped(tmp_path):
    ((_, value),) = lsun.write(tmp_path / "db", lsun.values(1, size=(256, 340)))
    with Image.open(io.BytesIO(value)) as image:
        expected = np.asarray(image)[:, 42:298]
    np.testing.assert_array_equal(LmdbImages(tmp_path / "db", (256, 256, 3)).read([0]), [expected])


def test_a_folder_of_the_same_images_gives_the_same_batches(folder, entries, tmp_path):
    for key, value in entries:
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / f"{key.decode()}.webp").write_bytes(value)
    files, database = ImageFolder(tmp_path / "files", SHAPE), LmdbImages(folder, SHAPE)
    step = tf.constant(5, tf.int64)
    np.testing.assert_array_equal(database.batch(step, 7, 3), files.batch(step, 7, 3))
    np.testing.assert_array_equal(database.reals(9, 3), files.reals(9, 3))


def test_an_lmdb_keeps_the_contract_of_datasets(folder):
    contracts.dataset_contract(LmdbImages(folder, SHAPE))


def test_it_is_loaded_by_name_with_a_shape_and_a_background(tmp_path):
    lsun.write(tmp_path / "db", [lsun.encoded(Image.new("RGBA", (8, 8), (200, 0, 0, 0)), "WEBP")])
    for data, color in ((Data("lmdb"), 255), (Data("lmdb", background=(7, 7, 7)), 7)):
        dataset = load_dataset(data.name, tmp_path / "db", (4, 4, 3), **data.options)
        assert to_uint8(dataset.reals(1, 0)).tolist() == np.full((1, 4, 4, 3), color).tolist()
    assert load_lmdb(tmp_path / "db").sample_shape == (32, 32, 3)


BAD = {b"0" * 40: b"", b"8" * 40: b"a note", b"length": b"12", b"z\xff": b"\x89PNG"}
BAD_NAMES = {"0" * 40, "8" * 40, "f" * 40, "length", "z\\xff"}


@pytest.fixture
def bad(tmp_path, entries):
    """The photographs between values that are no images, and one that is cut."""
    cut = {b"f" * 40: entries[0][1][: len(entries[0][1]) // 2]}
    lsun.write(tmp_path / "bad", {**dict(entries), **BAD, **cut})
    return tmp_path / "bad"


def test_values_that_cannot_be_read_are_named_once_and_the_next_one_stands_in(bad, entries, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = LmdbImages(bad, SHAPE)
        drawn = to_uint8(np.concatenate([dataset.batch(tf.constant(step, tf.int64), 17, 0) for step in range(2)]))
    assert dataset.size == COUNT + 5 and dataset.unreadable == BAD_NAMES
    assert {image.tobytes() for image in drawn} == {fitted(value).tobytes() for _, value in entries}
    assert len(caplog.messages) == 5 and "5 unreadable so far" in caplog.messages[-1]
    assert all(any(repr(name) in message for message in caplog.messages) for name in BAD_NAMES)
    assert not any(" object at 0x" in message for message in caplog.messages)


def test_real_images_of_a_metric_are_those_that_can_be_read_each_once(bad, entries):
    reals = to_uint8(LmdbImages(bad, SHAPE).reals(99, 0))
    assert sorted(image.tobytes() for image in reals) == sorted(fitted(value).tobytes() for _, value in entries)


def test_some_entries_are_tried_and_the_listing_is_timed(folder, caplog, monkeypatch):
    monkeypatch.setattr(lmdb_module, "CHECKED", 3)
    with caplog.at_level(logging.INFO):
        LmdbImages(folder, SHAPE)
    listed, tried = caplog.messages
    assert listed.startswith(f"{folder}: listed 12 keys in ") and listed.endswith(" s")
    assert tried == f"{folder}: 3 of the 3 images tried of 12 can be read"


def test_the_digest_is_of_the_entries_and_of_how_they_are_read(folder, tmp_path, entries, monkeypatch):
    first = LmdbImages(folder, SHAPE).digest()
    folder.rename(tmp_path / "moved")
    assert LmdbImages(tmp_path / "moved", SHAPE).digest() == first
    lsun.write(tmp_path / "less", dict(entries[1:]))
    found = [first, LmdbImages(tmp_path / "less", SHAPE).digest()]
    found += [LmdbImages(tmp_path / "moved", (4, 4, 3)).digest()]
    found += [LmdbImages(tmp_path / "moved", SHAPE, background=(0, 0, 0)).digest()]
    monkeypatch.setattr(image_reader, "VERSION", image_reader.VERSION + 1)
    found += [LmdbImages(tmp_path / "moved", SHAPE).digest()]
    assert len(set(found)) == len(found)


def test_a_file_that_is_moved_or_removed_during_a_training_stays_open(folder):
    dataset = LmdbImages(folder, SHAPE)
    before = dataset.read(range(COUNT))
    (folder / "data.mdb").unlink()
    np.testing.assert_array_equal(dataset.read(range(COUNT)), before)


def test_a_file_that_is_cut_during_a_training_is_one_line(folder, caplog):
    dataset = LmdbImages(folder, SHAPE)
    os.truncate(folder / "data.mdb", 8192)
    with caplog.at_level(logging.WARNING), pytest.raises(tf.errors.OpError) as caught:
        next(iter(by_step(lambda step: dataset.batch(step, 4, 0), 0, 1)))
    assert failure_of(caught.value) == f"{folder / 'data.mdb'} is gone or was cut: bring it back"
    assert not caplog.messages
    with pytest.raises(UserError, match="is gone or was cut"):
        dataset.reals(4, 0)


def test_what_is_no_lmdb_environment_of_images_is_refused(tmp_path, folder):
    with pytest.raises(UserError, match=r"there is no data\.mdb in .*nowhere: dataset 'lmdb' reads"):
        LmdbImages(tmp_path / "nowhere", SHAPE)
    with pytest.raises(UserError, match=rf"; give --data_dir={folder}$"):
        LmdbImages(tmp_path, SHAPE)
    lsun.write(tmp_path / "texts", {b"a": b"no image", b"b": b"nor this"})
    with pytest.raises(UserError, match=r"^none of the 2 entries of .*texts can be read: they must be PNG,"):
        LmdbImages(tmp_path / "texts", SHAPE)
    with pytest.raises(UserError, match="give --data_dir=FOLDER"):
        load_lmdb()
    with pytest.raises(UserError, match="shape"):
        LmdbImages(folder, (2,))


def test_a_folder_of_images_that_is_an_lmdb_environment_is_told_its_name(folder):
    with pytest.raises(UserError, match=r"is an LMDB environment: bind Data\.name='lmdb'$"):
        ImageFolder(folder, SHAPE)
