"""How likely images are among real ones."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import multivariate_normal

from akdg_tf.data.images import ImageArrays, to_float
from akdg_tf.errors import UserError
from akdg_tf.metrics import density
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.density import DensityRanking, log_densities, ranks_within

SHAPE = (4, 4, 1)
ROWS = 1300  # more than are read at once


def pixels(x):
    """A made-up classifier: its features are four of the pixels."""
    return {"logits": tf.zeros((len(x), 2)), "features": tf.ensure_shape(x, (None, *SHAPE))[:, 0, :, 0]}


def judge(digest="judge"):
    return Classifier("judge", "none", digest, pixels, SHAPE)


def images(levels, count, seed=0):
    """Images near each of some gray levels, one after the other: uint8 [len(levels) * count, *SHAPE]."""
    noise = np.random.default_rng(seed).integers(-20, 21, (len(levels), count, *SHAPE))
    return (np.reshape(levels, (-1, 1, 1, 1, 1)) + noise).reshape(-1, *SHAPE).astype(np.uint8)


def dataset(array):
    return ImageArrays("made up", "train", array, None)


def ranks(ranking, array, reals):
    return ranking.ranks([to_float(part).numpy() for part in np.array_split(array, 3)], len(array), reals)


def test_densities_are_those_of_the_gaussian_of_the_real_features():
    random = np.random.default_rng(0)
    real = (random.normal(size=(ROWS, 3)) @ random.normal(size=(3, 3)) + 2.0).astype(np.float32)
    features = random.normal(size=(ROWS, 3)).astype(np.float32)
    covariance = np.cov(real, rowvar=False) + density.RIDGE * np.eye(3)
    expected = multivariate_normal(real.mean(0), covariance)
    constant = expected.logpdf(expected.mean)
    np.testing.assert_allclose(log_densities(real, features), expected.logpdf(features) - constant, rtol=1e-3)


def test_a_feature_that_no_real_image_has_lowers_the_density_by_a_finite_amount():
    real = np.stack([np.linspace(-1, 1, 50), np.zeros(50)], axis=1)
    found = log_densities(real, np.array([[0.0, 0.0], [0.0, 0.01]]))
    np.testing.assert_allclose(found, [0.0, -0.5 * 0.01**2 / density.RIDGE], atol=1e-9)


def test_a_rank_is_the_share_of_the_same_group_that_comes_before():
    found = ranks_within(np.array([7, 7, 0, 7, 0, 7]), np.array([1.0, 4.0, -1.0, 3.0, -2.0, 2.0]))
    np.testing.assert_array_equal(found, [0.75, 0.0, 0.0, 0.25, 0.5, 0.5])


def test_images_off_the_real_ones_have_the_last_ranks():
    reals, teacher = dataset(images([80], 200)), images([80, 200], 30, seed=1)
    found = ranks(DensityRanking(judge, clusters=1), teacher, reals)
    assert set(np.argsort(found)[:30]) == set(range(30))
    np.testing.assert_array_equal(np.sort(found), np.arange(60) / 60)


def test_a_rare_kind_of_real_image_keeps_its_share():
    """One tenth of the real images is bright. All teacher images are good, and half of each kind come first."""
    common, rare = images([60], 180), images([200], 20)
    reals, teacher = (
        dataset(np.concatenate([common, rare])),
        np.concatenate([images([60], 90, 1), images([200], 10, 1)]),
    )
    for clusters, kept in ((1, 0), (2, 5)):
        first = np.argsort(ranks(DensityRanking(judge, clusters), teacher, reals))[:50]
        assert np.sum(first >= 90) == kept


def test_more_clusters_than_images_are_as_many_as_there_are():
    reals, teacher = dataset(images([80], 6)), images([80], 6, seed=1)
    assert sorted(ranks(DensityRanking(judge), teacher, reals)) != list(np.arange(6) / 6)
    one = dataset(images([80], 1))
    with pytest.raises(UserError, match="a density needs at least 2 images, but dataset 'made up' gives fewer"):
        ranks(DensityRanking(judge), teacher, one)


def test_the_digest_is_of_classifier_real_images_and_clusters():
    reals, others = dataset(images([80], 6)), dataset(images([90], 6))
    changed = DensityRanking(lambda: judge("another"))
    digests = [each.digest(reals) for each in (DensityRanking(judge), DensityRanking(judge, 9), changed)]
    digests.append(DensityRanking(judge).digest(others))
    assert len(set(digests)) == 4 and DensityRanking(judge).digest(reals) == digests[0]


@pytest.mark.parametrize(
    ("ranking", "shape", "says"),
    [
        (DensityRanking(judge, 0), SHAPE, r"^DensityRanking\.clusters is 0: bind a whole number from 1$"),
        (DensityRanking(judge, 1.5), SHAPE, r"clusters is 1\.5"),
        (DensityRanking(judge), (4, 4, 3), r"judge takes no samples of shape \(4, 4, 3\): its images have 1 channel"),
        (DensityRanking(judge), (2,), r"judge takes no samples of shape \(2,\)"),
    ],
)
def test_what_cannot_be_ranked_is_one_line(ranking, shape, says):
    with pytest.raises(UserError, match=says):
        ranking.digest(dataset(np.zeros((6, *shape), np.uint8)))
