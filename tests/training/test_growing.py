"""An experiment whose networks grow: what is bound together, and what it exports."""

import functools

import keras
import numpy as np
import pytest
from support import train

import akdg_tf
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.methods.optimizers import Optimizers
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

WIDTHS = (4, 4)
GROWTH = akdg_tf.Growth((4, 2), stable_images=8, fade_images=12)  # 2 steps with the first map, then 6 of fade


def experiment(folder, steps, growth=GROWTH, growing=(True, True), smoke=False, **schedule):
    """A small PGGAN of 8x8 images, reported every 2 steps."""
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)
    np.save(folder.parent / "images.npy", images)
    folder.mkdir(exist_ok=True)
    generator = akdg_tf.PGGANGenerator(4, (8, 8, 1), WIDTHS, growing[0])
    method = functools.partial(
        akdg_tf.GAN,
        discriminator=akdg_tf.PGGANDiscriminator(WIDTHS, growing[1]),
        loss=akdg_tf.WassersteinLoss(),
        penalty=None,
    )
    method.teacher_role, method.uses_real_images, method.__name__ = None, True, "GAN"
    return GeneratorExperiment(
        Run(folder, "growing", seed=1, data_dir=str(folder.parent), smoke=smoke),
        generator,
        method,
        Data("npy", flip=True),
        Schedule(steps, **{"batch_size": 2, "report_every": 2, "growth": growth, **schedule}),
        Optimizers(keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)),
        evaluations={},
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"growth": None}, "Schedule.growth has no maps, but generator grows by 2 maps"),
        ({"growing": (False, True)}, "Schedule.growth has 2 maps, but generator grows by no maps"),
        ({"growing": (True, False)}, "Schedule.growth has 2 maps, but d_s grows by no maps"),
        ({"growth": akdg_tf.Growth((2, 2))}, "Schedule.steps 10 are too few"),
        ({"growth": akdg_tf.Growth((2,))}, "has 1 maps, but generator grows by 2 maps"),
        ({"growth": akdg_tf.Growth((4, 4), 2, 2)}, r"the last of Growth.batch_sizes \(4, 4\) must be batch_size 2"),
        ({"steps_per_execution": 2}, "growing networks need 1"),
        ({"micro_batches": 2, "growth": akdg_tf.Growth((1, 2), 2, 2)}, r"Growth.batch_sizes\[0\] 1 must be a multiple"),
    ],
)
def test_what_grows_is_bound_together(settings, says, tmp_path):
    with pytest.raises(UserError, match=says):
        experiment(tmp_path / "x", 10, **settings).prepare(training=True)


def test_a_smoke_run_goes_through_all_maps_and_exports_a_generator_that_does_not_grow(tmp_path):
    growth = akdg_tf.Growth((4, 2))  # 800,000 images per phase
    made = train(experiment(tmp_path / "x", 10_000_000, growth, smoke=True))
    assert made.trainer.ema_generator.grown
    made.export()
    exported = akdg_tf.load_network(tmp_path / "x")
    assert not exported.growing and exported.sample_shape == (8, 8, 1)
    z = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(exported(z), made.trainer.ema_generator(z), atol=1e-5)
    assert made.describe()["network"]["params"] == sum(v.numpy().size for v in exported.trainable_variables)
