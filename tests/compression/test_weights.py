"""Unstructured pruning: which weights become zero, and that they stay zero until the exported SavedModel."""

import keras
import numpy as np
import pytest
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher

import akdg_tf
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.measure import compressed_size, folder_size
from akdg_tf.artifacts.saved_model import export
from akdg_tf.compression.channels import PruneChannels
from akdg_tf.compression.stages import compressed
from akdg_tf.compression.weights import PruneWeights, kernels_of
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, LayeredGenerator, MLPGenerator


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The folder of an exported DCGAN of 1,296 weights in kernels."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("zoo") / "dense"
    export(DCGANGenerator(4, SAMPLE_SHAPE, (9, 8)), folder)
    return str(folder)


def weights_of(generator):
    """All weights of the kernels, in one array."""
    return np.concatenate([kernel.numpy().ravel() for kernel in kernels_of(generator)])


def trainer_of(generator):
    """A trainer by AKDG, under an optimizer with momentum."""
    teacher, _ = make_teacher()
    trainer = akdg_tf.AKDG(generator, discriminator(), discriminator(), teacher, ema_decay=0.5)
    trainer.compile(keras.optimizers.Adam(0.01))
    return trainer


def test_the_smallest_weights_of_all_kernels_become_zero():
    keras.utils.set_random_seed(0)
    generator = MLPGenerator(4, SAMPLE_SHAPE, width=8, depth=1, use_batch_norm=True)
    first, last = kernels_of(generator)
    values = np.random.default_rng(0).permutation(8 * 68) + 1.0
    values *= np.random.default_rng(1).choice([-1, 1], values.size)
    first.assign(values[:32].reshape(4, 8))
    last.assign(values[32:].reshape(8, 64))
    pruned = PruneWeights(0.25)(generator)
    expected = np.where(np.abs(values) <= 2 * 68, 0, values)
    np.testing.assert_array_equal(weights_of(pruned), expected)
    np.testing.assert_array_equal(weights_of(generator), values)  # the source is not changed
    others = zip(pruned.variables, generator.variables, strict=True)
    assert all(np.array_equal(one, other) for one, other in others if one.ndim == 1)


def assert_trained_but_zero(networks, start):
    """Exactly the weights that were zero at the start are zero, and all others have changed."""
    for network in networks:
        weights = weights_of(network)
        np.testing.assert_array_equal(weights == 0, start == 0)
        np.testing.assert_array_equal(weights != start, start != 0)


def test_the_same_weights_stay_zero_in_the_training(source):
    generator = compressed(source, (PruneWeights(0.75),))
    assert isinstance(generator, DCGANGenerator)
    start = weights_of(generator)
    assert np.sum(start == 0) == round(0.75 * start.size)
    trainer = trainer_of(generator)
    trainer.fit(image_batches(3), verbose=0)
    assert_trained_but_zero((trainer.generator, trainer.ema_generator), start)


def test_the_same_weights_stay_zero_after_resuming_and_in_the_export(source, tmp_path):
    """Also of a network that other stages have changed."""
    stages = (PruneChannels(max_params=1450), PruneWeights(0.75))
    trainer = trainer_of(compressed(source, stages))
    start = weights_of(trainer.generator)
    trainer.fit(image_batches(2), verbose=0)
    Checkpoints(trainer.state, tmp_path / "checkpoints").save(2)
    resumed = trainer_of(compressed(source, stages))
    assert isinstance(resumed.generator, LayeredGenerator)
    assert Checkpoints(resumed.state, tmp_path / "checkpoints").restore() == 2
    resumed.fit(image_batches(4).skip(2), verbose=0)
    export(resumed, tmp_path / "saved_model")
    loaded = akdg_tf.load_network(tmp_path / "saved_model")
    assert_trained_but_zero((resumed.generator, resumed.ema_generator, loaded), start)


def test_dense_weights_of_a_warm_start_and_of_fewer_zeros_become_zero_in_the_average_too(source, tmp_path):
    """`init_from` and a changed sparsity assign weights to the networks that were made with zeros."""
    for name, stages in (("dense", ()), ("half", (PruneWeights(0.5),))):
        before = trainer_of(compressed(source, stages))
        before.fit(image_batches(1), verbose=0)
        Checkpoints(before.state, tmp_path / name).save(1)
        trainer = trainer_of(compressed(source, (PruneWeights(0.75),)))
        zero = weights_of(trainer.generator) == 0
        Checkpoints(trainer.state, tmp_path / name).restore()
        assert np.sum(weights_of(trainer.ema_generator)[zero] != 0) > 100
        trainer.fit(image_batches(1), verbose=0)
        for network in (trainer.generator, trainer.ema_generator):
            np.testing.assert_array_equal(weights_of(network) == 0, zero)


def test_a_sparse_run_is_the_source_of_a_sparser_one(source, tmp_path):
    half = compressed(source, (PruneWeights(0.5),))
    export(half, tmp_path / "half")
    more = compressed(str(tmp_path / "half"), (PruneWeights(0.9),))
    assert np.mean(weights_of(more) == 0) == pytest.approx(0.9, abs=1e-3)
    assert np.all(weights_of(more)[weights_of(half) == 0] == 0)
    with pytest.raises(
        UserError, match=r"^50\.0% of the weights are zero already: bind a PruneWeights\.sparsity above"
    ):
        compressed(str(tmp_path / "half"), (PruneWeights(0.4),))


def test_a_sparse_saved_model_is_as_large_and_compresses_to_less(tmp_path):
    keras.utils.set_random_seed(0)
    generator = MLPGenerator(16, SAMPLE_SHAPE, width=128, depth=2)
    export(generator, tmp_path / "dense")
    export(PruneWeights(0.9)(generator), tmp_path / "sparse")
    dense, sparse = tmp_path / "dense", tmp_path / "sparse"
    assert folder_size(sparse) == pytest.approx(folder_size(dense), rel=0.01)
    saved = 0.9 * 4 * weights_of(generator).size
    assert compressed_size(sparse) < compressed_size(dense) - 0.8 * saved  # 10 % are still to be told apart from zeros


@pytest.mark.parametrize("sparsity", [0, 1, -0.5, float("nan")])
def test_a_share_that_is_none_is_one_line(sparsity):
    with pytest.raises(UserError, match="sparsity must be between 0 and 1, not "):
        PruneWeights(sparsity)


def test_a_layer_without_weights_is_one_line():
    generator = MLPGenerator(4, SAMPLE_SHAPE, width=8, depth=1)
    kernels_of(generator)[0].assign(np.full((4, 8), 1e-6))
    with pytest.raises(UserError, match=r"sparsity=0\.5 leaves no weight of .*dense.*kernel: choose a lower one"):
        PruneWeights(0.5)(generator)
