"""Ready generators of TensorFlow 1, each built in the format in which it is published."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from known_images import CLASSES, KERNEL, enlarged, normal, tf_enlarged
from support import mirrored, on_two_replicas
from tf1_hub import reference_variables, tf1, variable, write_module

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.saved_model import load_generator


def progan(is_training, references=False):
    """As `progan-128`: the input and the output of the signature are both named "default"; images in [0, 1]."""
    with reference_variables(references):
        z = tf1.placeholder(tf.float32, (None, 512), "latent_vector")
        kernel, mean = variable("generator/kernel", (512, 48)), variable("generator/mean", (48,), trainable=False)
        lod = variable("lod", (), trainable=False)
        variable("discriminator/kernel", (48, 1))
        images = (tf_enlarged(tf.tanh(z @ kernel - mean), 128) + 1.0) / 2.0
        blurred, sharp = tf.raw_ops.Switch(data=images, pred=lod < 0.5)  # tf.cond of TensorFlow 1
        images = tf.raw_ops.Merge(inputs=[0.0 * blurred, sharp])[0]
        return {"default": ({"default": z}, {"default": 0.5 * images if is_training else images})}


def write_progan(folder, references=False, kernel=KERNEL):
    graphs = [([], lambda: progan(False, references)), (["train"], lambda: progan(True, references))]
    values = {"generator/kernel": kernel, "generator/mean": np.full(48, 0.25), "lod": 0.0}
    write_module(folder, graphs, {**values, "discriminator/kernel": np.ones((48, 1))})
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["resources", "references"])
def module(request, tmp_path_factory):
    return write_progan(tmp_path_factory.mktemp("hub") / "progan-128", request.param)


def test_a_tf1_hub_module_is_a_teacher_with_its_trained_weights(module):
    teacher, z = load_teacher(str(module)), normal(5, 512)
    expected = enlarged(np.tanh(z @ KERNEL - 0.25), 128)
    for images in (teacher(z), tf.function(teacher)(z)):
        np.testing.assert_allclose(images, expected, atol=1e-5)
    theirs = hub.load(str(module)).signatures["default"](z)["default"]
    np.testing.assert_allclose(theirs, (expected + 1) / 2, atol=1e-5)
    training = load_teacher(str(module), signature="default", tags="train")
    np.testing.assert_allclose(training(z), (expected + 1) / 2 - 1, atol=1e-5)
    assert load_teacher(str(module), tags=[]).digest() == teacher.digest() != training.digest()
    costs = teacher.describe()
    assert (costs["latent_dim"], costs["params"], costs["mult_adds"]) == (512, 512 * 48, 512 * 48)
    assert costs["bytes"] == 4 * (512 * 48 + 48 + 1)  # without the discriminator's


def test_a_tf1_hub_module_draws_the_same_on_every_replica(module):
    with mirrored(("CPU:0", "CPU:1")).scope():
        teacher = load_generator(module)
        assert teacher.sample_shape == (128, 128, 3)
    for images in on_two_replicas(lambda: teacher(normal(2, 512))):
        np.testing.assert_allclose(images, enlarged(np.tanh(normal(2, 512) @ KERNEL - 0.25), 128), atol=1e-5)


def test_the_weights_of_a_tf1_hub_module_are_part_of_its_digest(module, tmp_path):
    """Otherwise two modules would share a bank. So it is for one that the Python API is given."""
    other = write_progan(tmp_path / "other", references=True, kernel=2 * KERNEL)
    assert load_teacher(str(module)).digest() != load_teacher(str(other)).digest()
    signatures = [hub.load(str(each)).signatures["default"] for each in (module, other)]
    given = [
        akdg_tf.FrozenGenerator(lambda z, draw=draw: draw(z)["default"], 512, output_range=(0, 1))
        for draw in signatures
    ]
    assert given[0].digest() != given[1].digest()


def test_a_tf1_hub_module_teaches_a_dcgan_of_its_size(tmp_path):
    teacher = load_teacher(str(write_progan(tmp_path / "progan-128", references=True)))
    student = akdg_tf.DCGANGenerator(8, (128, 128, 3), (4, 4, 4), use_batch_norm=False)
    before = [each.numpy() for each in student.trainable_variables]
    trainer = akdg_tf.AKDG(student, None, akdg_tf.ConvDiscriminator((2, 4)), teacher, penalty=None)
    trainer.compile(keras.optimizers.Adam(1e-2, beta_1=0.0))
    trainer.fit(tf.data.Dataset.from_tensor_slices(tf.zeros((4, 128, 128, 3))).batch(2), verbose=0)
    changed = [np.abs(each.numpy() - old).max() for each, old in zip(student.trainable_variables, before, strict=True)]
    assert min(changed) > 0 and np.isfinite(changed).all()
    assert trainer(normal(2, 8)).shape == (2, 128, 128, 3)


def compare_gan(model, batch):
    """As compare_gan exports: a graph for each network and batch; for a fixed batch the inputs are zeros."""
    given = tf.zeros if batch else tf1.placeholder
    weights = {
        "gen": variable("generator/kernel", (8, 48)),
        "disc": variable("discriminator/kernel", (48, 1)),
        "average": variable("generator/kernel/ExponentialMovingAverage", (8, 48), trainable=False),
    }
    if model == "disc":
        images = given(shape=(batch, 4, 4, 3), dtype=tf.float32)
        return {"default": ({"images": images}, {"prediction": tf.reshape(images, (-1, 48)) @ weights["disc"]})}
    z = given(shape=(batch, 8), dtype=tf.float32, name="z_for_eval")
    images = tf.reshape(tf.sigmoid(z @ weights["average"]), (-1, 4, 4, 3))
    return {"default": ({"z": z}, {"generated": images})}


@pytest.mark.parametrize(
    ("tags", "batch"), [(None, 64), (("gen", "bs8"), 8), (["bs8", "gen"], 8), (("gen", "bsNone"), None)]
)
def test_a_compare_gan_module_is_a_teacher_by_its_tags(tags, batch, tmp_path):
    graphs = [([], lambda: compare_gan("gen", 64))]
    for size in (8, None):
        graphs += [((model, f"bs{size}"), lambda m=model, n=size: compare_gan(m, n)) for model in ("gen", "disc")]
    kernels = {"generator/kernel": np.zeros((8, 48)), "discriminator/kernel": np.ones((48, 1))}
    write_module(tmp_path / "m", graphs, {**kernels, "generator/kernel/ExponentialMovingAverage": KERNEL[:8]})
    teacher, z = load_teacher(str(tmp_path / "m"), prior="uniform", tags=tags), normal(5, 8)
    for images in (teacher(z), tf.function(teacher)(z)):  # 2 sigmoid(x) - 1 = tanh(x / 2)
        np.testing.assert_allclose(images, np.tanh(z @ KERNEL[:8] / 2).reshape(-1, 4, 4, 3), atol=1e-6)
    assert (teacher.prior, teacher.batch) == ("uniform", batch)
    costs = teacher.describe()  # of one image, whatever the batch, and without the discriminator
    assert (costs["params"], costs["mult_adds"], costs["bytes"]) == (8 * 48, 8 * 48, 4 * 8 * 48)
    with pytest.raises(
        UserError, match=r"graphs with the tags \[\], .*\['bs8', 'gen'\].*: bind load_teacher.tags to one"
    ):
        load_teacher(str(tmp_path / "m"), tags=("gen", "bs9"))


def two_networks():
    """As the first modules of compare_gan: one graph with a signature for each network."""
    z, kernel = tf1.placeholder(tf.float32, (64, 8)), variable("kernel", (8, 48))
    images = tf.reshape(tf.sigmoid(z @ kernel), (-1, 4, 4, 3))
    return {
        "generator": ({"z": z}, {"generated": images}),
        "discriminator": ({"images": images}, {"prediction": tf.reduce_mean(images, (1, 2, 3))[:, None]}),
    }


def test_a_signature_that_is_not_the_only_one_is_bound(tmp_path):
    write_module(tmp_path / "m", [([], two_networks)], {"kernel": KERNEL[:8]})
    with pytest.raises(UserError, match=r"bind load_teacher.signature to one of \['discriminator', 'generator'\]"):
        load_teacher(str(tmp_path / "m"))
    teacher, z = load_teacher(str(tmp_path / "m"), prior="uniform", signature="generator"), normal(70, 8)
    np.testing.assert_allclose(teacher(z), np.tanh(z @ KERNEL[:8] / 2).reshape(-1, 4, 4, 3), atol=1e-6)


def biggan():
    """As BigGAN's: a class as a vector of 1,000 numbers, a scalar truncation; images in [-1, 1]."""
    inputs = {
        "z": tf1.placeholder(tf.float32, (None, 120)),
        "y": tf1.placeholder(tf.float32, (None, 1000)),
        "truncation": tf1.placeholder(tf.float32, ()),
    }
    values = inputs["z"] @ variable("kernel", (120, 48)) + inputs["y"] @ variable("classes", (1000, 48))
    return {"default": (inputs, {"default": tf_enlarged(tf.tanh(inputs["truncation"] * values), 128)})}


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "biggan-128"
    write_module(folder, [([], biggan)], {"kernel": KERNEL[:120], "classes": CLASSES})
    return folder


def test_a_class_and_a_truncation_are_bound_to_constants(conditional):
    def load(label, truncation):
        inputs = {"y": label, "truncation": truncation}
        return load_teacher(str(conditional), output_range=[-1, 1], inputs=inputs)

    z, vector = normal(3, 120), np.eye(1000, dtype=np.float32)[207]
    expected = enlarged(np.tanh(0.5 * (z @ KERNEL[:120] + CLASSES[207])), 128)
    for label in ("one-hot 207", vector, vector.tolist()):
        np.testing.assert_allclose(load(label, 0.5)(z), expected, atol=1e-5)
    teachers = [load("one-hot 207", 0.5), load("one-hot 208", 0.5), load("one-hot 207", 0.4)]
    assert len({each.digest() for each in teachers}) == 3  # each has its own bank
    assert teachers[0].describe()["latent_dim"] == 120


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({}, "must have one input for the latents: bind the others as load_teacher.inputs; .* truncation .*, y .*, z"),
        ({"y": 207}, r"input y is float32 \(None, 1000\), and cannot be 207: .*'one-hot 3' is the vector of class 3"),
        ({"y": "one-hot 1000"}, "cannot be 'one-hot 1000'"),
        ({"y": "tabby cat"}, "cannot be 'tabby cat'"),
        ({"y": [[0.0], [1.0, 2.0]]}, "input y is"),
        ({"y": [0.0] * 999}, "input y is"),
        ({"truncation": [0.5, 0.5]}, r"input truncation is float32 \(\), and cannot be \(0.5, 0.5\)"),
        ({"truncation": "one-hot 1"}, "input truncation is"),
    ],
)
def test_a_constant_that_does_not_fit_is_one_line(inputs, says, conditional):
    given = {"y": "one-hot 0", "truncation": 0.5, **inputs} if inputs else {}
    with pytest.raises(UserError, match=says):
        load_teacher(str(conditional), output_range=(-1, 1), inputs=given)
