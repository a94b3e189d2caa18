"""Every route to a published student, in a process of its own, against the model in memory."""

import os
import subprocess
import sys

import numpy as np
import pytest
from made_up_zoo import random_dcgan, random_mlp, write_zoo
from PIL import Image
from support import ROOT

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.reporting.pictures import tile

pytestmark = pytest.mark.usefixtures("caches_of_its_own")

ATOL = 1e-5

LOAD = """
import sys
import keras, numpy as np, onnxruntime, tensorflow as tf, tensorflow_hub as hub, tf_keras
from ai_edge_litert.interpreter import Interpreter
import akdg_tf

folder, url, z_file, images_file = sys.argv[1:]
z = tf.constant(np.load(z_file))
images = {
    "akdg_tf.load": akdg_tf.load("student").generator(z),  # of the environment's AKDG_ZOO, which is the server
    "hub.load": hub.load(folder)(z),
    "hub.load over HTTP": hub.load(f"{url}/akdg/student/1")(z),
    "hub.KerasLayer": hub.KerasLayer(folder, trainable=True)(z),
    "TFSMLayer": keras.layers.TFSMLayer(f"{folder}/saved_model", call_endpoint="serving_default")(z)["images"],
    "ONNX": onnxruntime.InferenceSession(f"{folder}/model.onnx").run(None, {"z": z.numpy()})[0],
    "LiteRT": Interpreter(f"{folder}/model.tflite").get_signature_runner("generator")(z=z.numpy())["images"],
}
images = {name: np.asarray(value) for name, value in images.items()}

# Fine-tuning: the layer's weights move, and the loss falls.
layer = hub.KerasLayer(folder, trainable=True)
model = tf_keras.Sequential([layer, tf_keras.layers.GlobalAveragePooling2D()])
model.compile(tf_keras.optimizers.SGD(0.1), "mse")
before = [weight.numpy() for weight in layer.trainable_weights]
losses = model.fit(z, tf.zeros((len(z), images["hub.load"].shape[-1])), epochs=5, verbose=0).history["loss"]
assert before and all((old != new.numpy()).any() for old, new in zip(before, layer.trainable_weights))
assert losses[-1] < losses[0], losses
np.savez(images_file, **images)
"""


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """A zoo of two, and the models in memory that it was made of."""
    zoo = tmp_path_factory.mktemp("load") / "zoo"
    models = {"teacher": random_mlp(), "student": random_dcgan(3, channels=3)}
    write_zoo(zoo, models, teacher="teacher")
    return zoo, models


def test_every_route_in_a_new_process_equals_the_model_in_memory(students, serve, tmp_path):
    zoo, models = students
    url = f"http://localhost:{serve(zoo)}"
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    np.save(tmp_path / "z.npy", z)
    arguments = [str(zoo / "student"), url, str(tmp_path / "z.npy"), str(tmp_path / "images.npz")]
    environment = {**os.environ, "AKDG_ZOO": url}
    command = [sys.executable, "-c", LOAD, *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = (models["student"](z).numpy() + 1) / 2
    assert expected.shape == (5, 16, 16, 3) and expected.std() > 0.02
    images = np.load(tmp_path / "images.npz")
    assert len(images) == 7
    for route, values in images.items():
        np.testing.assert_allclose(values, expected, atol=ATOL, err_msg=route)


def test_a_loaded_generator_samples_what_its_picture_shows(students):
    zoo, _ = students
    loaded = akdg_tf.load("student", zoo)
    images = loaded.sample(64, seed=0)
    assert images.shape == (64, 16, 16, 3) and images.dtype == np.float32 and 0 <= images.min() <= images.max() <= 1
    shown = np.asarray(Image.open(zoo / "student" / "samples.png"))
    np.testing.assert_array_equal(tile(images * 2 - 1, 8), shown)
    np.testing.assert_allclose(loaded.sample(3, seed=0), images[:3], atol=1e-6)
    assert np.abs(loaded.sample(3) - loaded.sample(3)).max() > 1e-3  # without a seed, others each time
    assert "\n# student\n" in loaded.card and loaded.metrics.teacher.name == "teacher"
    np.testing.assert_array_equal(loaded.sample(np.int64(3), seed=np.int32(0)), loaded.sample(3, seed=0))
    for n in (0, 2.5, "3", None):
        with pytest.raises(UserError, match=f"the number of images is {n!r}: it must be a whole number, at least 1"):
            loaded.sample(n)
    for seed in (2**63, 2.5, "3"):
        with pytest.raises(UserError, match=f"the seed is {seed!r}: it must be a whole number of 64 bits"):
            loaded.sample(3, seed=seed)


def test_the_published_zoo_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert akdg_tf.load("mnist_mlp_akdg").sample(2, seed=0).shape == (2, 32, 32, 1)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nosuch", "there is no entry 'nosuch' in the zoo .*; choose one of student, teacher"),
        ("../zoo/student", "is not the name of an entry"),
        ("", "is not the name of an entry"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(students, name, says):
    with pytest.raises(UserError, match=says):
        akdg_tf.load(name, students[0])


def test_a_classifier_draws_nothing():
    with pytest.raises(UserError, match="mnist_classifier is a classifier"):
        akdg_tf.load("mnist_classifier", ROOT / "zoo")


def test_loading_needs_neither_a_plotting_library_nor_a_data_set():
    """Keras takes a plotting library where there is one, and does without."""
    program = "import sys; sys.modules.update(matplotlib=None, mlxtend=None); import akdg_tf; print(akdg_tf.load)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
