"""Classifiers of the zoo, as metrics load them. EfficientNet-Lite0 is shown real photographs."""

import functools
import json
import pathlib

import keras
import matplotlib
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image
from sklearn.datasets import load_sample_images
from support import ROOT

from akdg_tf.artifacts.network import load_network
from akdg_tf.artifacts.saved_model import export_classifier
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.metrics import scores as scores_module
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.metrics.evaluation import Samples
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.models import ConvClassifier, EfficientNetLite0

ENTRY = ROOT / "zoo" / "imagenet_efficientnet_lite0"
RESIZE = "bilinear 160x160"
PALACE, DAISY, UNIFORM = 698, 985, 652  # classes of ImageNet that are seen in the three photographs


@pytest.fixture(scope="module")
def photographs():
    """A palace in China, a flower, and Grace Hopper in uniform: uint8 [3, 224, 224, 3]."""
    portrait = pathlib.Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    pictures = [*map(Image.fromarray, load_sample_images().images), Image.open(portrait).convert("RGB")]
    return np.stack([_square(picture, 224) for picture in pictures])


def _square(picture, side):
    """The square in the middle, resized with antialiasing."""
    short = min(picture.size)
    left, top = ((size - short) // 2 for size in picture.size)
    box = (left, top, left + short, top + short)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC, box))


def test_efficientnet_names_what_is_seen_in_photographs(photographs):
    """At the size of the original, with the weights of the entry."""
    model = EfficientNetLite0(224)
    model.set_weights(load_network(ENTRY).get_weights())
    logits = model(photographs / 127.5 - 1.0)["logits"].numpy()
    assert logits.argmax(1).tolist() == [PALACE, DAISY, UNIFORM]
    upside_down = model(photographs[:, ::-1] / 127.5 - 1.0)["logits"].numpy()
    assert (logits.max(1) > upside_down[range(3), logits.argmax(1)]).sum() >= 2  # it looks at the picture


def test_efficientnet_is_loaded_by_tensorflow_hub_and_resizes_its_images(photographs):
    module, network = hub.load(str(ENTRY)), load_network(ENTRY)
    images = tf.constant(photographs / 255.0, tf.float32)
    for each in (images, images[:2, 50:82, 60:92], images[:1, :40, :100]):
        outputs = module(each)
        assert {name: tuple(values.shape) for name, values in outputs.items()} == {
            "logits": (len(each), 1000),
            "features": (len(each), 1280),
        }
        resized = tf.image.resize(each, (160, 160))
        np.testing.assert_allclose(outputs["features"], module(resized)["features"], atol=1e-4)
        np.testing.assert_allclose(outputs["logits"], network(2.0 * each - 1.0)["logits"], atol=1e-3)
    np.testing.assert_array_equal(outputs["features"] >= 0, True)
    assert outputs["features"].numpy().std() > 0.1


def test_scores_over_efficientnet_have_its_name_and_say_how_it_resizes(tmp_path, monkeypatch):
    monkeypatch.setattr(scores_module, "CACHE", tmp_path)
    monkeypatch.chdir(ROOT)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    dataset = ImageArrays("d", "train", pixels, None)
    scores = ImageScores(lambda: load_classifier(ENTRY.name), 12)
    scores.prepare(dataset)
    gray = np.zeros((12, 32, 32, 3), np.float32)
    found = scores({"gray": Samples([gray])}, dataset, 0)["gray"]
    names = ("is", "fid", "kid", "precision", "recall")
    assert set(found) == {f"{name}[imagenet-efficientnet-lite0]" for name in names}
    assert {score.resize for score in found.values()} == {RESIZE}
    module = hub.load(str(ENTRY))
    real, fake = (
        module(images)["features"].numpy().astype(np.float64) for images in (np.float32(pixels / 255.0), gray + 0.5)
    )
    distance = np.sum((real.mean(0) - fake.mean(0)) ** 2) + real.var(0, ddof=1).sum()  # equal images have no covariance
    assert found["fid[imagenet-efficientnet-lite0]"].value == pytest.approx(distance, rel=1e-3)


def test_a_classifier_that_says_nothing_of_resizing_does_not_resize(tmp_path):
    export_classifier(ConvClassifier((8, 8, 1), widths=(4,)), tmp_path / "own", {"id": "own"})
    loaded = load_classifier(str(tmp_path / "own"))
    assert (loaded.id, loaded.resize) == ("own", "none")
    path = tmp_path / "own" / "assets.extra" / "classifier.json"
    path.write_text(json.dumps({"id": "own", "resize": "nearest 8x8"}))
    changed = load_classifier(str(tmp_path / "own"))
    assert changed.resize == "nearest 8x8" and changed.digest != loaded.digest


@pytest.fixture
def judge(tmp_path):
    """A small classifier of gray images of 8x8, by the name "own"."""
    keras.utils.set_random_seed(0)
    export_classifier(ConvClassifier((8, 8, 1), widths=(4,), features=5), tmp_path / "own", {"id": "own"})
    return str(tmp_path / "own")


def test_a_stated_resize_comes_before_the_classifier_and_is_in_id_record_and_digest(judge):
    plain, resized = load_classifier(judge), load_classifier(judge, "area 8x8")
    assert (resized.id, resized.resize) == ("own area 8x8", "area 8x8")
    smooth = load_classifier(judge, "bilinear 8x8")
    assert (smooth.id, smooth.resize) == ("own antialiased-bilinear 8x8", "antialiased-bilinear 8x8")
    assert len({plain.digest, resized.digest, smooth.digest}) == 3
    assert load_classifier(judge, "area 8x8").digest == resized.digest
    images = np.random.default_rng(0).uniform(-1, 1, (3, 16, 24, 1)).astype(np.float32)  # stretched to a square
    means = images.reshape(3, 8, 2, 8, 3, 1).mean((2, 4))
    for values, expected in zip(resized.activations(images), plain.activations(means), strict=True):
        np.testing.assert_allclose(values, expected, atol=1e-5)
    assert plain.activations(means)[1].std() > 0.01
    np.testing.assert_array_equal(resized.activations(means)[1], plain.activations(means)[1])


def test_a_resize_to_a_size_that_the_classifier_does_not_take_is_one_line(judge):
    with pytest.raises(UserError, match=r"^own takes images of 8x8: bind load_classifier\.resize = 'bilinear 8x8'$"):
        load_classifier(judge, "bilinear 8x16")


@pytest.mark.parametrize(
    ("shape", "resize", "says"),
    [
        ((16, 12, 1), None, r"bind load_classifier\.resize = 'area 8x8', or another classifier"),
        ((8, 8, 3), None, "its images have 1 channel; bind another"),
        ((16, 12, 3), "area 8x8", "its images have 1 channel; bind another"),
    ],
)
def test_images_that_do_not_fit_are_one_line_that_says_what_to_bind(shape, resize, says, judge):
    pixels = np.zeros((12, *shape), np.uint8)
    name = "own" + (f" {resize}" if resize else "")
    with pytest.raises(UserError, match=rf"^classifier {name} takes no samples of shape \({shape[0]}, .*\): {says}$"):
        ImageScores(lambda: load_classifier(judge, resize), 12).prepare(ImageArrays("d", "train", pixels, None))


def test_gray_images_are_not_made_rgb_for_a_classifier_of_the_zoo():
    dataset = ImageArrays("d", "train", np.zeros((12, 28, 28, 1), np.uint8), None)
    for name, resize in (("cifar10_classifier", "area 32x32"), (ENTRY.name, None)):
        with pytest.raises(UserError, match=r"shape \(28, 28, 1\): its images have 3 channels; bind another$"):
            ImageScores(functools.partial(load_classifier, str(ROOT / "zoo" / name), resize), 12).prepare(dataset)


def test_gray_images_are_given_to_a_classifier_of_rgb_images_as_three_equal_channels(judge):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 1)).astype(np.float32)
    loaded = load_classifier(str(ENTRY))
    gray = loaded.for_channels(1)
    gray.check_takes((32, 32, 1))
    for values, expected in zip(gray.activations(images), loaded.activations(np.repeat(images, 3, -1)), strict=True):
        np.testing.assert_array_equal(values, expected)
    assert (gray.id, gray.digest, gray.sample_shape) == (loaded.id, loaded.digest, (None, None, 1))
    assert loaded.for_channels(3) is loaded
    own = load_classifier(judge)
    assert own.for_channels(1) is own and own.for_channels(3) is own


def test_a_resize_before_a_classifier_that_resizes_itself_is_recorded_beside_its_own(photographs):
    loaded = load_classifier(str(ENTRY), "area 160x160")
    assert loaded.id == "imagenet-efficientnet-lite0 area 160x160"
    assert loaded.resize == f"area 160x160, then {RESIZE}"
    images = np.float32(photographs[:1] / 127.5 - 1.0)
    small = tf.image.resize(images, (160, 160), "area").numpy()
    _, features = loaded.activations(images)
    np.testing.assert_allclose(features, load_classifier(str(ENTRY)).activations(small)[1], atol=1e-3)


def test_scores_over_the_cifar10_classifier_of_images_of_any_size(tmp_path, monkeypatch):
    """They are those of the images that were resized before; activations over another resize are not read."""
    monkeypatch.setattr(scores_module, "CACHE", tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 64, 96, 3), np.uint8)
    large, fakes = ImageArrays("d", "train", pixels, None), np.float32(pixels[::-1] / 255.0)
    small = pixels.reshape(12, 32, 2, 32, 3, 3).mean((2, 4))

    def scored(dataset, images, resize):
        scores = ImageScores(lambda: load_classifier(str(ROOT / "zoo" / "cifar10_classifier"), resize), 12)
        scores.prepare(dataset)
        return scores({"a": Samples([images], digest="a")}, dataset, 0)["a"]

    area = scored(large, fakes, "area 32x32")
    names = ("is", "fid", "kid", "precision", "recall")
    assert set(area) == {f"{name}[cifar10-classifier area 32x32]" for name in names}
    assert {(score.classifier, score.resize) for score in area.values()} == {
        ("cifar10-classifier area 32x32", "area 32x32")
    }
    assert kept(tmp_path) == 2
    bilinear = scored(large, fakes, "bilinear 32x32")
    assert kept(tmp_path) == 4
    name = "fid[cifar10-classifier{}]"
    module = hub.load(str(ROOT / "zoo" / "cifar10_classifier"))
    real, fake = (
        module(tf.constant(images, tf.float32))["features"].numpy().astype(np.float64)
        for images in (small / 255.0, (small[::-1] / 255.0 + 1.0) / 2.0)
    )
    expected = scores_module.frechet_distance(real, fake)
    assert area[name.format(" area 32x32")].value == pytest.approx(expected, rel=1e-3)
    assert bilinear[name.format(" antialiased-bilinear 32x32")].value != pytest.approx(expected, rel=1e-2)


def kept(cache):
    """Number of activations in a cache."""
    return len(list(cache.glob("*/count")))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"id": 5}', '{"id": "x", "resize": null}', "[" * 100_000])
def test_a_damaged_description_of_a_classifier_is_one_line(content, judge):
    path = pathlib.Path(judge, "assets.extra", "classifier.json")
    path.write_text(content)
    with pytest.raises(UserError, match=rf"^{path} is damaged: make or download the classifier again$"):
        load_classifier(judge)
