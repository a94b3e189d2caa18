"""Scores through TF-GAN, held against formulas written out here with numpy and scipy."""

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from akdg_tf.data import load_dataset
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics.classifiers import Classifier, load_inception
from akdg_tf.metrics.modes import PointScores, mode_scores
from akdg_tf.metrics.scores import ImageScores

COUNT, FEATURES = 600, 6


def fake_classifier(name="mnist-classifier"):
    """Features are fixed linear functions of the pixels, logits of the features."""
    rng = np.random.default_rng(0)
    to_features, to_logits = rng.normal(size=(16, FEATURES)), rng.normal(size=(FEATURES, 4))

    def outputs(images):
        features = tf.reshape(images, (-1, 16)) @ tf.constant(to_features, tf.float32)
        return {"logits": features @ tf.constant(to_logits, tf.float32), "features": features}

    return Classifier(name, "none", outputs)


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(1)
    dataset = ImageArrays("d", "train", rng.integers(0, 256, (COUNT, 4, 4, 1), dtype=np.uint8), np.zeros(COUNT))
    fakes = np.tanh(rng.normal(0.2, 0.7, (COUNT, 4, 4, 1))).astype(np.float32)
    scores = ImageScores(fake_classifier, COUNT)({"student": fakes}, dataset, seed=5)["student"]
    _, real = fake_classifier().activations(dataset.reals(COUNT, 5))
    logits, fake = fake_classifier().activations(fakes)
    return scores, real.astype(np.float64), logits.astype(np.float64), fake.astype(np.float64)


def test_frechet_distance_is_the_closed_form(scored):
    scores, real, _, fake = scored
    covariances = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = np.sum((real.mean(0) - fake.mean(0)) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert scores["fid[mnist-classifier]"]["value"] == pytest.approx(expected, rel=1e-4)


def test_inception_score_is_the_mean_over_ten_splits(scored):
    scores, _, logits, _ = scored
    values = []
    for part in np.split(logits, 10):
        p = np.exp(part) / np.exp(part).sum(1, keepdims=True)
        values.append(np.exp(np.mean(np.sum(p * (np.log(p) - np.log(p.mean(0))), axis=1))))
    assert scores["is[mnist-classifier]"]["value"] == pytest.approx(np.mean(values), rel=1e-5)
    assert scores["is[mnist-classifier]"]["std"] == pytest.approx(np.std(values), rel=1e-3)


def test_kernel_distance_is_the_unbiased_cubic_mmd(scored):
    """One block, for 600 is less than TF-GAN's block of 1,024."""
    scores, real, _, fake = scored

    def kernel(a, b):
        return (a @ b.T / FEATURES + 1) ** 3

    n = COUNT
    within = [(kernel(a, a).sum() - np.trace(kernel(a, a))) / (n * (n - 1)) for a in (real, fake)]
    expected = sum(within) - 2 * kernel(real, fake).mean()
    assert scores["kid[mnist-classifier]"]["value"] == pytest.approx(expected, rel=1e-3)


def test_every_number_says_what_defines_it(scored):
    for record in scored[0].values():
        assert {key: record[key] for key in ("n_real", "n_fake", "classifier", "split", "resize", "seed")} == {
            "n_real": COUNT,
            "n_fake": COUNT,
            "classifier": "mnist-classifier",
            "split": "train",
            "resize": "none",
            "seed": 5,
        }


def test_plain_fid_is_inceptions_alone(tmp_path):
    """A module with the signature of TF-GAN's Inception, loaded from a local path."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3))])
        def __call__(self, images):
            features = tf.reduce_mean(images, (1, 2))
            return {"logits": features, "pool_3": features}

    tf.saved_model.save(Module(), str(tmp_path))
    dataset = ImageArrays("d", "train", np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8), None)
    fakes = {"a": dataset.reals(20, 1)}
    scores = ImageScores(lambda: load_inception(str(tmp_path)), 20)(fakes, dataset, 0)["a"]
    assert set(scores) == {"is", "fid", "kid"}
    assert scores["fid"]["resize"] == "tf1-bilinear 299x299"
    assert scores["fid"]["value"] == pytest.approx(0.0, abs=1e-4)


def test_points_are_scored_by_a_mixture_alone_and_say_what_defines_their_numbers():
    ring = load_dataset("ring")
    record = PointScores(100)({"a": ring.reals(100, 0)}, ring, 3)["a"]["modes"]
    assert record == {
        "value": 8,
        "n_real": 0,
        "n_fake": 100,
        "classifier": "mixture",
        "dataset": "ring",
        "split": "endless",
        "resize": "none",
        "seed": 3,
    }
    with pytest.raises(UserError, match="dataset 'mnist5k' is none"):
        PointScores().prepare(load_dataset("mnist5k"))


def test_mode_scores_of_a_case_worked_out_by_hand():
    centers = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    points = np.array([[0.0, 0.01]] * 6 + [[1.0, 0.0]] * 2 + [[0.5, 0.0]] * 1 + [[1.0, 1.05]] * 1)
    scores = mode_scores(points, centers, stddev=0.01)
    assert scores["modes"] == 2  # (1, 1)'s only point is 5 standard deviations off: not high-quality, nor on a bridge
    assert scores["high_quality"] == 0.8
    assert scores["bridges"] == 0.1
    assert scores["kl_to_uniform"] == pytest.approx(0.75 * np.log(0.75 * 4) + 0.25 * np.log(0.25 * 4))
