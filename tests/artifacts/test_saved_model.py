"""A SavedModel loaded in a new process by the real tensorflow_hub draws what the model in memory draws."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from support import SAMPLE_SHAPE, bicubic_generator

import akdg_tf
from akdg_tf import models
from akdg_tf.artifacts.onnx import function_of
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.errors import UserError

LOAD = """
import json, sys, numpy as np, tensorflow as tf, tensorflow_hub as hub
m = hub.load(sys.argv[1])
z = tf.constant(np.load(sys.argv[2]))
images = {"call": m(z), **{name: signature(z=z)["images"] for name, signature in m.signatures.items()}}
with tf.GradientTape() as tape:  # last: it moves the batch statistics, as a fine-tuning step would
    images["training"] = m(z, training=True)
gradients = tape.gradient(images["training"], list(m.trainable_variables))
assert all(gradient is not None for gradient in gradients)
np.savez(sys.argv[3], **images)
print(json.dumps([len(m.variables), len(m.trainable_variables), len(m.regularization_losses)]))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "saved_model"
    model = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    export_generator(detached_copy(model), folder, (0, 1))
    return model, folder


def test_every_route_in_a_new_process_equals_the_model_in_memory(exported, tmp_path):
    model, folder = exported
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    np.save(tmp_path / "z.npy", z)
    arguments = [str(folder), str(tmp_path / "z.npy"), str(tmp_path / "images.npz")]
    done = subprocess.run([sys.executable, "-c", LOAD, *arguments], capture_output=True, text=True, check=True)
    images = np.load(tmp_path / "images.npz")
    expected = (model(z).numpy() + 1) / 2
    assert expected.min() >= 0 and expected.max() <= 1 and expected.std() > 0
    for route in ("call", "serving_default", "default", "generator"):
        np.testing.assert_allclose(images[route], expected, atol=1e-6)
    np.testing.assert_allclose(images["training"], (detached_copy(model)(z, training=True) + 1) / 2, atol=1e-5)
    assert json.loads(done.stdout) == [len(model.variables), len(model.trainable_variables), 0]


def test_what_was_trained_in_bfloat16_is_exported_in_float32():
    reference = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    keras.config.set_dtype_policy("mixed_bfloat16")
    trained = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    trained.set_weights(reference.get_weights())
    z = tf.random.stateless_normal((3, 6), (0, 0))
    np.testing.assert_array_equal(detached_copy(trained)(z), reference(z))
    assert np.abs(trained(z) - reference(z)).max() > 1e-5
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def sequential():
    layers = [keras.layers.Dense(48, activation="tanh"), keras.layers.Reshape((4, 4, 3))]
    return keras.Sequential([keras.Input((6,)), *layers])


def sequential_without_an_input():
    model = keras.Sequential([keras.layers.Dense(48, activation="tanh"), keras.layers.Reshape((4, 4, 3))])
    model(np.zeros((1, 6), np.float32))
    return model


def functional():
    z = keras.Input((6,))
    x = keras.layers.Reshape((2, 2, 4))(keras.layers.Dense(16)(z))
    rgb = keras.layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")(x)
    both = keras.layers.Add()([rgb, keras.layers.UpSampling2D()(x[..., :3])])
    return keras.Model(z, keras.layers.Activation("tanh")(both))


@keras.saving.register_keras_serializable(package="akdg_tf.tests")
class Subclassed(keras.Model):
    """A user's own generator, which states the size of its latent."""

    latent_dim = 6

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.net = sequential()

    def call(self, z, training=False):
        return self.net(z, training=training)


@pytest.mark.parametrize("make", [sequential, sequential_without_an_input, functional, Subclassed])
def test_any_keras_generator_is_exported_in_every_format(make, tmp_path):
    model = make()
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    akdg_tf.export(model, tmp_path / "mine", exports=(akdg_tf.LiteRT(), akdg_tf.ONNX("float16")))
    expected = (model(z).numpy() + 1) / 2
    found = {
        "load": akdg_tf.load(tmp_path / "mine").generator(tf.constant(z)),
        "load_network": (akdg_tf.load_network(tmp_path / "mine")(z) + 1) / 2,
        "LiteRT": Interpreter(str(tmp_path / "mine" / "model.tflite")).get_signature_runner()(z=z)["images"],
    }
    for route, images in found.items():
        np.testing.assert_allclose(images, expected, atol=1e-6, err_msg=route)
    assert 0 < np.abs(function_of(tmp_path / "mine" / "model.onnx")(z) - expected).max() < 1 / 255
    akdg_tf.export(model, tmp_path / "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir() if "model." in path.name) == ["saved_model.pb"]


def test_an_optional_export_that_fails_leaves_what_is_there_as_it_was(tmp_path):
    akdg_tf.export(sequential(), tmp_path / "mine", exports=(akdg_tf.ONNX(),))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(UserError, match="LiteRT cannot run this generator: it lacks the operation ResizeBicubic"):
        akdg_tf.export(bicubic_generator(4, SAMPLE_SHAPE), tmp_path / "mine", exports=(akdg_tf.LiteRT(),))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: keras.Sequential([keras.layers.Dense(3)]), r"call it on latents once, .* \(\w+Error: "),
        (lambda: keras.Sequential([keras.Input((1, 1, 6)), keras.layers.Dense(3)]), r"of latents \[n, latent_dim\]"),
        (lambda: keras.Sequential([keras.Input((6,)), keras.layers.Reshape((2, 3))]), r"samples .* shape \(2, 3\)"),
        (lambda: tf.Module(), r"only a built Keras model .* \(AttributeError: "),
    ],
)
def test_what_is_no_generator_is_refused_in_one_line(make, says, tmp_path):
    with pytest.raises(UserError, match=says) as caught:
        akdg_tf.export(make(), tmp_path / "mine")
    assert "\n" not in str(caught.value) and not (tmp_path / "mine").exists()
