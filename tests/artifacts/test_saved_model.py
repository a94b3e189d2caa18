"""A SavedModel loaded in a new process by the real tensorflow_hub draws what the model in memory draws."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from akdg_tf import models
from akdg_tf.artifacts.saved_model import detached_copy, export_generator

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
