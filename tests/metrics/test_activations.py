"""Activations are computed once and kept, unless they are of a part of the images."""

import dataclasses
import errno
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support import fake_classifier

from akdg_tf.data import image_reader
from akdg_tf.data.folder import ImageFolder
from akdg_tf.data.image_reader import ImageReader
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics import activations
from akdg_tf.metrics.evaluation import Samples, score_all
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.teachers.frozen import FrozenGenerator


def test_real_activations_are_computed_once_for_a_dataset_a_classifier_and_a_seed(cache):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
    calls = []
    classifier = fake_classifier()
    counting = dataclasses.replace(classifier, outputs=lambda x: calls.append(len(x)) or classifier.outputs(x))

    def reals(images, count, seed):
        calls.clear()
        dataset = ImageArrays("d", "train", images, None)
        with activations.of_reals(counting, dataset, count, seed, cache) as found:
            return np.array(found.features), sum(calls)

    first, computed = reals(pixels, 30, 0)
    assert computed == 30
    again, computed = reals(pixels.copy(), 30, 0)
    assert computed == 0
    np.testing.assert_array_equal(again, first)
    assert [reals(pixels, 30, 1)[1], reals(pixels, 20, 0)[1], reals(255 - pixels, 30, 0)[1]] == [30, 20, 30]
    (whole, computed), (of_seed_1, again) = reals(pixels, 40, 0), reals(pixels, 50, 1)
    assert (computed, again) == (40, 0)  # all of them are the same for every seed, and in the same order
    np.testing.assert_array_equal(of_seed_1, whole)
    shutil.rmtree(cache)
    np.testing.assert_array_equal(reals(pixels, 40, 1)[0], whole)


@pytest.fixture
def pictures(tmp_path):
    """A folder of 20 images, and how to read it."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    (tmp_path / "pictures").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{number:02}.png")
    return tmp_path / "pictures", lambda: ImageFolder(tmp_path / "pictures", (4, 4, 1))


def unreadable(monkeypatch, names):
    """Files that the system cannot open for a while; nothing about them changes."""
    read = ImageReader.read

    def failing(self, path):
        if path.name in names:
            raise OSError(errno.EIO, "Input/output error")
        return read(self, path)

    monkeypatch.setattr(ImageReader, "read", failing)


def kept(cache):
    return [path.name for path in cache.iterdir() if not path.name.startswith(".lock")]


def test_activations_are_not_kept_if_files_could_not_be_read(pictures, cache, monkeypatch, caplog):
    """Otherwise the scores of all later runs would be over a part of the data, without a word."""
    _, open_folder = pictures
    with monkeypatch.context() as patch:
        unreadable(patch, {f"{number:02}.png" for number in range(5)})
        before = open_folder().digest()
        with caplog.at_level("INFO"), activations.of_reals(fake_classifier(), open_folder(), 20, 0, cache) as part:
            assert len(part.features) == len(part.logits) == 15
    assert any("real images of folder: 15 of 20 can be read" in message for message in caplog.messages)
    assert kept(cache) == []
    with activations.of_reals(fake_classifier(), open_folder(), 20, 0, cache) as whole:
        assert len(whole.features) == 20
    assert open_folder().digest() == before and len(kept(cache)) == 1
    with activations.of_reals(fake_classifier(), open_folder(), 12, 0, cache) as some:
        assert len(some.features) == 12  # as many as were asked for: these are kept
    assert len(kept(cache)) == 2


def test_the_version_of_the_reader_makes_other_activations(pictures, cache, monkeypatch):
    _, open_folder = pictures
    for version in (image_reader.VERSION, image_reader.VERSION + 1):
        monkeypatch.setattr(image_reader, "VERSION", version)
        with activations.of_reals(fake_classifier(), open_folder(), 20, 0, cache):
            pass
    assert len(kept(cache)) == 2


@pytest.mark.parametrize("readable", [1, 4, 9])
def test_too_few_readable_files_are_refused_before_the_training(readable, pictures):
    folder, open_folder = pictures
    for number in range(readable, 20):
        (folder / f"{number:02}.png").write_bytes(b"no image")
    says = f"^scores need at least 10 real images: only {readable} of the 20 in dataset 'folder' can be read$"
    with pytest.raises(UserError, match=says):
        ImageScores(fake_classifier, 20).prepare(open_folder())


def test_ten_readable_files_are_enough_and_fewer_are_one_line_at_the_end_too(pictures, monkeypatch):
    folder, open_folder = pictures
    for number in range(10, 20):
        (folder / f"{number:02}.png").write_bytes(b"no image")
    dataset, scores = open_folder(), ImageScores(fake_classifier, 20)
    scores.prepare(dataset)
    fakes = np.random.default_rng(0).uniform(-1, 1, (20, 4, 4, 1)).astype(np.float32)
    found = scores({"student": Samples([fakes])}, dataset, 0)["student"]
    assert all(np.isfinite(score.value) for score in found.values()) and found["fid[mnist-classifier]"].n_real == 10
    for gone, says in ((range(6), "only 4 of the 20"), (range(20), "none of 20 can be read")):
        with monkeypatch.context() as patch, pytest.raises(UserError, match=says):
            unreadable(patch, {f"{number:02}.png" for number in gone})
            scores({"student": Samples([fakes])}, dataset, 0)


def test_activations_of_a_teacher_are_computed_once_for_all_its_students(cache):
    """Not those of a generator that no other run scores, and not over another classifier."""
    dataset = ImageArrays("d", "train", np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8), None)
    teacher = FrozenGenerator(lambda z: tf.reshape(tf.tanh(tf.tile(z, (1, 4))), (-1, 4, 4, 1)), 4)
    computed = []

    def score(classifier, kept):
        counting = dataclasses.replace(classifier, outputs=lambda x: computed.append(len(x)) or classifier.outputs(x))
        computed.clear()
        evaluations = {"scores": ImageScores(lambda: counting, 30)}
        scores = score_all(evaluations, {"teacher": teacher}, dataset, kept)["teacher"]
        return sum(computed), next(score.value for name, score in scores.items() if name.startswith("fid"))

    first, again = score(fake_classifier(), ("teacher",)), score(fake_classifier(), ("teacher",))
    assert (first[0], again[0]) == (30 + 30, 0) and first[1] == again[1]
    assert score(fake_classifier(), ()) == (30, first[1])
    other = dataclasses.replace(fake_classifier("other"), digest="other")
    assert score(other, ("teacher",))[0] == 30 + 30


def test_a_full_disk_shows_before_activations_are_written_and_leaves_nothing(pictures, cache, monkeypatch):
    """A sparse file that is mapped into memory would end the process (SIGBUS)."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with (
        pytest.raises(OSError, match="No space left"),
        activations.of_reals(fake_classifier(), pictures[1](), 20, 0, cache),
    ):
        pass
    assert kept(cache) == []
