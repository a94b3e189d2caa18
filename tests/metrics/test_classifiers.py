"""Classifiers of the zoo, as metrics load them. EfficientNet-Lite0 is shown real photographs."""

import json
import pathlib

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
