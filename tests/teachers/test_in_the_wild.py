"""Ready generators of 128 to 1024 pixels, each built in the format in which it is published.

Every one of them is a small function of z, so that the right images are known.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from support import mirrored, on_two_replicas, python
from tf1_hub import reference_variables, tf1, variable, write_module

import akdg_tf
from akdg_tf.artifacts import measure
from akdg_tf.errors import UserError
from akdg_tf.reporting import pictures
from akdg_tf.teachers.bank import make_bank
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.saved_model import load_generator

RNG = np.random.default_rng(0)
KERNEL = (RNG.normal(size=(512, 48)) / 23).astype("float32")
CLASSES = RNG.normal(size=(1000, 48)).astype("float32")


def normal(count, dim):
    return tf.random.stateless_normal((count, dim), (0, 0))


def enlarged(values, side):
    """Maps of 4x4x3 in a row each, as images of side x side; each value becomes a square."""
    factor = side // 4
    return np.asarray(values).reshape(-1, 4, 4, 3).repeat(factor, 1).repeat(factor, 2)


def tf_enlarged(values, side):
    return tf.image.resize(tf.reshape(values, (-1, 4, 4, 3)), (side, side), "nearest")


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


class StyleGAN(tf.Module):
    """As StyleGAN's converted networks: NCHW images of 256x256 in [-1, 1] beside the styles, and four inputs.

    Args:
        layout: of the convolution's maps.
    """

    inputs = [
        tf.TensorSpec((None, 512), name="z"),
        tf.TensorSpec((None, 1), name="truncation_psi"),
        tf.TensorSpec((), tf.string, name="noise_mode"),
        tf.TensorSpec((None,), tf.int64, name="label"),
    ]

    def __init__(self, layout):
        self.kernel, self.average = tf.Variable(KERNEL), tf.Variable(CLASSES[0])
        self.to_rgb, self.layout = tf.Variable(tf.eye(3)[None, None]), layout

    @tf.function(input_signature=inputs)
    def synthesize(self, z, truncation_psi, noise_mode, label):
        styles = self.average + truncation_psi * (z @ self.kernel - self.average)
        maps = tf_enlarged(tf.tanh(styles), 256)
        if self.layout == "NCHW":
            images = tf.nn.conv2d(tf.transpose(maps, (0, 3, 1, 2)), self.to_rgb, 1, "SAME", data_format="NCHW")
        else:
            images = tf.transpose(tf.nn.conv2d(maps, self.to_rgb, 1, "SAME"), (0, 3, 1, 2))
        noise = tf.where(noise_mode == "none", 0.0, 0.1)
        sign = tf.where(label == 1, -1.0, 1.0)[:, None, None, None]
        return {"images": sign * images * (1.0 - noise), "styles": styles}


@pytest.fixture(scope="module")
def stylegan(tmp_path_factory):
    folder, module = tmp_path_factory.mktemp("stylegan"), StyleGAN("NHWC")
    tf.saved_model.save(module, str(folder), {"synthesize": module.synthesize})
    return folder


@pytest.mark.parametrize("psi", [0.7, [0.7], [[0.7]]])
def test_a_stylegan_is_a_teacher_with_its_other_inputs_bound(psi, stylegan):
    inputs = {"truncation_psi": psi, "noise_mode": "none", "label": 1}
    teacher, z = load_teacher(str(stylegan), output_range=(-1, 1), inputs=inputs), normal(3, 512)
    expected = -enlarged(np.tanh(CLASSES[0] + 0.7 * (z @ KERNEL - CLASSES[0])), 256)
    for images in (teacher(z), tf.function(teacher)(z)):
        np.testing.assert_allclose(images, expected, atol=1e-5)
    costs = teacher.describe()
    assert costs["mult_adds"] == 512 * 48 + 256 * 256 * 3 * 3 and costs["latent_dim"] == 512


def test_the_images_of_a_stylegan_change_with_each_constant(stylegan):
    inputs = {"truncation_psi": 0.7, "noise_mode": "none", "label": 1}
    others = [{"truncation_psi": 0.5}, {"noise_mode": "const"}, {"label": 0}]
    teachers = [load_teacher(str(stylegan), output_range=(-1, 1), inputs=inputs | each) for each in ({}, *others)]
    first, *rest = (each(normal(2, 512)).numpy() for each in teachers)
    assert all(np.abs(first - each).max() > 0.05 for each in rest)
    assert len({each.digest() for each in teachers}) == 4
    with pytest.raises(
        UserError, match=r"bind load_teacher.inputs={'truncation_psi': 'VALUE'}|one input for the latents"
    ):
        load_teacher(str(stylegan), inputs={"noise_mode": "none", "label": 1})


DESCRIBED = """
import sys
from akdg_tf import load_teacher
inputs = {"truncation_psi": 0.7, "noise_mode": "none", "label": 1}
print(load_teacher(sys.argv[1], output_range=(-1, 1), inputs=inputs).describe())
"""


@pytest.mark.parametrize("onednn", ["1", "0"])
def test_maps_in_nchw_need_onednn_on_a_cpu(onednn, tmp_path):
    """TensorFlow leaves oneDNN out by default on processors without AVX512-VNNI."""
    module = StyleGAN("NCHW")
    tf.saved_model.save(module, str(tmp_path), {"synthesize": module.synthesize})
    done = python("-c", DESCRIBED, tmp_path, TF_ENABLE_ONEDNN_OPTS=onednn)
    if onednn == "1":
        assert f"'mult_adds': {512 * 48 + 256 * 256 * 3 * 3}" in done.stdout, done.stderr
    else:
        says = "oneDNN knows it: set the environment variable TF_ENABLE_ONEDNN_OPTS=1 before Python starts"
        assert done.returncode == 1 and done.stderr.splitlines()[-1].endswith(says)


class Training(tf.Module):
    """A generator that was exported as it trains: each call counts itself."""

    def __init__(self):
        self.kernel, self.calls = tf.Variable(KERNEL[:100]), tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 100))])
    def __call__(self, z):
        self.calls.assign_add(1.0)
        return tf.reshape(tf.sigmoid(z @ self.kernel), (-1, 4, 4, 3))


def test_a_generator_that_changes_its_variables_is_one_line(tmp_path):
    tf.saved_model.save(Training(), str(tmp_path / "training"))
    teacher = load_teacher(str(tmp_path / "training"))
    for ask in (teacher.digest, teacher.describe):
        with pytest.raises(UserError, match=r"the teacher training cannot be frozen: .* export it for inference"):
            ask()


class Large(tf.Module):
    """A generator of 1024x1024 images in [0, 255], on a machine whose memory holds no more than 4 of them at a time."""

    def __init__(self, batch):
        self.kernel = tf.Variable(KERNEL[:100])
        self.draw = tf.function(self._draw, input_signature=[tf.TensorSpec((batch, 100), name="z")])

    def _draw(self, z):
        tf.debugging.assert_less_equal(tf.shape(z)[0], 4, "out of memory")
        return 127.5 * tf_enlarged(tf.tanh(z @ self.kernel), 1024) + 127.5


def large(z):
    return enlarged(np.tanh(z @ KERNEL[:100]), 1024)


@pytest.fixture(params=[None, 4], ids=["free", "fixed"])
def big(request, tmp_path):
    module = Large(request.param)
    tf.saved_model.save(module, str(tmp_path / "big"), {"draw": module.draw})
    return load_teacher(str(tmp_path / "big"), prior="uniform", output_range=(0, 255)), request.param or 2


def test_a_generator_of_1024_pixels_is_asked_for_few_images_at_a_time(big, tmp_path, monkeypatch):
    teacher, batch = big
    monkeypatch.setattr("akdg_tf.teachers.bank.IN_MEMORY", 2**20)
    bank = make_bank(teacher, 3, 0, tmp_path / "banks")
    assert np.abs(bank.latents).max() <= 1 and bank.images.shape == (3, 1024, 1024, 3)
    np.testing.assert_allclose(bank.images / 127.5 - 1, large(bank.latents), atol=1.1 / 127)
    z, images = bank.draw_pairs(tf.constant(2), (0, 0), tf.constant(0, tf.int64))
    np.testing.assert_allclose(images, large(z), atol=1.1 / 127)
    assert teacher.sampling_batch == batch
    assert sum(len(each) for each in teacher.batches(3, 0)) == 3
    assert measure.measure(teacher, {}).images_per_second > 0


def test_a_student_of_1024_pixels_learns():
    teacher = akdg_tf.FrozenGenerator(lambda z: tf_enlarged(tf.tanh(z @ KERNEL[:100]), 1024), 100)
    student = akdg_tf.DCGANGenerator(8, (1024, 1024, 3), (2, 2, 2), use_batch_norm=False)
    trainer = akdg_tf.AKDG(student, None, akdg_tf.ConvDiscriminator((2, 2, 2)), teacher, penalty=None)
    trainer.compile(keras.optimizers.Adam(1e-2, beta_1=0.0))
    before = student(normal(1, 8))
    trainer.fit(tf.data.Dataset.from_tensor_slices(tf.zeros((1, 1024, 1024, 3))).batch(1), verbose=0)
    assert np.isfinite(student(normal(1, 8))).all() and np.abs(student(normal(1, 8)) - before).max() > 0


def test_a_picture_shows_fewer_of_the_larger_images():
    assert [pictures.shown(shape) for shape in ((2,), (32, 32, 3), (256, 256, 3), (512, 512, 3))] == [2000, 64, 64, 16]
    assert [pictures.shown((side, side, 3)) for side in (1024, 4096)] == [4, 1]
    for count in (1, 4, 16):
        drawn = pictures.side_by_side({"": np.zeros((count, 64, 64, 3), np.float32)})
        middle = drawn[drawn.shape[0] // 2, :, 0] == 128  # a square grid fills the panel
        assert middle.sum() > 0.8 * drawn.shape[1]
