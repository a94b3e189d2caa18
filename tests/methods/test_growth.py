"""Progressive growing: the growth at each step, what the discriminator is shown, and a resumed training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import akdg_tf
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


def test_papers_schedule_shows_19_million_images():
    """800k images per phase; see gin/lsun_pggan_teacher.gin."""
    growth = Growth((128, 128, 128, 64, 32, 16, 8))
    assert growth.steps == 5 * 6250 + 2 * 12500 + 2 * 25000 + 2 * 50000 + 100000


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


def grown(steps, trainer=None):
    """A small PGGAN after some steps, or so many steps later."""
    if trainer is None:
        keras.utils.set_random_seed(0)
        generator = akdg_tf.PGGANGenerator(4, (16, 16, 1), (4, 4, 4), growing=True)
        discriminator = akdg_tf.PGGANDiscriminator((4, 4, 4), growing=True)
        loss, penalty = akdg_tf.WassersteinLoss(), akdg_tf.GradientPenalty()
        trainer = akdg_tf.GAN(generator, discriminator, loss, penalty, ema_decay=0.9)
        trainer.compile(keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8))
    images = tf.data.Dataset.from_tensors(tf.random.stateless_uniform((4, 16, 16, 1), (5, 6), -1.0, 1.0)).repeat(steps)
    trainer.fit(images, verbose=0, callbacks=[Grow(Growth((4, 4, 4), stable_images=8, fade_images=12))])
    return trainer


def test_networks_grow_together_and_the_optimizers_start_anew_with_each_map():
    trainer = grown(4)  # step 3 was in the middle of the first fade: its numbers are 2, 3 and 4
    networks = [*trainer.networks.values(), trainer.ema_generator]
    assert [float(each.growth) for each in networks] == [0.5] * 3
    assert [int(optimizer.iterations) for optimizer in trainer.optimizers] == [2, 2]
    grown(1, trainer)
    assert [int(optimizer.iterations) for optimizer in trainer.optimizers] == [3, 3]
    grown(10, trainer)
    assert trainer.ema_generator.grown and int(trainer.step) == 15


def test_each_map_is_trained_from_its_fade_on():
    before = grown(1)
    start = before.generator.blocks[1][0].conv.kernel.numpy()
    unused = grown(1, before).generator.blocks[1][0].conv.kernel.numpy()
    np.testing.assert_array_equal(start, unused)
    used = grown(1, before).generator.blocks[1][0].conv.kernel.numpy()
    assert np.abs(used - start).max() > 1e-5
    for network in before.networks.values():
        assert all(np.isfinite(weights).all() for weights in network.get_weights())
