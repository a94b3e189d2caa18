"""ONNX's file against the model in memory."""

import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, mirrored

from akdg_tf import load_teacher, models
from akdg_tf.artifacts.onnx import ONNX, function_of, metadata_of, onnx_model
from akdg_tf.errors import UserError

Z = np.random.default_rng(1).normal(size=(5, 6)).astype("float32")
MAKERS = [models.DCGANGenerator, models.SNGANGenerator, models.MLPGenerator]


def made(make, shape=(16, 16, 1)):
    """A small generator whose batch statistics have moved."""
    keras.utils.set_random_seed(0)
    sizes = {models.SNGANGenerator: {"width": 4, "blocks": 2}, models.DCGANGenerator: {"widths": (8, 6, 4)}}
    model = make(6, shape, **sizes.get(make, {"width": 16, "depth": 1}))
    for _ in range(5):
        model(np.random.default_rng(0).normal(size=(64, 6)).astype("float32"), training=True)
    return model


def run(content, z):
    return onnxruntime.InferenceSession(content).run(None, {"z": z})[0]


@pytest.mark.parametrize("shape", [(16, 16, 1), (16, 24, 3)])
@pytest.mark.parametrize("make", MAKERS)
def test_onnx_draws_what_the_model_in_memory_draws_in_batches_of_any_size(make, shape, capfd):
    model = made(make, shape)
    content = onnx_model(model, (0, 1))
    expected = (model(Z).numpy() + 1) / 2
    assert expected.std() > 1e-3
    for size in (1, 2, 5):
        np.testing.assert_allclose(run(content, Z[:size]), expected[:size], atol=1e-6)
    assert "onnxruntime" not in capfd.readouterr().err  # no warning, such as of what an opset removed


def test_the_file_states_its_contract():
    model = onnx.load_from_string(onnx_model(made(models.DCGANGenerator), (0, 1)))
    meta = {entry.key: entry.value for entry in model.metadata_props}
    expected = {"latent_dim": "6", "output_range": "[0, 1]", "layout": "NHWC", "prior": "normal"}
    assert meta == {**expected, "weights": "float32"}
    (taken,), (given,) = model.graph.input, model.graph.output
    sizes = [[dim.dim_param or dim.dim_value for dim in each.type.tensor_type.shape.dim] for each in (taken, given)]
    assert (taken.name, given.name, sizes) == ("z", "images", [["n", 6], ["n", 16, 16, 1]])
    assert {each.type.tensor_type.elem_type for each in (taken, given)} == {onnx.TensorProto.FLOAT}


def test_points_keep_their_range(tmp_path):
    model = models.MLPGenerator(6, (2,), width=8, output_activation="linear")
    ONNX().write(model, tmp_path)
    np.testing.assert_allclose(function_of(tmp_path / "model.onnx")(Z), model(Z), atol=1e-6)
    meta = metadata_of(tmp_path / "model.onnx")
    assert meta["output_range"] == "[-1, 1]" and "layout" not in meta


@pytest.mark.parametrize("make", MAKERS)
def test_latents_of_another_width_are_refused(make):
    runner = onnxruntime.InferenceSession(onnx_model(made(make), (0, 1)))
    for shape in ((5, 12), (10, 3), (3, 18), (5, 1), (6,)):
        with pytest.raises(Exception, match=r"INVALID_ARGUMENT|Invalid rank"):
            runner.run(None, {"z": np.zeros(shape, np.float32)})


@pytest.mark.parametrize("size", [(4, 16), (7, 13), (15, 20)])
def test_a_plain_keras_model_is_converted_whatever_the_scale_of_its_nearest_neighbours(size):
    layers = [keras.layers.Dense(50), keras.layers.Reshape((5, 10, 1)), keras.layers.Resizing(*size, "nearest")]
    model = keras.Sequential([keras.Input((6,)), *layers])
    np.testing.assert_allclose(run(onnx_model(model, (-1, 1)), Z), model(Z), atol=1e-6)


def test_what_was_trained_in_bfloat16_is_exported_in_float32():
    reference = made(models.DCGANGenerator)
    keras.config.set_dtype_policy("mixed_bfloat16")
    trained = models.DCGANGenerator(6, (16, 16, 1), (8, 6, 4))
    trained.set_weights(reference.get_weights())
    np.testing.assert_allclose(run(onnx_model(trained, (-1, 1)), Z), reference(Z), atol=1e-6)


def test_what_was_trained_on_two_replicas_is_exported():
    with mirrored(("CPU:0", "CPU:1")).scope():
        model = made(models.DCGANGenerator)
    np.testing.assert_allclose(run(onnx_model(model, (-1, 1)), Z), model(Z), atol=1e-6)


def test_weights_in_float16_are_half_as_big_and_less_than_a_gray_level_off(tmp_path):
    model = models.MLPGenerator(6, (16, 16, 1), width=256, depth=2)
    for weights in ("float32", "float16"):
        (tmp_path / weights).mkdir()
        ONNX(weights).write(model, tmp_path / weights)
    whole, half = (tmp_path / weights / "model.onnx" for weights in ("float32", "float16"))
    assert half.stat().st_size == pytest.approx(whole.stat().st_size / 2, rel=0.05)
    assert metadata_of(half)["weights"] == "float16"
    assert 0 < np.abs(function_of(half)(Z) - (model(Z).numpy() + 1) / 2).max() < 1 / 255


def test_the_file_is_a_teacher(tmp_path):
    """It closes the circle: a student of one run teaches another."""
    model = made(models.MLPGenerator, (8, 8, 3))
    ONNX().write(model, tmp_path)
    teacher = load_teacher(str(tmp_path / "model.onnx"), output_range=(0, 1))
    assert (teacher.latent_dim, teacher.sample_shape) == (6, (8, 8, 3))
    np.testing.assert_allclose(teacher(tf.constant(Z)), model(Z), atol=1e-6)


def test_other_weights_are_refused_as_soon_as_they_are_bound():
    with pytest.raises(UserError, match=r"ONNX.weights 'int8' is not one of float32, float16"):
        ONNX("int8")


def test_an_operation_that_onnx_lacks_is_named():
    layers = [keras.layers.Dense(64), keras.layers.Reshape(SAMPLE_SHAPE), Special()]
    with pytest.raises(UserError, match=r"^ONNX cannot run this generator: it lacks the operation Lgamma$"):
        onnx_model(keras.Sequential([keras.Input((6,)), *layers]), (0, 1))


@keras.saving.register_keras_serializable(package="akdg_tf.tests")
class Special(keras.layers.Layer):
    """An operation that tf2onnx does not convert."""

    def call(self, x):
        return tf.math.lgamma(x)


@pytest.mark.parametrize("package", ["tf2onnx", "tf2onnx.convert", "onnx"])
def test_without_its_packages_the_export_is_refused_in_one_line(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=r"^model\.onnx needs tf2onnx and onnx: pip install tf2onnx \(.*\)$"):
        ONNX().write(models.MLPGenerator(6, SAMPLE_SHAPE, width=4), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_onnxruntime_the_file_is_refused_in_one_line(tmp_path, monkeypatch):
    ONNX().write(models.MLPGenerator(6, SAMPLE_SHAPE, width=4), tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"model\.onnx needs onnxruntime: pip install onnxruntime$"):
        function_of(tmp_path / "model.onnx")


def test_a_damaged_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"model\.onnx cannot be loaded: [^\n]+$"):
        function_of(tmp_path / "model.onnx")
