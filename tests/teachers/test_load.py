"""Teachers from SavedModels: ours, which know their latent, and others."""

import numpy as np
import pytest
import tensorflow as tf

from akdg_tf import models
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_teacher


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "saved_model"
    model = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    export_generator(detached_copy(model), folder, (0, 1))
    return model, folder


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
