"""A network that was exported, or that a run kept, comes back as a Keras model that can be trained."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, image_batches, make_trainer

import akdg_tf
from akdg_tf import AKDG, GAN, models
from akdg_tf.artifacts import network
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.saved_model import export, export_classifier
from akdg_tf.errors import UserError


@pytest.fixture
def z():
    return tf.random.stateless_normal((5, 4), (0, 0))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of AKDG that kept the checkpoints of two steps and exported the last."""
    trainer = make_trainer(AKDG, use_batch_norm=True)
    folder = tmp_path_factory.mktemp("run")
    networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
    network.write_run(folder, networks, "ema_generator", trainer.optimizer_classes)
    checkpoints, kept = Checkpoints(trainer.state, folder / "checkpoints"), {}
    for step in (1, 2):
        trainer.fit(image_batches(1), verbose=0)
        checkpoints.save(step)
        kept[step] = {name: each.get_weights() for name, each in networks.items()}
    export(trainer, folder / "saved_model")
    return folder, trainer, kept


def assert_weights(model, expected):
    for one, other in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "model",
    [
        lambda: models.MLPGenerator(4, SAMPLE_SHAPE, width=8, use_batch_norm=True),
        lambda: models.DCGANGenerator(4, (16, 16, 1), (8, 6, 4)),
        lambda: models.SNGANGenerator(4, (16, 16, 3), width=4, blocks=2),
        lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(12), keras.layers.Reshape((2, 2, 3))]),
    ],
)
def test_an_exported_generator_comes_back_and_can_be_trained(model, z, tmp_path):
    generator = model()
    export(generator, tmp_path / "exported")
    back = akdg_tf.load_network(tmp_path / "exported")
    np.testing.assert_array_equal(back(z), generator(z))
    assert len(back.trainable_variables) == len(generator.trainable_variables) > 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(back(z, training=True) ** 2)
    assert all(gradient is not None for gradient in tape.gradient(loss, back.trainable_variables))


def test_a_trained_method_exports_its_average(tmp_path, z):
    trainer = make_trainer(GAN)
    trainer.fit(image_batches(2), verbose=0)
    akdg_tf.export(trainer, tmp_path / "exported")
    back = akdg_tf.load_network(tmp_path / "exported")
    np.testing.assert_array_equal(back(z), trainer(z))
    assert np.abs(back(z) - trainer.generator(z)).max() > 1e-5
    frozen = akdg_tf.load_teacher(str(tmp_path / "exported"))
    np.testing.assert_allclose(frozen(z), trainer(z), atol=1e-6)


def test_a_classifier_with_dropout_comes_back(tmp_path):
    classifier = models.ConvClassifier(sample_shape=(8, 8, 1), widths=(4, 6), features=5)
    classifier.compile("adam", {"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)})
    classifier.fit(tf.zeros((4, 8, 8, 1)), {"logits": tf.zeros(4, tf.int64)}, verbose=0)
    export_classifier(classifier, tmp_path / "exported", {"id": "x"})
    images = tf.random.stateless_uniform((3, 8, 8, 1), (0, 0), -1.0, 1.0)
    np.testing.assert_array_equal(
        akdg_tf.load_network(tmp_path / "exported")(images)["logits"], classifier(images)["logits"]
    )


def test_every_network_of_a_run_comes_back(run):
    folder, trainer, kept = run
    for name, each in {**trainer.networks, "ema_generator": trainer.ema_generator}.items():
        assert_weights(akdg_tf.load_network(folder, name), each.get_weights())
        assert_weights(akdg_tf.load_network(folder, name, step=1), kept[1][name])
    assert_weights(akdg_tf.load_network(folder), trainer.ema_generator.get_weights())
    assert_weights(akdg_tf.load_network(folder, step=1), kept[1]["ema_generator"])


def test_what_was_trained_in_bfloat16_comes_back_in_float32(tmp_path, z):
    reference = models.DCGANGenerator(4, (16, 16, 1), (8, 6, 4))
    keras.config.set_dtype_policy("mixed_bfloat16")
    trained = models.DCGANGenerator(4, (16, 16, 1), (8, 6, 4))
    trained.set_weights(reference.get_weights())
    export(trained, tmp_path / "exported")
    np.testing.assert_array_equal(akdg_tf.load_network(tmp_path / "exported")(z), reference(z))
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"network": "d_x"}, "holds no network 'd_x': choose one of generator, d_s, d_kd, ema_generator"),
        ({"step": 3}, "holds no checkpoint of step 3: choose one of 2, 1"),
        ({"step": 0}, "holds no checkpoint of step 0: choose one of 2, 1"),
    ],
)
def test_what_a_run_does_not_hold_is_said(run, arguments, says):
    with pytest.raises(UserError, match=says):
        akdg_tf.load_network(run[0], **arguments)


def test_a_name_of_an_entry_and_of_a_run_must_say_which_one_holds_the_network(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export(models.MLPGenerator(4, (2,), width=8), tmp_path / "zoo" / "x" / "saved_model")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "x").symlink_to(run[0])
    assert akdg_tf.load_network("x").sample_shape == (2,)
    with pytest.raises(UserError, match=r"^'x' is the name of zoo/x and of runs/x: give the folder$"):
        akdg_tf.load_network("x", "d_s")
    assert_weights(akdg_tf.load_network("runs/x", "ema_generator"), run[1].ema_generator.get_weights())


def test_what_is_not_there_or_not_ours_is_said(tmp_path):
    with pytest.raises(UserError, match=r"there is no run, entry or SavedModel .*nosuch'"):
        akdg_tf.load_network(tmp_path / "nosuch")
    tf.saved_model.save(tf.Module(), str(tmp_path / "foreign"))
    with pytest.raises(UserError, match=r"holds no assets.extra/network.json: only SavedModels that akdg_tf exported"):
        akdg_tf.load_network(tmp_path / "foreign")
    export(models.MLPGenerator(4, (2,), width=8), tmp_path / "mine")
    with pytest.raises(UserError, match="holds one network and no checkpoints"):
        akdg_tf.load_network(tmp_path / "mine", "d_s")


@pytest.mark.parametrize("file", ["variables.index", "variables.data-00000-of-00001"])
def test_damaged_variables_are_one_line(file, tmp_path):
    export(models.MLPGenerator(4, (2,), width=8), tmp_path / "mine")
    (tmp_path / "mine" / "variables" / file).write_bytes(b"")
    with pytest.raises(UserError, match="variables cannot be read: it is damaged"):
        akdg_tf.load_network(tmp_path / "mine")


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(schema=99),
        lambda config: config["keras"].update(registered_name="akdg_tf>NoSuch", class_name="NoSuch"),
        lambda config: config["keras"]["config"].update(width=9),
        lambda config: config["keras"]["config"].update(width="many"),
        lambda config: config.pop("keras"),
        lambda config: config.update(keras=[]),
        lambda config: config.update(input_shape=[5]),
    ],
)
def test_a_damaged_configuration_is_one_line(change, tmp_path):
    export(models.MLPGenerator(4, (2,), width=8), tmp_path / "mine")
    path = tmp_path / "mine" / network.NETWORK
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))
    with pytest.raises(UserError) as caught:
        akdg_tf.load_network(tmp_path / "mine")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["variables.index", "variables.data-00000-of-00001"])
@pytest.mark.parametrize("share", [0, 0.1])
def test_damaged_weights_are_one_line(file, share, tmp_path):
    export(models.MLPGenerator(4, (2,), width=8), tmp_path / "mine")
    path = tmp_path / "mine" / "variables" / file
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match=r"mine.* cannot be read"):
        akdg_tf.load_network(tmp_path / "mine")
