"""How LiteRT's file stores its weights: what it weighs, what it draws, and that a file tells it itself."""

import sys

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from support import not_gray

from akdg_tf.artifacts.litert import LiteRT, litert_model
from akdg_tf.artifacts.quantization import WEIGHTS, weights_in
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, MLPGenerator, SNGANGenerator

Z = np.random.default_rng(1).normal(size=(16, 8)).astype("float32")


@pytest.fixture(scope="module")
def model():
    """A DCGAN whose images are not gray. All but its last kernel have more than 1,024 weights."""
    keras.utils.set_random_seed(0)
    return not_gray(DCGANGenerator(8, (8, 8, 1), (64, 32)))


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """A file for each kind of weights."""
    folder = tmp_path_factory.mktemp("files")
    for weights in WEIGHTS:
        (folder / weights).mkdir()
        LiteRT(weights).write(model, folder / weights)
    return {weights: folder / weights / "model.tflite" for weights in WEIGHTS}


@pytest.mark.parametrize("kept", [0, 3, 100, 1000])
def test_a_damaged_file_is_one_line(kept, files, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(files["int8"].read_bytes()[:kept])
    with pytest.raises(UserError, match=r"model\.tflite is damaged: export it again$"):
        weights_in(path)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_a_file_tells_how_it_stores_its_weights_and_maps_float_latents_to_float_images(weights, files):
    assert weights_in(files[weights]) == weights
    interpreter = Interpreter(str(files[weights]))
    for details in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        assert (details["dtype"], details["quantization_parameters"]["scales"].size) == (np.float32, 0)
    with pytest.raises((RuntimeError, ValueError)):
        interpreter.get_signature_runner("generator")(z=Z[:, :7])


# Gray levels of 255, and the share of the size in float32. A file also holds steps, biases, norms and its operations.
@pytest.mark.parametrize(("weights", "levels", "share"), [("int8", 1, 0.4), ("int8_full", 6, 0.4), ("int4", 12, 0.3)])
def test_quantized_weights_are_small_and_draw_nearly_the_same_images(weights, levels, share, model, files):
    images = Interpreter(str(files[weights])).get_signature_runner("generator")(z=Z)["images"]
    expected = (model(Z) + 1) / 2
    difference = 255 * np.abs(images - expected).mean()
    assert 0.01 < difference < levels < 255 * np.abs(expected - np.roll(expected, 1, 0)).mean() / 3
    assert files[weights].stat().st_size < share * files["float32"].stat().st_size


def test_small_kernels_stay_float32_in_int8_and_the_file_says_so(tmp_path):
    LiteRT("int8").write(MLPGenerator(8, (4, 4, 1), width=16, depth=1), tmp_path)
    assert weights_in(tmp_path / "model.tflite") == "float32"


def test_large_kernels_are_in_the_int4_file_too():
    """From 256 kB on, ai-edge-quantizer puts them behind the model proper."""
    keras.utils.set_random_seed(0)
    model = not_gray(DCGANGenerator(8, (8, 8, 1), (512, 256)))
    images = Interpreter(model_content=litert_model(model, (0, 1), "int4")).get_signature_runner()(z=Z)["images"]
    assert 0.01 < 255 * np.abs(images - (model(Z) + 1) / 2).mean() < 12


def test_residual_blocks_are_quantized_too():
    model = SNGANGenerator(8, (8, 8, 1), width=16, blocks=1)
    images = Interpreter(model_content=litert_model(model, (0, 1), "int8_full")).get_signature_runner()(z=Z)["images"]
    assert 255 * np.abs(images - (model(Z) + 1) / 2).mean() < 4


def test_the_calibration_is_the_same_every_time(model, files):
    """The files differ in the names of tensors, which Keras numbers."""
    files = litert_model(model, (0, 1), "int8_full"), files["int8_full"].read_bytes()
    once, again = (Interpreter(model_content=each).get_signature_runner()(z=Z)["images"] for each in files)
    np.testing.assert_array_equal(once, again)


def test_without_the_quantizer_int4_is_one_line(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    with pytest.raises(UserError, match=r"^int4 weights need ai-edge-quantizer: pip install 'akdg_tf\[compression\]'"):
        litert_model(model, (0, 1), "int4")
