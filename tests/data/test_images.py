"""Images in memory."""

import os

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.data import by_step, load_dataset
from akdg_tf.data.images import ImageArrays, shifted_and_flipped, to_float, to_uint8
from akdg_tf.errors import UserError
from akdg_tf.reporting import pictures
from akdg_tf.reporting.pictures import tile


def tiny(count=10):
    """Images whose pixels all hold their own number."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    return ImageArrays("tiny", "train", images, np.arange(count))


def numbers(dataset, size, seed, steps):
    drawn = by_step(lambda step: dataset.batch(step, size, seed), *steps)
    return [to_uint8(images.numpy())[:, 0, 0, 0].tolist() for images in drawn]


def test_every_image_once_an_epoch_in_an_order_of_its_own():
    drawn = np.concatenate(
        numbers(tiny(), 4, seed=3, steps=(0, 10))
    ).tolist()  # 40 draws: four epochs, batches span their borders
    epochs = [drawn[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_batches_follow_from_seed_and_step_alone():
    whole = numbers(tiny(), 4, seed=1, steps=(0, 8))
    assert numbers(tiny(), 4, seed=1, steps=(5, 8)) == whole[5:]
    assert numbers(tiny(), 4, seed=2, steps=(0, 8)) != whole


def test_labels_go_with_their_images():
    images, labels = tiny().labelled_batch(tf.constant(2, tf.int64), 6, 0)
    np.testing.assert_array_equal(to_uint8(images.numpy())[:, 0, 0, 0], labels)


@pytest.mark.parametrize("shift", [0, 2])
def test_an_augmented_image_is_a_crop_of_the_mirrored_border_flipped_or_not(shift):
    """By their numbers: every image must be one of the (2 shift + 1)^2 crops, or the mirror image of one."""
    images = np.random.default_rng(0).normal(size=(40, 5, 6, 1)).astype(np.float32)
    moved = shifted_and_flipped(tf.constant(images), shift, 3, tf.constant(0, tf.int64)).numpy()
    flips, places = [], set()
    for image, found in zip(
        np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)), "reflect"), moved, strict=True
    ):
        places_and_crops = [
            ((i, j), image[i : i + 5, j : j + 6]) for i in range(2 * shift + 1) for j in range(2 * shift + 1)
        ]
        fits = [(place, False) for place, crop in places_and_crops if np.array_equal(crop, found)]
        fits += [(place, True) for place, crop in places_and_crops if np.array_equal(crop[:, ::-1], found)]
        ((place, flipped),) = fits
        flips.append(flipped)
        places.add(place)
    assert 8 <= sum(flips) <= 32
    assert len(places) > 15 if shift else places == {(0, 0)}
    again = shifted_and_flipped(tf.constant(images), shift, 3, tf.constant(0, tf.int64)).numpy()
    np.testing.assert_array_equal(again, moved)
    assert not np.array_equal(shifted_and_flipped(tf.constant(images), shift, 3, tf.constant(1, tf.int64)), moved)


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_labels_go_with_a_batch_whose_size_is_a_tensor(dtype):
    step = tf.constant(2, tf.int64)
    expected, found = (tiny().labelled_batch(step, size, 0) for size in (6, tf.constant(6, dtype)))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_images_of_a_batch_of_any_size_are_shifted_and_flipped_as_those_of_a_known_one():
    images = tf.random.stateless_uniform((6, 5, 6, 1), (1, 2), -1.0, 1.0)
    contracts.assert_sizes_may_be_tensors(lambda step, size: shifted_and_flipped(images[:size], 1, 3, step))


def test_partition_is_a_partition():
    train, test = tiny().partition(3, seed=0)
    assert sorted([*train.labels, *test.labels]) == list(range(10))
    assert len(test.images) == 3


def test_mnist5k_is_real_mnist_padded_to_32():
    dataset = load_dataset("mnist5k")
    assert dataset.images.shape == (5000, 32, 32, 1)
    assert np.bincount(dataset.labels).tolist() == [500] * 10
    assert not dataset.images[:, :2].any() and dataset.images[:, 2:-2].max() == 255
    batch = dataset.batch(tf.constant(0, tf.int64), 64, 0)
    assert batch.dtype == tf.float32
    assert (float(tf.reduce_min(batch)), float(tf.reduce_max(batch))) == (-1.0, 1.0)
    assert load_dataset("mnist5k") is dataset


def test_your_own_images_are_read_from_npy(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 6, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    dataset = load_dataset("npy", str(tmp_path))
    assert dataset.sample_shape == (4, 6, 3)
    drawn = to_uint8(dataset.batch(tf.constant(0, tf.int64), 9, 0).numpy())
    assert sorted(image.tobytes() for image in drawn) == sorted(image.tobytes() for image in images)


def an_archive(path):
    with path.open("wb") as file:
        np.savez(file, images=np.zeros((3, 4, 4, 1), np.uint8))


def objects(path):
    np.save(path, np.array([{"a": 1}, None], object), allow_pickle=True)


def cut_short(path):
    np.save(path, np.zeros((30, 4, 4, 1), np.uint8))
    path.write_bytes(path.read_bytes()[:200])


def a_cut_archive(path):
    an_archive(path)
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda path: None, "there is no .*images.npy"),
        (lambda path: np.save(path, np.zeros((3, 4, 4, 1), np.float32)), "holds float32"),
        (lambda path: np.save(path, np.zeros((3, 4, 4), np.uint8)), r"holds uint8 \(3, 4, 4\)"),
        (lambda path: np.save(path, np.zeros((0, 4, 4, 1), np.uint8)), r"holds uint8 \(0, 4, 4, 1\)"),
        (lambda path: np.save(path, np.zeros((3, 0, 4, 1), np.uint8)), r"holds uint8 \(3, 0, 4, 1\)"),
        (an_archive, "is an .npz archive"),
        (a_cut_archive, "cannot be read"),
        (objects, r"cannot be read \(an array of objects\)"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(b"not an array"), "cannot be read"),
        (cut_short, "cannot be read"),
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: os.mkfifo(path), "is not a file"),
    ],
)
def test_an_npy_that_holds_no_images_is_one_line(write, says, tmp_path):
    write(tmp_path / "images.npy")
    with pytest.raises(UserError, match=says) as caught:
        load_dataset("npy", str(tmp_path))
    assert "images.npy" in str(caught.value) and "NpzFile" not in str(caught.value)


@pytest.mark.parametrize(("count", "shape"), [(5, (8, 8, 3)), (20, (20, 16, 3)), (64, (32, 32, 3))])
def test_few_images_make_a_picture_too(count, shape, monkeypatch):
    shown = []
    monkeypatch.setattr(pictures, "tile", lambda images, columns: shown.append(tile(images, columns)) or shown[-1])
    pictures.side_by_side({"a": np.zeros((count, 4, 4, 1))})
    assert shown[0].shape == shape


@pytest.mark.parametrize("dataset", [tiny(), tiny().partition(3, seed=0)[0]])
def test_images_in_memory_keep_the_contract_of_datasets(dataset):
    contracts.dataset_contract(dataset)


def test_mnist5k_and_npy_keep_the_contract_of_datasets(tmp_path):
    contracts.dataset_contract(load_dataset("mnist5k"))
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (9, 4, 6, 3), np.uint8))
    contracts.dataset_contract(load_dataset("npy", str(tmp_path)))


def test_the_digest_is_of_the_pixels():
    images = tiny().images
    other = images.copy()
    other[3, 1, 1, 0] += 1
    assert (
        ImageArrays("a", "b", images, None).digest() == tiny().digest() != ImageArrays("a", "b", other, None).digest()
    )


def test_gray_levels_are_spread_over_minus_1_to_1_and_come_back():
    levels = np.arange(256, dtype=np.uint8)
    values = to_float(levels).numpy()
    np.testing.assert_allclose(values[[0, 51, 255]], [-1, -0.6, 1], atol=1e-6)
    np.testing.assert_array_equal(to_uint8(values), levels)
    np.testing.assert_array_equal(to_uint8(np.array([-7.0, 1.1, 0.001])), [0, 255, 128])


def test_a_dataset_that_cannot_be_downloaded_names_the_one_that_need_not_be(monkeypatch):
    def no_network():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", no_network)
    with pytest.raises(UserError, match=r"fashion_mnist cannot be downloaded .*use dataset 'mnist5k'"):
        load_dataset("fashion_mnist")
