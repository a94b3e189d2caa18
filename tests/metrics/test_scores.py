"""Scores through TF-GAN, held against formulas written out here with numpy and scipy."""

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
import scipy.stats
from support import FEATURES, fake_classifier

from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics import scores as scores_module
from akdg_tf.metrics.evaluation import Samples
from akdg_tf.metrics.scores import ImageScores

COUNT = 600


def halves(images):
    """A stream of two batches."""
    return iter(np.split(images, 2))


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
