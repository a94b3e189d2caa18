"""Inception, as TensorFlow Hub gives it: from its cache or a folder."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics.classifiers import INCEPTION_HANDLE, load_inception
from akdg_tf.metrics.evaluation import Samples
from akdg_tf.metrics.scores import ImageScores


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
