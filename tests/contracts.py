"""What every generator, discriminator, loss, penalty, teacher source, dataset and entry must do.

Each contract is a plain function that fails by an AssertionError. The test module of each kind runs all its members
through it; run yours through it too. `tests/test_contracts.py` shows that each contract finds what is broken.
"""

import pathlib
import tempfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from support import on_two_replicas

import akdg_tf
from akdg_tf import latents
from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.saved_model import export, output_range_of
from akdg_tf.data import Dataset, ImageDataset, by_step
from akdg_tf.methods.losses import AdversarialLoss
from akdg_tf.methods.penalties import Penalty
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.shares import of_replica
from akdg_tf.teachers.sources import ImageSource, PairSource
from akdg_tf.zoo.entries import Entry

SEED = (5, latents.TEACHER)
ROUNDING = 1e-6  # of float32 samples in [-1, 1]
ANY_SIDE = 24  # of images for a classifier that takes any size
HALF_A_GRAY_LEVEL = 1 / 255  # of images in [-1, 1], which have 256 levels


def no_reals() -> ImageDataset:
    """The real images of a source that must not ask for them."""
    raise AssertionError("it compares nothing with real images")


def generator_contract(make: Callable[[], keras.Model]) -> None:
    """A generator is built when it is made, draws samples of its shape, and comes back from each form it is stored in.

    Args:
        make: gives a new generator with weights of its own.
    """
    model = make()
    assert model.built and model.variables
    z = _latents(model)
    samples = model(z).numpy()
    assert samples.shape == (5, *model.sample_shape) and samples.dtype == np.float32
    if len(model.sample_shape) == 3:  # whatever it is fed, an image is in [-1, 1]
        _assert_in_range(model(1e3 * z).numpy())
    _assert_comes_back_from_its_configuration(model, z)
    _assert_comes_back_from_an_export(model, z, samples)
    _assert_bfloat16_rounds_inside_alone(make, z)


def discriminator_contract(make: Callable[[], keras.Model], sample_shape: tuple[int, ...]) -> None:
    """A discriminator gives one float32 logit per sample, learns by all its variables, and can be stored.

    Args:
        make: gives a new discriminator.
        sample_shape: of the samples that it is shown.
    """
    model = make()
    x = np.random.default_rng(0).normal(size=(5, *sample_shape)).astype("float32")
    logits = model(x).numpy()
    assert logits.shape == (5, 1) and logits.dtype == np.float32
    assert np.isfinite(logits).all() and logits.std() > 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x, training=True))
    assert all(gradient is not None for gradient in tape.gradient(loss, model.trainable_variables))
    _assert_comes_back_from_its_configuration(model, x)
    _assert_bfloat16_rounds_inside_alone(make, x)


def loss_contract(loss: AdversarialLoss) -> None:
    """One value per example; each side wins by moving the logits its own way: positive means "reference"."""
    low, high = (tf.constant([[value], [value + 0.1]]) for value in (-0.5, 0.5))
    right, wrong = loss.discriminator(high, low).numpy(), loss.discriminator(low, high).numpy()
    assert right.shape == (2,) and right.dtype == np.float32 and (right < wrong).all()
    fooling, failing = loss.generator(high).numpy(), loss.generator(low).numpy()
    assert fooling.shape == (2,) and (fooling < failing).all()


def penalty_contract(penalty: Penalty) -> None:
    """A penalty gives one value >= 0 per pair of images, and the discriminator can learn from it."""
    assert type(penalty.every) is int and penalty.every >= 1
    discriminator = akdg_tf.ConvDiscriminator((4,))
    reference, generated = tf.unstack(tf.random.stateless_uniform((2, 5, 8, 8, 1), (3, 4), -1.0, 1.0))
    discriminator(reference)
    with tf.GradientTape() as tape:
        values = penalty(discriminator, reference, generated, tf.linspace(0.0, 0.9, 5))
        loss = tf.reduce_sum(values)
    assert values.shape == (5,) and values.dtype == tf.float32
    assert np.isfinite(values).all() and (values.numpy() >= 0).all()
    gradients = tape.gradient(loss, discriminator.trainable_variables)
    assert any(gradient is not None and np.abs(gradient).max() > 0 for gradient in gradients)


def image_source_contract(source: ImageSource, sample_shape: tuple[int, ...]) -> None:
    """Images in [-1, 1] that follow from (seed, step) alone, of which two replicas draw the two halves."""

    def draw(count=8, seed=SEED, step=3):
        return source.draw_images(tf.constant(count), seed, tf.constant(step, tf.int64))

    assert isinstance(source, ImageSource)
    images = draw().numpy()
    assert images.shape == (8, *sample_shape) and images.dtype == np.float32
    _assert_in_range(images)
    np.testing.assert_array_equal(draw(), images)
    for other in ({"step": 4}, {"seed": (6, SEED[1])}, {"seed": (SEED[0], latents.STUDENT)}):
        assert not np.array_equal(draw(**other), images)
    halves = on_two_replicas(lambda: draw(count=4))
    np.testing.assert_allclose(np.concatenate(halves), images, atol=ROUNDING)


def pair_source_contract(
    source: PairSource, generator: Callable[[tf.Tensor], tf.Tensor], tolerance: float = ROUNDING
) -> None:
    """Pairs of a latent and its image.

    Args:
        source: what is held to it.
        generator: latents to the images in [-1, 1] that belong to them.
        tolerance: by which a stored image may differ: `HALF_A_GRAY_LEVEL` of a bank.
    """
    assert isinstance(source, PairSource) and source.prior in ("normal", "uniform")
    arguments = (tf.constant(8), SEED, tf.constant(3, tf.int64))
    z, images = (drawn.numpy() for drawn in source.draw_pairs(*arguments))
    assert z.shape == (8, source.latent_dim) and z.dtype == np.float32
    np.testing.assert_array_equal(source.draw_latents(*arguments), z)
    np.testing.assert_array_equal(source.draw_images(*arguments), images)
    np.testing.assert_allclose(images, generator(tf.constant(z)), atol=tolerance + ROUNDING)
    image_source_contract(source, images.shape[1:])


def dataset_contract(dataset: Dataset) -> None:
    """Samples in [-1, 1] that follow from (seed, step) alone, of which each replica may draw its own share.

    With a `size`, each of them comes once an epoch.
    """

    def batch(step, size=4, seed=1):
        return dataset.batch(tf.constant(step, tf.int64), size, seed).numpy()

    assert dataset.name and dataset.split
    drawn, reals = batch(2), dataset.reals(7, 1)
    for samples in (drawn, reals):
        assert samples.shape[1:] == tuple(dataset.sample_shape) and samples.dtype == np.float32
        _assert_in_range(samples)
    assert len(drawn) == 4 and 0 < len(reals) <= 7
    np.testing.assert_array_equal(batch(2), drawn)
    np.testing.assert_array_equal(dataset.reals(7, 1), reals)
    (piped,) = by_step(lambda step: dataset.batch(step, 4, 1), 2, 3)
    np.testing.assert_array_equal(piped, drawn)
    halves = []
    for number in range(2):
        with of_replica(2, number):
            halves.append(batch(2, size=2))
    np.testing.assert_allclose(np.concatenate(halves), drawn, atol=ROUNDING)
    assert_sizes_may_be_tensors(lambda step, size: dataset.batch(step, size, 1))
    one, other = (np.stack([batch(step, seed=seed) for step in range(6)]) for seed in (1, 2))
    assert not np.array_equal(one, other) and any(not np.array_equal(each, one[0]) for each in one)
    assert dataset.digest() == dataset.digest()
    if hasattr(dataset, "size"):
        _assert_finite_dataset(dataset, batch(0, dataset.size))
    else:
        assert dataset.digest() is None


def assert_sizes_may_be_tensors(batch: Callable[[tf.Tensor, int | tf.Tensor], tf.Tensor]) -> None:
    """A size that follows from the step gives the same batch as a number, of which the pipeline knows less.

    Args:
        batch: (step, size) to a batch.
    """
    pipeline = by_step(lambda step: batch(step, 4), 2, 3)
    (expected,) = pipeline
    assert pipeline.element_spec.shape == expected.shape and len(expected) == 4
    for dtype in (tf.int32, tf.int64):
        pipeline = by_step(lambda step, dtype=dtype: batch(step, tf.cast(2 * step, dtype)), 2, 4)
        assert pipeline.element_spec.shape == (None, *expected.shape[1:])
        found, following = pipeline
        np.testing.assert_array_equal(found, expected)
        assert len(following) == 6


def entry_contract(entry: Entry) -> None:
    """An entry is whole and its own, and the network that can be trained computes what its SavedModel computes."""
    entry.check()
    assert entry.result.experiment == entry.name
    network = akdg_tf.load_network(entry.folder)
    assert network.trainable_variables
    if entry.kind == "classifier":
        shape = (size or ANY_SIDE for size in network.sample_shape)
        images = tf.random.stateless_uniform((3, *shape), (0, 0), -1.0, 1.0)
        logits, _ = load_classifier(str(entry.folder)).activations(images.numpy())
        np.testing.assert_allclose(network(images)["logits"], logits, rtol=1e-4, atol=1e-4)
        return
    generator = entry.load()
    z = tf.random.stateless_normal((3, generator.latent_dim), (0, 0))
    assert latents.latent_dim_of(network) == entry.result.network.latent_dim == generator.latent_dim
    assert generator.describe()["params"] == entry.result.network.params
    np.testing.assert_allclose(network(z), generator(z), atol=1e-5)


def _latents(model) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, model.latent_dim)).astype("float32")


def _assert_in_range(samples: np.ndarray) -> None:
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1


def _assert_comes_back_from_its_configuration(model, x) -> None:
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert copy.get_config() == model.get_config()
    copy(x)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(x).numpy(), model(x).numpy())


def _assert_comes_back_from_an_export(model, z, samples) -> None:
    """From the SavedModel, as it is drawn from and as it is trained on, and from LiteRT's file."""
    low, high = output_range_of(model)
    published = low + (samples + 1) * (high - low) / 2
    with tempfile.TemporaryDirectory() as folder:
        export(model, pathlib.Path(folder, "exported"))
        loaded = tf.saved_model.load(f"{folder}/exported")(tf.constant(z))
        np.testing.assert_allclose(loaded, published, atol=ROUNDING)
        np.testing.assert_array_equal(akdg_tf.load_network(f"{folder}/exported")(z), samples)
    runner = Interpreter(model_content=litert_model(model, (low, high))).get_signature_runner("generator")
    np.testing.assert_allclose(runner(z=z)["images"], published, atol=ROUNDING)


def _assert_bfloat16_rounds_inside_alone(make, x) -> None:
    """Under mixed_bfloat16 it computes in bfloat16, but neither weights nor outputs are."""
    keras.utils.set_random_seed(0)
    reference = make()
    expected = reference(x).numpy()
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = make()
        mixed(x)
        mixed.set_weights(reference.get_weights())
        outputs = mixed(x)
    finally:
        keras.config.set_dtype_policy(policy)
    assert outputs.dtype == tf.float32 and {v.dtype for v in mixed.variables} == {"float32"}
    error = np.abs(outputs - expected).max() / np.abs(expected).max()
    assert 1e-5 < error < 5e-2  # it does compute in bfloat16, whose mantissa has 8 bits


def _assert_finite_dataset(dataset, epoch: np.ndarray) -> None:
    """A digest; each sample once an epoch; `real_batches` are `reals`, each sample once."""
    assert len(dataset.digest()) == 64
    reals = dataset.reals(10 * dataset.size, 1)
    np.testing.assert_array_equal(np.concatenate(list(dataset.real_batches(10 * dataset.size, 1))), reals)
    assert sorted(sample.tobytes() for sample in epoch) == sorted(sample.tobytes() for sample in reals)
    assert not np.array_equal(dataset.reals(10 * dataset.size, 2), reals)
