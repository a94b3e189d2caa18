"""Teachers from SavedModels: ours, which know their latent, and others."""

import numpy as np
import pytest
import tensorflow as tf

from akdg_tf import models
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_generator, load_teacher


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


def export(folder, **settings):
    export_generator(models.MLPGenerator(3, (2,), width=4, output_activation="linear"), folder, (-1, 1), **settings)
    return folder


def test_what_is_bound_goes_before_what_our_export_wrote(tmp_path):
    folder = str(export(tmp_path / "x"))
    teacher = load_teacher(folder)
    assert (teacher.latent_dim, teacher.prior, teacher.output_range, teacher.name) == (3, "normal", (-1.0, 1.0), "x")
    other = load_teacher(folder, prior="uniform", output_range=(0.0, 2.0))
    assert (other.prior, other.output_range) == ("uniform", (0.0, 2.0))


def test_a_teacher_is_loaded_once_and_a_generator_anew(tmp_path):
    folder = export(tmp_path / "x")
    assert load_teacher(str(folder)) is load_teacher(str(folder))
    assert load_generator(folder) is not load_generator(folder)


def test_a_smoke_run_is_named_as_such(tmp_path, caplog):
    load_generator(export(tmp_path / "x", smoke=True))
    (message,) = caplog.messages
    assert "was made by a smoke run" in message


@pytest.mark.parametrize(
    "file", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_damaged_saved_model_is_one_line(file, share, tmp_path):
    path = export(tmp_path / "x") / file
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match=f"the SavedModel in {tmp_path / 'x'} cannot be loaded: it is damaged"):
        load_generator(tmp_path / "x")


class Foreign(tf.Module):
    """A SavedModel with no word of its latent, and signatures that are no generator's."""

    def __call__(self, z):
        return z

    @tf.function(input_signature=[tf.TensorSpec((None, 3)), tf.TensorSpec((None, 3))])
    def two_inputs(self, z, label):
        return {"images": z + label}

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def two_outputs(self, z):
        return {"a": z, "b": z}


def test_a_foreign_saved_model_that_does_not_tell_what_is_needed(tmp_path):
    module = Foreign()
    module.__call__ = tf.function(module.__call__, input_signature=[tf.TensorSpec((None, 3))])
    signatures = {name: getattr(module, name) for name in ("two_inputs", "two_outputs")}
    tf.saved_model.save(module, str(tmp_path), signatures)
    with pytest.raises(UserError, match=r"bind load_teacher\.latent_dim"):
        load_generator(tmp_path)
    for name in signatures:
        with pytest.raises(UserError, match=f"signature '{name}' .* must map one input to one output"):
            load_generator(tmp_path, signature=name)
    bound = load_generator(tmp_path, latent_dim=3)
    assert (bound.latent_dim, bound.output_range) == (3, (0.0, 1.0))
