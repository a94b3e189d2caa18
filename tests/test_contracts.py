"""Each contract finds what is broken."""

import dataclasses
import json

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, made_up_network, made_up_result, make_teacher

import akdg_tf
from akdg_tf.artifacts.saved_model import export
from akdg_tf.data import load_dataset
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.methods.losses import HingeLoss
from akdg_tf.methods.penalties import R1Penalty
from akdg_tf.models.counting import count_cost
from akdg_tf.zoo import checksums
from akdg_tf.zoo.entries import CONFIG, FILES, SAMPLES, Entry

_serializable = keras.saving.register_keras_serializable(package="test_contracts")


@_serializable
class Unbounded(akdg_tf.MLPGenerator):
    """Images beyond [-1, 1]."""

    def __init__(self, *arguments, output_activation="linear", **settings):
        super().__init__(*arguments, output_activation="linear", **settings)


@_serializable
class Forgetful(akdg_tf.MLPGenerator):
    """An argument that its configuration lacks."""

    def __init__(self, latent_dim, sample_shape, scale=1.0, **settings):
        self.scale = scale
        super().__init__(latent_dim, sample_shape, **settings)

    def call(self, z, training=False):
        return self.scale * super().call(z, training)


@_serializable
class Rounded(akdg_tf.MLPGenerator):
    """Samples in the precision of its layers."""

    def call(self, z, training=False):
        return tf.cast(super().call(z, training), self.compute_dtype)


@_serializable
class Unbuilt(akdg_tf.MLPGenerator):
    """Without weights until it is called."""

    def __init__(self, latent_dim, sample_shape, **settings):
        super().__init__(latent_dim, sample_shape, **settings)
        self.built = False


SMALL = {"latent_dim": 3, "sample_shape": (4, 4, 1), "width": 4, "depth": 1}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Unbounded(**SMALL),
        lambda: Forgetful(**SMALL, scale=0.5),
        lambda: Rounded(**SMALL),
        lambda: Unbuilt(**SMALL),
    ],
    ids=["unbounded", "forgetful", "rounded", "unbuilt"],
)
def test_a_broken_generator_is_found(make):
    with pytest.raises(AssertionError):
        contracts.generator_contract(make)


@_serializable
class TwoLogits(akdg_tf.MLPDiscriminator):
    def call(self, x, training=False):
        return tf.repeat(super().call(x, training), 2, axis=1)


@_serializable
class Blind(akdg_tf.MLPDiscriminator):
    """Variables that no gradient reaches."""

    def call(self, x, training=False):
        return tf.stop_gradient(super().call(x, training))


@pytest.mark.parametrize("kind", [TwoLogits, Blind])
def test_a_broken_discriminator_is_found(kind):
    with pytest.raises(AssertionError):
        contracts.discriminator_contract(lambda: kind(4, 1), (2,))


class Swapped(HingeLoss):
    """Positive logits for generated images."""

    def discriminator(self, reference_logits, generated_logits):
        return super().discriminator(generated_logits, reference_logits)


class Kept(HingeLoss):
    """[n, 1] in place of [n]."""

    def generator(self, generated_logits):
        return -generated_logits


@pytest.mark.parametrize("loss", [Swapped(), Kept()])
def test_a_broken_loss_is_found(loss):
    with pytest.raises(AssertionError):
        contracts.loss_contract(loss)


class Detached(R1Penalty):
    def __call__(self, discriminator, reference, generated, uniform=None):
        return tf.stop_gradient(super().__call__(discriminator, reference, generated, uniform))


class Summed(R1Penalty):
    """One value for the whole batch."""

    def __call__(self, discriminator, reference, generated, uniform=None):
        return tf.reduce_sum(super().__call__(discriminator, reference, generated, uniform))


@pytest.mark.parametrize("penalty", [Detached(), Summed()])
def test_a_broken_penalty_is_found(penalty):
    with pytest.raises(AssertionError):
        contracts.penalty_contract(penalty)


class Stateful(akdg_tf.FrozenGenerator):
    """Latents from a hidden state."""

    def draw_latents(self, count, seed, step):
        return tf.random.normal((count, self.latent_dim))


class Stuck(akdg_tf.FrozenGenerator):
    """The same images at every step."""

    def draw_latents(self, count, seed, step):
        return super().draw_latents(count, seed, tf.zeros_like(step))


class Alike(akdg_tf.FrozenGenerator):
    """Every replica draws the rows of the first."""

    def draw_latents(self, count, seed, step):
        return tf.random.stateless_normal((count, self.latent_dim), tf.constant(seed, tf.int64) + step)


class Unpaired(akdg_tf.FrozenGenerator):
    """Images of other latents."""

    def draw_pairs(self, count, seed, step):
        return self.draw_latents(count, seed, step), self(self.draw_latents(count, seed, step + 1))


@pytest.mark.parametrize("kind", [Stateful, Stuck, Alike, Unpaired])
def test_a_broken_source_is_found(kind):
    _, model = make_teacher()
    with pytest.raises(AssertionError):
        contracts.pair_source_contract(kind(model, 4), model)


def test_images_a_gray_level_off_are_found():
    teacher, model = make_teacher()
    brighter = akdg_tf.FrozenGenerator(lambda z: model(z) + 2 / 255, 4)
    with pytest.raises(AssertionError):
        contracts.pair_source_contract(brighter, teacher, contracts.HALF_A_GRAY_LEVEL)


@dataclasses.dataclass(frozen=True)
class WithReplacement(ImageArrays):
    """An epoch in which some images come twice."""

    def _indices(self, step, size, seed):
        key = tf.random.fold_in(tf.constant([seed, 0], tf.int64), step)
        return tf.random.stateless_uniform([size], key, 0, self.size, tf.int64)


class Bytes(ImageArrays):
    def reals(self, count, seed):
        return self.images[:count]


class OneSize(ImageArrays):
    """Batches that claim to have four images, also where the size is a tensor."""

    def batch(self, step, size, seed):
        samples = super().batch(step, size, seed)
        return samples if isinstance(size, int) else tf.ensure_shape(samples, (4, *self.sample_shape))


@pytest.mark.parametrize("kind", [WithReplacement, Bytes, OneSize])
def test_a_broken_dataset_is_found(kind):
    images = np.random.default_rng(0).integers(0, 256, (9, *SAMPLE_SHAPE), np.uint8)
    contracts.dataset_contract(ImageArrays("x", "y", images, None))
    with pytest.raises(AssertionError):
        contracts.dataset_contract(kind("x", "y", images, None))


def test_points_beyond_the_range_are_found():
    far = dataclasses.replace(load_dataset("ring"), centers=2 * load_dataset("ring").centers)
    with pytest.raises(AssertionError):
        contracts.dataset_contract(far)


@pytest.fixture
def entry(tmp_path):
    """An entry of a teacher, written by hand: what publishing would leave, as far as the contract looks."""
    model, folder = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1), tmp_path / "zoo" / "x"
    export(model, folder / "saved_model")
    cost = count_cost(model, (4,), model.variables, model.trainable_variables)
    network = dataclasses.replace(made_up_network("x"), **dataclasses.asdict(cost), latent_dim=4)
    result = made_up_result(kind="teacher", teacher=None, network=network)
    for name in {*FILES, CONFIG, SAMPLES} - {"saved_model/saved_model.pb"}:
        (folder / name).write_text(name)
    (folder / "metrics.json").write_text(json.dumps(result.to_json()))
    checksums.seal(folder)
    return Entry(folder)


def test_an_entry_keeps_its_contract(entry):
    contracts.entry_contract(entry)


def test_an_entry_that_was_changed_is_found(entry):
    (entry.folder / "card.md").write_text("another one")
    with pytest.raises(UserError, match=r"card\.md was changed"):
        contracts.entry_contract(entry)


def test_an_entry_whose_network_computes_something_else_is_found(entry):
    path = entry.folder / "saved_model/assets.extra/network.json"
    path.write_text(path.read_text().replace('"output_activation": "tanh"', '"output_activation": "linear"'))
    checksums.seal(entry.folder)
    with pytest.raises(AssertionError):
        contracts.entry_contract(entry)
