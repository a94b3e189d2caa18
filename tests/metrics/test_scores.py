"""Scores through TF-GAN, held against formulas written out here with numpy and scipy."""

import dataclasses
import errno
import hashlib
import os
import shutil

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
import scipy.stats
import tensorflow as tf
from PIL import Image

from akdg_tf.artifacts.result import Score
from akdg_tf.data import image_reader, load_dataset
from akdg_tf.data.folder import ImageFolder
from akdg_tf.data.image_reader import ImageReader
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics import activations
from akdg_tf.metrics import scores as scores_module
from akdg_tf.metrics.classifiers import INCEPTION_HANDLE, Classifier, load_inception
from akdg_tf.metrics.evaluation import Samples, score_all
from akdg_tf.metrics.modes import PointScores, mode_scores
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.teachers.frozen import FrozenGenerator

COUNT, FEATURES = 600, 6


def fake_classifier(name="mnist-classifier"):
    """Features are fixed linear functions of the pixels, logits of the features."""
    rng = np.random.default_rng(0)
    to_features, to_logits = rng.normal(size=(16, FEATURES)), rng.normal(size=(FEATURES, 4))

    def outputs(images):
        features = tf.reshape(images, (-1, 16)) @ tf.constant(to_features, tf.float32)
        return {"logits": features @ tf.constant(to_logits, tf.float32), "features": features}

    return Classifier(name, "none", "digest", outputs)


def halves(images):
    """A stream of two batches."""
    return iter(np.split(images, 2))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(scores_module, "CACHE", tmp_path / "statistics")
    return tmp_path / "statistics"


@pytest.fixture
def scored(cache):
    rng = np.random.default_rng(1)
    dataset = ImageArrays("d", "train", rng.integers(0, 256, (COUNT, 4, 4, 1), dtype=np.uint8), np.zeros(COUNT))
    fakes = np.tanh(rng.normal(0.2, 0.7, (COUNT, 4, 4, 1))).astype(np.float32)
    scores = ImageScores(fake_classifier, COUNT)({"student": Samples(halves(fakes))}, dataset, seed=5)["student"]
    _, real = fake_classifier().activations(dataset.reals(COUNT, 5))
    logits, fake = fake_classifier().activations(fakes)
    return scores, real.astype(np.float64), logits.astype(np.float64), fake.astype(np.float64)


def test_frechet_distance_is_the_closed_form(scored):
    scores, real, _, fake = scored
    covariances = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = np.sum((real.mean(0) - fake.mean(0)) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert scores["fid[mnist-classifier]"].value == pytest.approx(expected, rel=1e-4)


def test_inception_score_is_the_mean_over_ten_splits(scored):
    scores, _, logits, _ = scored
    values = []
    for part in np.split(logits, 10):
        p = np.exp(part) / np.exp(part).sum(1, keepdims=True)
        values.append(np.exp(np.mean(np.sum(p * (np.log(p) - np.log(p.mean(0))), axis=1))))
    assert scores["is[mnist-classifier]"].value == pytest.approx(np.mean(values), rel=1e-5)
    assert scores["is[mnist-classifier]"].std == pytest.approx(np.std(values), rel=1e-3)


def test_kernel_distance_is_the_unbiased_cubic_mmd(scored):
    """One block, for 600 is less than TF-GAN's block of 1,024."""
    scores, real, _, fake = scored

    def kernel(a, b):
        return (a @ b.T / FEATURES + 1) ** 3

    n = COUNT
    within = [(kernel(a, a).sum() - np.trace(kernel(a, a))) / (n * (n - 1)) for a in (real, fake)]
    expected = sum(within) - 2 * kernel(real, fake).mean()
    assert scores["kid[mnist-classifier]"].value == pytest.approx(expected, rel=1e-3)


def test_kernel_distance_of_several_blocks_is_their_mean_with_its_standard_error(monkeypatch):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(250, 3)), rng.normal(0.3, 1.0, size=(250, 3))
    monkeypatch.setattr(scores_module, "KID_BLOCK", 100)
    found = scores_module.kernel_distance(real, fake)

    def unbiased(x, y):
        n, m = len(x), len(y)
        xx, yy, xy = ((a @ b.T / 3 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
        return (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1)) - 2 * xy.mean()

    blocks = [(slice(0, 84)), slice(84, 167), slice(167, 250)]
    values = [unbiased(real[block], fake[block]) for block in blocks]
    assert found["value"] == pytest.approx(np.mean(values))
    assert found["std"] == pytest.approx(scipy.stats.sem(values))


def test_precision_and_recall_count_samples_within_the_other_sets_fifth_neighbours(scored):
    scores, real, _, fake = scored
    precision, recall = scores["precision[mnist-classifier]"], scores["recall[mnist-classifier]"]
    radius = [np.sort(scipy.spatial.distance.cdist(a, a), axis=1)[:, 5] for a in (real, fake)]
    distance = scipy.spatial.distance.cdist(real, fake)
    assert precision.value == pytest.approx((distance < radius[0][:, None]).any(axis=0).mean(), abs=2 / COUNT)
    assert recall.value == pytest.approx((distance < radius[1][None]).any(axis=1).mean(), abs=2 / COUNT)
    assert 0.05 < recall.value < 0.95 and precision.neighbours == 5


def test_density_and_coverage_count_the_real_fifth_neighbourhoods_that_hold_generated_samples(scored):
    _, real, _, fake = scored
    found = scores_module.neighbour_scores(real, fake)
    radius = np.sort(scipy.spatial.distance.cdist(real, real), axis=1)[:, 5]
    inside = scipy.spatial.distance.cdist(real, fake) < radius[:, None]
    assert found["density"] == pytest.approx(inside.sum() / 5 / COUNT)
    assert found["coverage"] == pytest.approx(inside.any(axis=1).mean())
    assert 0.05 < found["coverage"] < 0.95


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


def test_progress_of_a_scoring_is_logged(cache, caplog):
    dataset = ImageArrays("d", "train", np.zeros((20, 4, 4, 1), np.uint8), None)
    with caplog.at_level("INFO"):
        ImageScores(fake_classifier, 20)({"student": Samples(halves(dataset.reals(20, 0)))}, dataset, 0)
    assert "scoring real images of d 20/20 (100%)" in caplog.text
    assert "scoring student 20/20 (100%)" in caplog.text
    assert [path.name for path in cache.iterdir() if not path.name.startswith(".lock")] == [
        path.name for path in cache.iterdir() if (path / "features.npy").exists()
    ]  # what was generated is gone, the real ones are kept


def test_every_number_says_what_defines_it(scored):
    scores = scored[0]
    record = {"n_real": COUNT, "n_fake": COUNT, "classifier": "mnist-classifier", "dataset": "d", "split": "train"}
    record |= {"resize": "none", "seed": 5}
    own = {"is": {"splits": 10}, "fid": {}, "kid": {}, "precision": {"neighbours": 5}, "recall": {"neighbours": 5}}
    assert {name: score.definition() for name, score in scores.items()} == {
        f"{metric}[mnist-classifier]": record | more for metric, more in own.items()
    }
    assert {score.evaluation for score in scores.values()} == {"scores"}  # the experiment names it


class LikeInception(tf.Module):
    """A module with the signature of TF-GAN's Inception."""

    @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3))])
    def __call__(self, images):
        features = tf.reduce_mean(images, (1, 2))
        return {"logits": features, "pool_3": features}


def test_inception_comes_from_the_cache_of_tf_hub_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    cached = tmp_path / hashlib.sha1(INCEPTION_HANDLE.encode()).hexdigest()
    tf.saved_model.save(LikeInception(), str(cached))
    _, features = load_inception().activations(np.full((2, 8, 8, 3), 0.5, np.float32))
    np.testing.assert_allclose(features, 0.5)


def test_inception_that_cannot_be_had_names_the_ways(tmp_path):
    with pytest.raises(UserError, match=r"load_inception\.handle .* TFHUB_CACHE_DIR .* @load_classifier"):
        load_inception(str(tmp_path / "nowhere"))


def test_plain_fid_is_inceptions_alone(tmp_path):
    tf.saved_model.save(LikeInception(), str(tmp_path))
    dataset = ImageArrays("d", "train", np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8), None)
    fakes = {"a": Samples([dataset.reals(20, 1)])}
    scores = ImageScores(lambda: load_inception(str(tmp_path)), 20)(fakes, dataset, 0)["a"]
    assert set(scores) == {"is", "fid", "kid", "precision", "recall"}
    assert scores["fid"].resize == "tf1-bilinear 299x299"
    assert scores["fid"].value == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("samples", "size"), [(9, 100), (0, 100), (-1, 100), (100, 9), (20.5, 100)])
def test_too_few_images_are_refused_before_anything_is_scored(samples, size):
    dataset = ImageArrays("d", "train", np.zeros((size, 4, 4, 1), np.uint8), None)
    with pytest.raises(UserError, match="at least 10 real and 10 generated images"):
        ImageScores(fake_classifier, samples).prepare(dataset)


def test_ten_images_of_each_kind_give_every_score(monkeypatch):
    dataset = ImageArrays("d", "train", np.random.default_rng(0).integers(0, 256, (10, 4, 4, 1), np.uint8), None)
    monkeypatch.setattr(scores_module, "KID_BLOCK", 3)  # more blocks than can hold two of each
    scores = ImageScores(fake_classifier, 10)({"a": Samples([dataset.reals(10, 0)])}, dataset, 0)["a"]
    assert all(np.isfinite(score.value) for score in scores.values())


def test_images_that_are_not_finite_are_named():
    dataset = ImageArrays("d", "train", np.zeros((20, 4, 4, 1), np.uint8), None)
    with pytest.raises(UserError, match="student: the classifier's logits are not finite"):
        ImageScores(fake_classifier, 20)({"student": Samples([np.full((20, 4, 4, 1), np.nan, np.float32)])}, dataset, 0)


def test_a_generator_whose_samples_are_not_finite_has_no_scores():
    """Not even the best possible: no point that is not a number lies on a bridge."""

    class Diverged:
        def batches(self, count, seed):
            yield np.full((count, 2), np.nan, np.float32)

    with pytest.raises(UserError, match=r"^the network makes samples that are not finite, which have no score"):
        score_all({"scores": PointScores(10)}, {"network": Diverged()}, load_dataset("ring", None))


def test_points_are_scored_by_a_mixture_alone_and_say_what_defines_their_numbers():
    ring = load_dataset("ring")
    scores = PointScores(100)({"a": Samples(halves(ring.reals(100, 0)))}, ring, 3)["a"]
    assert list(scores) == ["modes", "high_quality", "kl_to_uniform", "bridges"]
    record = {"n_real": 0, "n_fake": 100, "classifier": "mixture", "dataset": "ring", "split": "endless"}
    assert scores["modes"] == Score(8, **record, resize="none", seed=3)
    with pytest.raises(UserError, match="dataset 'mnist5k' has no mode centers: bind ImageScores"):
        PointScores().prepare(load_dataset("mnist5k"))


@pytest.mark.parametrize("samples", [0, -1, 1.5, "9", True])
def test_a_number_of_points_that_is_none_is_one_line(samples):
    with pytest.raises(UserError, match=r"PointScores\.samples is .*: bind a whole number of at least 1"):
        PointScores(samples)


def test_mode_scores_of_a_case_worked_out_by_hand():
    centers = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    points = np.array([[0.0, 0.01]] * 6 + [[1.0, 0.0]] * 2 + [[0.5, 0.0]] * 1 + [[1.0, 1.05]] * 1)
    scores = mode_scores(points, centers, stddev=0.01)
    assert scores["modes"] == 2  # (1, 1)'s only point is 5 standard deviations off: not high-quality, nor on a bridge
    assert scores["high_quality"] == 0.8
    assert scores["bridges"] == 0.1
    assert scores["kl_to_uniform"] == pytest.approx(0.75 * np.log(0.75 * 4) + 0.25 * np.log(0.25 * 4))


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
