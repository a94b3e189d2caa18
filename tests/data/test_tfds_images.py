"""A small TFDS dataset of real photographs, prepared in a folder: read at random, and nothing downloaded."""

import ast
import logging
import re
import shutil
import socket
import sys

import contracts
import lsun
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image, ImageOps

from akdg_tf.data import image_reader, load_dataset
from akdg_tf.data.choice import Data
from akdg_tf.data.images import to_uint8
from akdg_tf.data.tfds_images import TfdsImages, load_tfds
from akdg_tf.errors import UserError

SHAPE = (16, 16, 3)
SIZE = (40, 56)
COUNT = 10
FILE = "photographs-train.array_record-00000-of-00001"


def prepare(folder, features, examples, split="train", file_format="array_record"):
    """Prepares a dataset named "photographs"."""
    tfds.dataset_builders.store_as_tfds_dataset(
        name="photographs",
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets={split: tf.data.Dataset.from_tensor_slices(examples)},
        data_dir=folder,
        file_format=file_format,
        disable_shuffling=True,
    )


def photographs():
    return np.stack([np.asarray(image) for image in lsun.crops(COUNT, SIZE)])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    features = {"id": tfds.features.Text(), "image": tfds.features.Image(encoding_format="png")}
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder, features, {"id": [str(number) for number in range(COUNT)], "image": photographs()})
    return folder


@pytest.fixture
def folder(prepared, tmp_path):
    """What a test may change."""
    return shutil.copytree(prepared, tmp_path / "tensorflow_datasets")


def fitted():
    return [np.asarray(ImageOps.fit(Image.fromarray(image), (16, 16))) for image in photographs()]


def test_each_example_is_an_image_resized_and_cropped(prepared):
    dataset = TfdsImages("photographs", prepared, SHAPE)
    assert (dataset.size, dataset.split) == (COUNT, "train of photographs/1.0.0 (10)")
    np.testing.assert_array_equal(dataset.read(range(COUNT)), fitted())


def test_a_tfds_dataset_keeps_the_contract_of_datasets(prepared):
    contracts.dataset_contract(TfdsImages("photographs:1.0.0", prepared, SHAPE))


def test_it_is_loaded_by_the_names_that_are_bound(prepared):
    data = Data("tfds", tfds_name="photographs")
    dataset = load_dataset(data.name, prepared, SHAPE, **data.options)
    assert dataset.name == "tfds" and dataset.sample_shape == SHAPE
    assert load_tfds(prepared, tfds_name="photographs").sample_shape == (32, 32, 3)
    with pytest.raises(UserError, match=r"bind Data\.tfds_name, such as 'lsun/bedroom'$"):
        load_dataset("tfds", prepared, SHAPE)


def test_transparent_pixels_show_the_background(tmp_path):
    hidden = np.full((2, 8, 8, 4), (200, 0, 0, 0), np.uint8)
    prepare(tmp_path, {"image": tfds.features.Image(shape=(None, None, 4))}, {"image": hidden})
    images = to_uint8(TfdsImages("photographs", tmp_path, SHAPE, background=(7, 7, 7)).reals(1, 0))
    assert images.min() == images.max() == 7


def test_the_only_image_is_read_whatever_its_name_and_of_several_that_named_image(tmp_path):
    image = tfds.features.Image()
    pixels, dark = photographs(), np.zeros((COUNT, 8, 8, 3), np.uint8)
    prepare(tmp_path / "one", {"photo": image}, {"photo": pixels})
    prepare(tmp_path / "two", {"image": image, "mask": image}, {"image": pixels, "mask": dark})
    prepare(tmp_path / "unclear", {"left": image, "right": image}, {"left": pixels, "right": dark})
    prepare(tmp_path / "none", {"id": tfds.features.Text()}, {"id": ["a"]})
    for name in ("one", "two"):
        np.testing.assert_array_equal(TfdsImages("photographs", tmp_path / name, SHAPE).read(range(COUNT)), fitted())
    with pytest.raises(UserError, match=r"must have one image, not left, right$"):
        TfdsImages("photographs", tmp_path / "unclear", SHAPE)
    with pytest.raises(UserError, match=r"must have one image, not none$"):
        TfdsImages("photographs", tmp_path / "none", SHAPE)


def test_images_of_floats_are_refused(tmp_path):
    floats = tfds.features.Image(shape=(None, None, 1), dtype=np.float32)
    prepare(tmp_path, {"image": floats}, {"image": np.zeros((2, 8, 8, 1), np.float32)})
    with pytest.raises(UserError, match=r"are float32: they must be uint8 or uint16$"):
        TfdsImages("photographs", tmp_path, SHAPE)


def code_in(message):
    """The Python code of the command that a message shows; it must be valid."""
    (code,) = re.findall(r'python -c "([^"]*)"', message)
    ast.parse(code)
    return code


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", ["nosuch", "mnist", "photographs/other", "photographs:2.0.0", "no such name!"])
def test_a_dataset_that_is_not_prepared_is_one_line_with_the_command_that_prepares_it(name, prepared, no_network):
    with pytest.raises(UserError, match=f"^TFDS dataset {name!r} is not prepared") as caught:
        TfdsImages(name, prepared, SHAPE)
    assert code_in(str(caught.value)) == (
        f"import tensorflow_datasets as tfds; tfds.builder({name!r}, data_dir={str(prepared)!r}, "
        "file_format='array_record').download_and_prepare()"
    )
    assert "tensorflow-io" not in str(caught.value)


def test_without_a_folder_that_of_tfds_is_meant(no_network):
    with pytest.raises(UserError, match="is not prepared") as caught:
        load_tfds(tfds_name="nosuch")
    assert "tfds.builder('nosuch', file_format='array_record')" in code_in(str(caught.value))


def test_lsun_that_is_not_prepared_is_told_what_tfds_lacks(tmp_path, no_network):
    with pytest.raises(UserError, match=r"only with tensorflow-io, .* 2\.16; Data\.name='lmdb' reads"):
        TfdsImages("lsun/bedroom", tmp_path, SHAPE)


def test_another_format_than_array_record_is_one_line(tmp_path):
    prepare(tmp_path, {"image": tfds.features.Image()}, {"image": photographs()}, file_format="tfrecord")
    with pytest.raises(UserError, match=r"has the format tfrecord, not array_record, which shuffling needs;") as caught:
        TfdsImages("photographs", tmp_path, SHAPE)
    assert "data_dir='ANOTHER_FOLDER', file_format='array_record'" in code_in(str(caught.value))


def test_a_dataset_without_a_split_for_training_is_one_line(tmp_path):
    prepare(tmp_path, {"image": tfds.features.Image()}, {"image": photographs()}, split="test")
    with pytest.raises(UserError, match=r"has no split 'train', only 'test'$"):
        TfdsImages("photographs", tmp_path, SHAPE)


def test_files_that_are_missing_are_one_line_at_the_beginning_and_later(folder, caplog):
    dataset, file = TfdsImages("photographs", folder, SHAPE), folder / "photographs" / "1.0.0" / FILE
    content = file.read_bytes()
    file.unlink()
    says = r"^1 of the 1 files in .*photographs/1\.0\.0 are missing: bring them back$"
    with pytest.raises(UserError, match=says):
        TfdsImages("photographs", folder, SHAPE)
    file.write_bytes(content)
    dataset = TfdsImages("photographs", folder, SHAPE)
    file.unlink()
    file.with_name("elsewhere").write_bytes(content)
    dataset._examples.data_source._readers[:] = [None]  # as if it had to open the file again
    with caplog.at_level(logging.WARNING), pytest.raises(UserError, match=says):
        dataset.read([0])
    assert not caplog.messages


def test_examples_that_cannot_be_read_are_named_and_the_next_one_stands_in(folder, caplog):
    file = folder / "photographs" / "1.0.0" / FILE
    content = bytearray(file.read_bytes())
    place = content.index(b"\x89PNG", content.index(b"\x89PNG") + 1)  # of the second image
    content[place + 500] ^= 255
    file.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        dataset = TfdsImages("photographs", folder, SHAPE)
    assert dataset.unreadable == {"example 1"} and len(caplog.messages) == 1
    expected = fitted()
    np.testing.assert_array_equal(dataset.read([0, 1, 2]), [expected[0], expected[2], expected[2]])


def test_a_file_that_is_damaged_altogether_is_one_line(folder):
    (folder / "photographs" / "1.0.0" / FILE).write_bytes(bytes(100_000))
    with pytest.raises(UserError, match=r"none of the 10 images in .* can be read: prepare the dataset again$"):
        TfdsImages("photographs", folder, SHAPE)


def test_the_digest_is_of_the_files_and_of_how_they_are_read(folder, tmp_path, monkeypatch):
    first = TfdsImages("photographs", folder, SHAPE).digest()
    moved = folder.rename(tmp_path / "moved")
    assert TfdsImages("photographs", moved, SHAPE).digest() == first
    found = [first, TfdsImages("photographs", moved, (4, 4, 3)).digest()]
    found.append(TfdsImages("photographs", moved, SHAPE, background=(0, 0, 0)).digest())
    monkeypatch.setattr(image_reader, "VERSION", image_reader.VERSION + 1)
    found.append(TfdsImages("photographs", moved, SHAPE).digest())
    assert len(set(found)) == len(found)


def test_without_tfds_the_extra_is_named(prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r"^dataset 'tfds' needs the extra 'tfds': pip install tensorflow-datasets "):
        TfdsImages("photographs", prepared, SHAPE)
