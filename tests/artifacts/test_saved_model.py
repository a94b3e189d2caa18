"""A SavedModel loaded in a new process by the real tensorflow_hub draws what the model in memory draws."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from akdg_tf import models
from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_teacher

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


@pytest.mark.parametrize("make", [models.DCGANGenerator, models.SNGANGenerator, models.MLPGenerator])
def test_litert_draws_what_the_model_in_memory_draws(make):
    model = make(6, (16, 16, 1), **({"width": 4, "blocks": 2} if make is models.SNGANGenerator else {}))
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    runner = Interpreter(model_content=litert_model(model, (0, 1))).get_signature_runner("generator")
    np.testing.assert_allclose(runner(z=z)["images"], (model(z) + 1) / 2, atol=1e-6)


def test_what_was_trained_in_bfloat16_is_exported_in_float32():
    reference = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    keras.config.set_dtype_policy("mixed_bfloat16")
    trained = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    trained.set_weights(reference.get_weights())
    z = tf.random.stateless_normal((3, 6), (0, 0))
    np.testing.assert_array_equal(detached_copy(trained)(z), reference(z))
    assert np.abs(trained(z) - reference(z)).max() > 1e-5
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_exported_model_is_a_teacher_that_knows_its_latent(exported):
    model, folder = exported
    teacher = load_teacher(str(folder))
    z = tf.random.stateless_normal((3, 6), (0, 0))
    assert (teacher.latent_dim, teacher.prior) == (6, "normal")
    np.testing.assert_allclose(teacher(z), model(z), atol=1e-6)
    assert teacher.describe()["params"] == sum(v.numpy().size for v in model.trainable_variables)


def test_a_foreign_saved_model_teaches_through_its_signature(tmp_path):
    """As TF Hub's progan-128 does: a signature, its own names, outputs in a range that is declared."""

    class Foreign(tf.Module):
        def __init__(self):
            self.kernel = tf.Variable(tf.zeros((3, 16)))

        @tf.function(input_signature=[tf.TensorSpec((None, 3), name="noise")])
        def draw(self, noise):
            return {"generated": tf.reshape(255.0 + noise @ self.kernel, (-1, 4, 4, 1))}

    module = Foreign()
    tf.saved_model.save(module, str(tmp_path), signatures={"default": module.draw})
    teacher = load_teacher(str(tmp_path), output_range=(0.0, 255.0), signature="default", prior="uniform")
    assert (teacher.latent_dim, teacher.prior) == (3, "uniform")
    np.testing.assert_array_equal(teacher(tf.zeros((2, 3))), np.ones((2, 4, 4, 1)))
    assert (teacher.describe()["params"], teacher.describe()["mult_adds"]) == (3 * 16, 3 * 16)
    with pytest.raises(UserError, match="has no signature 'nosuch'"):
        load_teacher(str(tmp_path), signature="nosuch")


def test_a_missing_teacher_is_named():
    with pytest.raises(UserError, match="there is no teacher 'nosuch'"):
        load_teacher("nosuch")
