"""Teachers from SavedModels: ours, which know their latent, and others."""

import json

import numpy as np
import pytest
import tensorflow as tf
from support import mirrored

import akdg_tf
from akdg_tf import models
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.saved_model import load_generator


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


class Wild(tf.Module):
    """Generators as they are found in the wild, each a function of its own; images are 4x6, in [-1, 1]."""

    @staticmethod
    def images(z):
        values = tf.tanh(tf.cast(tf.reshape(z, (-1, 3)), tf.float32)) @ tf.ones((3, 72)) / 3.0
        return tf.reshape(values, (-1, 4, 6, 3))

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def in_a_tuple(self, z):
        return (self.images(z),)

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def in_a_dict_with_features(self, z):
        return {"features": z, "rgb": self.images(z)}

    @tf.function(input_signature=[tf.TensorSpec((16, 3))])
    def batch_of_16(self, z):
        return self.images(z)

    @tf.function(input_signature=[tf.TensorSpec((1, 3))])
    def batch_of_1(self, z):
        return self.images(z)

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float64)])
    def in_float64(self, z):
        return self.images(z)

    @tf.function(input_signature=[tf.TensorSpec((None, 3, 1, 1))])
    def of_torchs_latents(self, z):
        return self.images(z)

    @tf.function(input_signature=[tf.TensorSpec((None, 1, 1, 3))])
    def of_a_map_of_one_pixel(self, z):
        return self.images(z)

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def in_nchw(self, z):
        return tf.transpose(self.images(z), (0, 3, 1, 2))

    @tf.function(input_signature=[tf.TensorSpec((None, 3)), tf.TensorSpec((), name="psi")])
    def with_truncation(self, z, psi):
        return psi * self.images(z)

    @tf.function(input_signature=[tf.TensorSpec((None, 3)), tf.TensorSpec((None,), tf.int32, name="label")])
    def with_labels(self, z, label):
        return self.images(z) * tf.cast(label, tf.float32)[:, None, None, None]

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def of_unknown_shape(self, z):
        return tf.reshape(self.images(z), tf.concat([tf.shape(z)[:1], tf.random.shuffle([4])[:1], [6, 3]], 0))


WILD = {
    "in_a_tuple": {},
    "in_a_dict_with_features": {},
    "batch_of_16": {},
    "batch_of_1": {},
    "in_float64": {},
    "of_torchs_latents": {},
    "of_a_map_of_one_pixel": {},
    "in_nchw": {},
    "with_truncation": {"inputs": {"psi": 1.0}},
    "with_labels": {"inputs": {"label": 1}},
    "of_unknown_shape": {},
}


@pytest.fixture(scope="module")
def wild(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wild")
    module = Wild()
    tf.saved_model.save(module, str(folder), {name: getattr(module, name) for name in WILD})
    return folder


@pytest.mark.parametrize("signature", WILD)
def test_a_generator_from_the_wild_is_adapted(signature, wild):
    """Alone and in a graph: whatever its input and output look like, it gives the images of the plain one."""
    teacher = load_teacher(str(wild), output_range=(-1, 1), signature=signature, **WILD[signature])
    z = tf.random.stateless_normal((5, 3), (0, 0))
    assert teacher.latent_dim == 3
    for images in (teacher(z), tf.function(teacher)(z)):
        assert images.shape == (5, 4, 6, 3) and images.dtype == tf.float32
        np.testing.assert_allclose(images, Wild.images(z), atol=1e-6)
    assert tf.function(teacher).get_concrete_function(tf.TensorSpec((None, 3))).output_shapes[1:] == (4, 6, 3)


@pytest.mark.parametrize(
    ("signature", "settings", "says"),
    [
        ("with_labels", {}, r"also takes label \(int32 \(None,\)\): bind load_teacher.inputs={'label': 'VALUE'}"),
        ("with_truncation", {}, r"also takes psi \(float32 \(\)\): bind load_teacher.inputs"),
        ("with_truncation", {"inputs": {"phi": 1.0}}, "has no input 'phi': its inputs are"),
        ("in_a_dict_with_features", {"output": "image"}, r"has the outputs .*'features' .*: bind load_teacher.output"),
        ("in_a_tuple", {"layout": "CHWN"}, "load_teacher.layout is 'CHWN': bind one of NHWC, NCHW"),
        ("in_a_tuple", {"latent_dim": 4}, "takes latents of 3 numbers, not 4"),
        (
            "in_a_tuple",
            {"output_range": None},
            r"from -\S+ to \S+, outside the range \(0.0, 1.0\): bind .*\(-1.0, 1.0\)",
        ),
        ("in_a_tuple", {"output_range": (0, 255)}, r"bind load_teacher.output_range, such as \(-1.0, 1.0\)"),
    ],
)
def test_what_a_generator_from_the_wild_does_not_tell_is_asked_for_in_one_line(signature, settings, says, wild):
    with pytest.raises(UserError, match=says) as caught:
        load_teacher(str(wild), **{"output_range": (-1, 1), "signature": signature, **settings})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("devices", [("CPU:0",), ("CPU:0", "CPU:1")])
def test_a_teacher_is_loaded_and_asked_under_a_strategy(devices, wild, exported):
    with mirrored(devices).scope():
        teacher = load_generator(wild, None, None, (-1, 1), "batch_of_16")
        own = load_generator(exported[1])
        assert (teacher.sample_shape, own.sample_shape) == ((4, 6, 3), (16, 16, 1))
    z = tf.random.stateless_normal((5, 3), (0, 0))
    np.testing.assert_allclose(next(teacher.batches(5, 0)).shape, (5, 4, 6, 3))
    np.testing.assert_allclose(tf.function(teacher)(z), Wild.images(z), atol=1e-6)


class Ranged(tf.Module):
    def __init__(self, scale, offset, dtype):
        self.scale, self.offset, self.dtype = scale, offset, dtype

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def __call__(self, z):
        return tf.cast(self.scale * Wild.images(z) + self.offset, self.dtype)


def test_bytes_are_in_0_to_255_and_an_assumed_range_is_logged(tmp_path, caplog):
    tf.saved_model.save(Ranged(127.0, 128.0, tf.uint8), str(tmp_path))
    z = tf.random.stateless_normal((5, 3), (0, 0))
    with caplog.at_level("INFO"):
        teacher = load_teacher(str(tmp_path))
    np.testing.assert_allclose(teacher(z), Wild.images(z), atol=1.1 / 127)
    assert "its images are taken to be in the range (0.0, 255.0)" in caplog.text


@pytest.mark.parametrize(
    ("scale", "offset", "says"),
    [(127.0, 128.0, r"such as \(0.0, 255.0\)"), (float("nan"), 0.0, "samples that are not finite")],
)
def test_images_out_of_their_range_or_not_finite_are_refused(scale, offset, says, tmp_path):
    tf.saved_model.save(Ranged(scale, offset, tf.float32), str(tmp_path))
    with pytest.raises(UserError, match=says):
        load_generator(tmp_path)


def test_a_range_of_which_the_images_fill_next_to_nothing_is_told(tmp_path, caplog):
    tf.saved_model.save(Ranged(0.5, 0.5, tf.float32), str(tmp_path))
    load_teacher(str(tmp_path), output_range=(0, 255))
    assert any("gives samples only from 0" in message for message in caplog.messages)


def test_a_saved_model_of_several_graphs_is_loaded_by_its_tags(tmp_path):
    """As modules of TF1 Hub are: one graph without tags, one for training."""
    builder = tf.compat.v1.saved_model.Builder(str(tmp_path))
    for tags, factor in (([], 1.0), (["train"], 0.5)):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            z = tf.compat.v1.placeholder(tf.float32, (None, 3))
            weight = tf.compat.v1.get_variable("w", initializer=1.0)
            images = factor * weight * Wild.images(z)
            session.run(tf.compat.v1.global_variables_initializer())
            signature = tf.compat.v1.saved_model.predict_signature_def({"z": z}, {"images": images})
            if not tags:
                builder.add_meta_graph_and_variables(session, tags, {"default": signature})
            else:
                builder.add_meta_graph(tags, {"default": signature})
    builder.save()
    z = tf.random.stateless_normal((5, 3), (0, 0))
    settings = {"signature": "default", "output_range": (-1, 1)}
    for tags, factor in ((None, 1.0), (["train"], 0.5)):
        np.testing.assert_allclose(load_teacher(str(tmp_path), tags=tags, **settings)(z), factor * Wild.images(z), 1e-5)


def test_a_missing_operation_is_named(tmp_path):
    tf.saved_model.save(Ranged(1.0, 0.0, tf.float32), str(tmp_path))
    path = tmp_path / "saved_model.pb"
    path.write_bytes(path.read_bytes().replace(b"\x04Tanh", b"\x04Tbnh"))
    with pytest.raises(UserError, match="needs the operation Tbnh, which is not here"):
        load_generator(tmp_path)


class Fixed(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def __call__(self, z):
        return (
            tf.ones((tf.shape(z)[0], 1, 1, 1)) * tf.linspace(0.0, 1.0, 48)[None, :, None, None] * tf.ones((1, 1, 4, 1))
        )


def test_a_generator_that_does_not_depend_on_its_latents_is_told(tmp_path, caplog):
    tf.saved_model.save(Fixed(), str(tmp_path))
    load_teacher(str(tmp_path))
    assert "gives the same image for all latents" in caplog.text


@pytest.mark.parametrize(
    "meta",
    [
        {"latent_dim": True},
        {"latent_dim": 0},
        {"prior": 5},
        {"prior": "nosuch"},
        {"output_range": [1, 0]},
        {"output_range": "x"},
        [],
    ],
)
def test_a_damaged_record_of_an_export_is_one_line(meta, tmp_path):
    akdg_tf.export(akdg_tf.MLPGenerator(4, (2,), width=3), tmp_path / "x")
    path = tmp_path / "x" / "assets.extra" / "generator.json"
    path.write_text(json.dumps(meta))
    with pytest.raises(UserError, match=rf"^{path} is damaged: make or download the SavedModel again$"):
        load_teacher(tmp_path / "x")
