"""Progressive growing: the growth at each step, what the discriminator is shown, and a resumed training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import quick

import akdg_tf
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.errors import UserError
from akdg_tf.methods.growth import Grow, Growth

# 4 steps with the first map, 3 of fade, 2 with the second map, 5 of fade, then the third map.
GROWTH = Growth((2, 3, 2), stable_images=7, fade_images=9)


def at(step):
    return float(GROWTH.at(tf.constant(step, tf.int64)))


def test_phases_follow_from_the_images_and_the_batch_sizes():
    assert GROWTH.steps == 4 + 3 + 3 + 5
    assert [at(step) for step in range(4)] == [0.0] * 4
    np.testing.assert_allclose([at(step) for step in range(4, 7)], [1 / 6, 3 / 6, 5 / 6], rtol=1e-6)
    assert [at(step) for step in range(7, 10)] == [1.0] * 3
    np.testing.assert_allclose([at(step) for step in range(10, 15)], 1 + (np.arange(5) + 0.5) / 5, rtol=1e-6)
    assert [at(step) for step in (15, 16, 1000)] == [2.0] * 3
    sizes = [int(GROWTH.batch_size(tf.constant(step, tf.int64))) for step in (0, 3, 4, 9, 10, 15, 99)]
    assert sizes == [2, 2, 3, 3, 2, 2, 2]


def test_reference_images_fade_like_generated_ones():
    images = tf.random.stateless_uniform((2, 8, 8, 1), (1, 2))
    step = tf.constant(5, tf.int64)  # half of the fade from the first to the second of three maps: 2x2 to 4x4
    coarse = np.repeat(np.repeat(images.numpy().reshape(2, 2, 4, 2, 4, 1).mean((2, 4)), 4, 1), 4, 2)
    np.testing.assert_allclose(GROWTH.faded(images, step), 0.5 * images.numpy() + 0.5 * coarse, rtol=1e-5)
    for stable in (0, 8, 15):
        np.testing.assert_allclose(GROWTH.faded(images, tf.constant(stable, tf.int64)), images, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"batch_sizes": ()}, {"batch_sizes": (4, 0)}, {"fade_images": 0}, {"stable_images": 1.5}]
)
def test_sizes_without_meaning_are_refused(wrong):
    with pytest.raises(UserError, match="one batch size per map"):
        Growth(**{"batch_sizes": (4, 4), **wrong})


IMAGES = tf.data.Dataset.from_tensors(tf.random.stateless_uniform((4, 8, 8, 1), (5, 6), -1.0, 1.0)).repeat()
GROW = Grow(Growth((4, 4), stable_images=8, fade_images=12))


def made(**settings):
    """A small PGGAN of two maps, compiled with these settings."""
    keras.utils.set_random_seed(0)
    generator = akdg_tf.PGGANGenerator(4, (8, 8, 1), (4, 4), growing=True)
    discriminator = akdg_tf.PGGANDiscriminator((4, 4), growing=True)
    method = akdg_tf.GAN(generator, discriminator, akdg_tf.WassersteinLoss(), akdg_tf.GradientPenalty(), ema_decay=0.9)
    method.compile(keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8), **settings)
    return method


@pytest.fixture(scope="module")
def trainer():
    return made()


@pytest.mark.parametrize("micro_batches", quick([1, 2], "2"))
def test_without_a_graph_a_step_is_the_same(micro_batches):
    """For debugging. The variables of maps that are not in use get no gradient."""
    eager, graph = (made(run_eagerly=way, micro_batches=micro_batches) for way in (True, False))
    for each in (eager, graph):
        each.fit(IMAGES, steps_per_epoch=1, verbose=0)
    for name in eager.networks:
        for a, b in zip(eager.networks[name].get_weights(), graph.networks[name].get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_networks_grow_together_and_the_optimizers_start_anew_where_a_fade_begins_and_ends(trainer):
    """2 steps with the first map, then 3 of fade, whose growth is 1/6, 3/6 and 5/6."""
    kernel = trainer.generator.blocks[1][0].conv.kernel
    start, seen = kernel.numpy(), []

    def note(batch, logs):
        grown = [float(each.growth.numpy()) for each in (*trainer.networks.values(), trainer.ema_generator)]
        moved = float(np.abs(kernel.numpy() - start).max()) > 1e-5
        seen.append((grown, [int(optimizer.iterations) for optimizer in trainer.optimizers], moved))

    noted = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    trainer.fit(IMAGES, steps_per_epoch=6, verbose=0, callbacks=[GROW, noted])
    expected = [(0.0, 1, False), (0.0, 2, False), (1 / 6, 1, True), (3 / 6, 2, True), (5 / 6, 3, True), (1.0, 1, True)]
    for (grown, iterations, moved), (growth, count, is_used) in zip(seen, expected, strict=True):
        np.testing.assert_allclose(grown, [growth] * 3, rtol=1e-6)
        assert (iterations, moved) == ([count] * 2, is_used)
    assert trainer.ema_generator.grown
    assert all(np.isfinite(each).all() for network in trainer.networks.values() for each in network.get_weights())


def test_a_training_that_goes_on_from_a_checkpoint_in_a_fade_is_the_one_that_was_never_cut_bit_for_bit(
    trainer, tmp_path
):
    """All variables are zero before they are restored, so that only the checkpoint can bring them back."""
    variables = [variable for group in trainer.state.values() for variable in group]

    def train(steps):
        trainer.fit(IMAGES, steps_per_epoch=steps, verbose=0, callbacks=[GROW])
        return [variable.numpy() for variable in variables]

    def assign_zeros():
        for variable in variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))

    assign_zeros()
    for variable in variables:
        if variable.path.endswith("kernel"):
            variable.assign(tf.random.stateless_normal(variable.shape, (len(variable.shape), 1)))
    checkpoints = Checkpoints(trainer.state, tmp_path)
    train(4)
    checkpoints.save(4)
    assert 0 < float(trainer.generator.growth.numpy()) < 1
    uncut = train(3)
    assign_zeros()
    assert checkpoints.restore() == 4
    for variable, found, expected in zip(variables, train(3), uncut, strict=True):
        np.testing.assert_array_equal(found, expected, err_msg=variable.path)
