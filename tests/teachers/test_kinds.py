"""Teachers of every kind: a Python function, ONNX, Keras' own file, a folder of images, an .npz file."""

import sys

import contracts
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.teachers import npz
from akdg_tf.teachers.bank import BankedTeacher, make_bank
from akdg_tf.teachers.load import is_there, load_teacher
from akdg_tf.teachers.sources import OnlineTeacher

Z = tf.random.stateless_normal((5, 3), (0, 0))
KERNEL = np.random.default_rng(0).normal(size=(3, 72)).astype("float32")
FUNCTIONS = """
import numpy as np

KERNEL = np.random.default_rng(0).normal(size=(3, 72)).astype("float32")

def plain(z):
    return np.tanh(z @ KERNEL).reshape(-1, 4, 6, 3)

def channels_first(z):
    return plain(z).transpose(0, 3, 1, 2)

def in_bytes(z):
    return np.rint((plain(z) + 1) * 127.5).astype(np.uint8)

class Tensor:
    "What PyTorch gives: it must be detached and brought to the host before NumPy takes it."
    def __init__(self, values, ready=False): self.values, self.ready = values, ready
    def detach(self): return self
    def cpu(self): return Tensor(self.values, True)
    def __array__(self, dtype=None, copy=None):
        assert self.ready, "Can't call numpy() on Tensor that requires grad"
        return self.values

def of_torch(z):
    return Tensor(channels_first(z))

def broken(z):
    raise RuntimeError("out of order")
"""


def expected(z=Z):
    return np.tanh(np.asarray(z) @ KERNEL).reshape(-1, 4, 6, 3)


@pytest.fixture
def functions(tmp_path, monkeypatch):
    (tmp_path / "my_teacher.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_teacher", raising=False)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])


@pytest.mark.parametrize(
    ("name", "output_range"),
    [("plain", (-1, 1)), ("channels_first", (-1, 1)), ("in_bytes", None), ("of_torch", (-1, 1))],
)
def test_a_python_function_is_a_teacher(name, output_range, functions, tmp_path):
    teacher = load_teacher(f"my_teacher:{name}", latent_dim=3, output_range=output_range)
    for images in (teacher(Z), tf.function(teacher)(Z)):
        assert images.shape == (5, 4, 6, 3)
        np.testing.assert_allclose(images, expected(), atol=1 / 127 if name == "in_bytes" else 1e-6)
    assert set(teacher.describe().values()) == {None, 3}
    bank = make_bank(teacher, 20, 0, tmp_path / "banks")
    np.testing.assert_allclose(bank.images / 127.5 - 1, expected(bank.latents), atol=1.1 / 127)


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("my_teacher:plain", {"latent_dim": None}, "bind load_teacher.latent_dim"),
        ("my_teacher:nothing", {}, "cannot be imported .AttributeError"),
        ("nobodys_module:plain", {}, "cannot be imported .ModuleNotFoundError"),
        ("my_teacher:broken", {}, "fails for latents of the shape .8, 3. .RuntimeError: out of order"),
        ("my_teacher:plain", {"latent_dim": 4}, "fails for latents of the shape .8, 4."),
        ("my_teacher:plain", {"output_range": None}, "outside the range .*: bind load_teacher.output_range"),
    ],
)
def test_what_is_wrong_with_a_function_is_one_line(name, settings, says, functions):
    with pytest.raises(UserError, match=says) as caught:
        load_teacher(name, **{"latent_dim": 3, "output_range": (-1, 1), **settings})
    assert "\n" not in str(caught.value)


def write_onnx(path):
    """As PyTorch exports a DCGAN: z of [n, 3, 1, 1], images [n, 3, 4, 6]."""
    shape = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 3, 1, 1])
    output = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 4, 6])
    constants = {"kernel": KERNEL, "flat": np.array([-1, 3]), "square": np.array([-1, 4, 6, 3])}
    nodes = [
        helper.make_node("Reshape", ["z", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "kernel"], ["product"]),
        helper.make_node("Tanh", ["product"], ["values"]),
        helper.make_node("Reshape", ["values", "square"], ["last"]),
        helper.make_node("Transpose", ["last"], ["images"], perm=[0, 3, 1, 2]),
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "generator", [shape], [output], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_what_our_onnx_export_states_is_read(tmp_path, caplog):
    model = akdg_tf.MLPGenerator(3, (4, 6, 3), width=4)
    akdg_tf.export(model, tmp_path / "exported", exports=(akdg_tf.ONNX(),))
    with caplog.at_level("INFO"):
        teacher = load_teacher(str(tmp_path / "exported" / "model.onnx"))
    assert (teacher.output_range, teacher.prior) == ((0.0, 1.0), "normal")
    assert "taken to be" not in caplog.text
    z = np.ones((2, 3), np.float32)
    np.testing.assert_allclose(teacher(tf.constant(z)), model(z), atol=1e-6)


@pytest.mark.parametrize("meta", [{"output_range": "wide"}, {"output_range": "[0, 2]"}, {"prior": "cauchy"}, {}])
def test_metadata_of_another_onnx_file_are_left_alone(tmp_path, meta):
    write_onnx(tmp_path / "g.onnx")
    model = onnx.load(tmp_path / "g.onnx")
    helper.set_model_props(model, meta)
    onnx.save(model, tmp_path / "h.onnx")
    teacher = load_teacher(str(tmp_path / "h.onnx"), output_range=(-1, 1))
    assert (teacher.output_range, teacher.prior) == ((-1, 1), "normal")


def test_an_onnx_file_is_a_teacher(tmp_path):
    write_onnx(tmp_path / "g.onnx")
    teacher = load_teacher(str(tmp_path / "g.onnx"), output_range=(-1, 1))
    assert teacher.latent_dim == 3
    for images in (teacher(Z), tf.function(teacher)(Z)):
        np.testing.assert_allclose(images, expected(), atol=1e-6)
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"bad\.onnx cannot be loaded"):
        load_teacher(str(tmp_path / "bad.onnx"))


@pytest.mark.parametrize("weights", ["float32", "int8_full"])
def test_a_tflite_file_is_a_teacher(weights, tmp_path):
    model = akdg_tf.MLPGenerator(3, (4, 6, 3), width=8, depth=1)
    akdg_tf.LiteRT(weights).write(model, tmp_path)
    teacher = load_teacher(str(tmp_path / "model.tflite"))
    assert (teacher.latent_dim, teacher.batch, teacher.output_range) == (3, None, (0.0, 1.0))
    most = {"float32": 1e-5, "int8_full": 0.1}[weights]
    for images in (teacher(Z), tf.function(teacher)(Z), tf.function(teacher)(Z[:1])):
        np.testing.assert_allclose(images, model(Z)[: len(images)], atol=most)
    assert set(teacher.describe().values()) == {None, 3} and len(teacher.digest()) == 64
    contracts.image_source_contract(teacher, (4, 6, 3))


def test_a_tflite_file_that_is_no_generator_or_is_damaged_is_one_line(tmp_path):
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"bad\.tflite cannot be loaded"):
        load_teacher(str(tmp_path / "bad.tflite"))
    model = keras.Sequential([keras.Input((3,), 2), keras.layers.Dense(12), keras.layers.Reshape((2, 2, 3))])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (tmp_path / "fixed.tflite").write_bytes(converter.convert())
    assert load_teacher(str(tmp_path / "fixed.tflite"), output_range=(-20, 20)).batch == 2
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([np.ones((2, 3), np.float32)] for _ in range(2))
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (tmp_path / "whole.tflite").write_bytes(converter.convert())
    with pytest.raises(UserError, match=r"whole\.tflite has quantized inputs or outputs: convert it with float ones"):
        load_teacher(str(tmp_path / "whole.tflite"))


def test_a_keras_file_is_a_teacher(tmp_path):
    own = akdg_tf.DCGANGenerator(3, (8, 8, 1), (8, 4))
    own.save(tmp_path / "own.keras")
    foreign = keras.Sequential([keras.Input((3,)), keras.layers.Dense(12, "sigmoid"), keras.layers.Reshape((2, 2, 3))])
    foreign.save(tmp_path / "foreign.keras")
    teacher = load_teacher(str(tmp_path / "own.keras"), output_range=(-1, 1))
    np.testing.assert_allclose(teacher(Z), own(Z), atol=1e-6)
    assert teacher.describe()["params"] == sum(v.numpy().size for v in own.trainable_variables)
    np.testing.assert_allclose(load_teacher(str(tmp_path / "foreign.keras"))(Z), 2 * foreign(Z) - 1, atol=1e-6)
    (tmp_path / "bad.keras").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"bad\.keras cannot be loaded by Keras"):
        load_teacher(str(tmp_path / "bad.keras"))


BYTES = np.random.default_rng(1).integers(0, 256, (30, 4, 6, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "drawn" / "more").mkdir(parents=True)
    for number, image in enumerate(BYTES):
        Image.fromarray(image).save(tmp_path / "drawn" / ("more" if number % 2 else ".") / f"{number:02}.png")
    return tmp_path / "drawn"


def as_rows(images):
    return {image.tobytes() for image in np.rint((np.asarray(images) + 1) * 127.5).astype(np.uint8)}


def test_a_folder_of_images_is_a_teacher_without_latents(folder):
    teacher = load_teacher(str(folder))
    assert (teacher.name, teacher.sample_shape, set(teacher.describe().values())) == ("drawn", (4, 6, 3), {None})
    contracts.image_source_contract(teacher, (4, 6, 3))
    assert as_rows(teacher.samples(100, 0)) == as_rows(BYTES / 127.5 - 1)
    for source in (OnlineTeacher(), BankedTeacher(1000)):
        assert source.open(teacher, False, contracts.no_reals) is teacher
    student = akdg_tf.MLPGenerator(3, (4, 6, 3), width=4)
    says = r"MSE requires pairs of latent and image: 'drawn' gives only images; .* as `latents` in an .npz file"
    with pytest.raises(ValueError, match=says):
        akdg_tf.MSEDistillation(student, teacher)


def test_a_folder_of_images_is_read_at_a_size_that_is_bound(folder, tmp_path):
    teacher = load_teacher(str(folder), sample_shape=[2, 3, 1])
    contracts.image_source_contract(teacher, (2, 3, 1))
    assert teacher.name == "drawn" and teacher.digest() != load_teacher(str(folder)).digest()
    np.savez(tmp_path / "own.npz", images=BYTES)
    with pytest.raises(UserError, match=r"makes images of the shape \(4, 6, 3\): .* resizes only those of a folder"):
        load_teacher(str(tmp_path / "own.npz"), sample_shape=(2, 3, 1))


@pytest.mark.parametrize(
    ("values", "output_range"), [(BYTES, None), (BYTES / 255.0, None), (BYTES / 127.5 - 1, (-1, 1))]
)
def test_an_npz_file_is_a_teacher_with_or_without_latents(values, output_range, tmp_path):
    z = np.random.default_rng(2).normal(size=(30, 3)).astype("float32")
    np.savez(tmp_path / "alone.npz", images=values)
    np.savez(tmp_path / "pairs.npz", images=values, latents=z)
    alone, pairs = (
        load_teacher(str(tmp_path / f"{name}.npz"), output_range=output_range) for name in ("alone", "pairs")
    )
    contracts.image_source_contract(alone, (4, 6, 3))
    by_latent = {row.tobytes(): image / 127.5 - 1 for row, image in zip(z, BYTES, strict=True)}
    contracts.pair_source_contract(pairs, lambda z: np.stack([by_latent[row.tobytes()] for row in z.numpy()]), 1e-5)
    assert len({alone.digest(), pairs.digest()}) == 2 and as_rows(alone.samples(30, 0)) == as_rows(BYTES / 127.5 - 1)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"pictures": BYTES}, "must hold an array 'images' .n, height, width, 1 or 3."),
        ({"images": BYTES[..., :2]}, r"numbers, not uint8 \(30, 4, 6, 2\)"),
        ({"images": BYTES / 127.5 - 1}, r"outside the range \(0.0, 1.0\): bind load_teacher.output_range"),
        ({"images": BYTES * np.nan}, "outside the range"),
        ({"images": BYTES, "latents": np.zeros((29, 3))}, r"latents float64 \(29, 3\) for 30 images"),
    ],
)
def test_an_npz_file_of_something_else_is_one_line(arrays, says, tmp_path):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=says):
        npz.of_npz(tmp_path / "x.npz", None)


def test_what_is_no_teacher_is_told_what_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").touch()
    (tmp_path / "x.npz").write_bytes(b"PK no zip")
    with pytest.raises(UserError, match=r"x\.npz cannot be read"):
        load_teacher("x.npz")
    for name in ("x.txt", "nowhere", "nowhere.onnx", "a:b:c"):
        assert not is_there(name)
        with pytest.raises(
            UserError, match=r"there is no teacher .*: give a run folder, a zoo entry, .*module:function"
        ):
            load_teacher(name)
