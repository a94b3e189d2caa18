"""Micro-batches: a step in parts is the step of the whole batch, in less memory."""

import functools

import keras
import numpy as np
import pytest
from support import image_batches, make_trainer, mirrored, quick

import akdg_tf
from akdg_tf import AKDG, GAN, LIT, DiffAugment, GradientPenalty, MSEDistillation, R1Penalty

TWO_D_STEPS = {"penalty": R1Penalty(gamma=1.0, every=2), "d_steps": 2}
MORE = {"flip_teacher": True, "augmentation": DiffAugment(), "teacher_candidates": 2}


def pggan(micro_batches):
    """A PGGAN with its loss and its minibatch standard deviation, in groups of four images."""
    keras.utils.set_random_seed(0)
    generator = akdg_tf.PGGANGenerator(4, (8, 8, 1), (4, 4))
    discriminator = akdg_tf.PGGANDiscriminator((4, 4))
    trainer = GAN(generator, discriminator, loss=akdg_tf.WassersteinLoss(), penalty=GradientPenalty())
    trainer.compile(keras.optimizers.SGD(0.01), micro_batches=micro_batches)
    return trainer


TRAINERS = {  # none has batch norm
    "GAN": functools.partial(make_trainer, GAN, **TWO_D_STEPS),
    "AKDG": functools.partial(make_trainer, AKDG, **MORE, **TWO_D_STEPS),
    "MSE": functools.partial(make_trainer, MSEDistillation),
    "LIT": functools.partial(make_trainer, LIT),
    "PGGAN": pggan,
}


def after_three_steps(make, micro_batches, devices=("CPU:0",)):
    """All variables and the logs after three steps on batches of 16."""
    with mirrored(devices).scope():
        trainer = make(micro_batches=micro_batches)
        history = trainer.fit(image_batches(3, batch=16), verbose=0).history
    return [v.numpy() for group in trainer.state.values() for v in group], history


@pytest.mark.parametrize("name", quick(TRAINERS, "AKDG", "LIT", "PGGAN"))
def test_k_micro_batches_take_the_step_of_the_whole_batch(name):
    make = TRAINERS[name]
    whole, log = after_three_steps(make, 1)
    assert len(whole) > 8
    for parts, devices in ((4, ("CPU:0",)), (2, ("CPU:0", "CPU:1"))):
        found, found_log = after_three_steps(make, parts, devices)
        for a, b in zip(whole, found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        for name in log:
            assert log[name] == pytest.approx(found_log[name], rel=1e-4, abs=1e-6), name


def test_no_network_sees_more_than_a_micro_batch_at_once():
    """Each discriminator sees 2 images and 2 references; the generator draws 2, for the adversaries and for itself."""
    trainer, seen = make_trainer(AKDG, micro_batches=4), {}
    for name, network in trainer.networks.items():
        network.call = _recording(network.call, seen.setdefault(name, []))
    (images,) = image_batches(1)
    trainer.train_step(images)
    assert seen["generator"] == [2] * 8
    assert seen["d_s"] == seen["d_kd"] and set(seen["d_s"]) == {2, 4}


def _recording(call, sizes):
    def recorded(x, training=False):
        sizes.append(len(x))
        return call(x, training=training)

    return recorded


def test_batch_norm_averages_the_statistics_of_each_micro_batch_twice():
    """Once for the discriminators and once for the generator."""
    trainer, means = make_trainer(GAN, use_batch_norm=True, micro_batches=4), []
    layer = next(x for x in trainer.generator._flatten_layers() if isinstance(x, keras.layers.BatchNormalization))
    call = layer.call

    def recorded(x, training=None, mask=None):
        means.append(x.numpy().mean(0))
        return call(x, training=training, mask=mask)

    layer.call = recorded
    (images,) = image_batches(1)
    trainer.train_step(images)
    expected = np.zeros(16)
    for mean in means:
        expected = layer.momentum * expected + (1 - layer.momentum) * mean
    assert len(means) == 8
    np.testing.assert_allclose(layer.moving_mean.numpy(), expected, rtol=1e-4, atol=1e-6)
    assert int(trainer.step) == 1


def test_sizes_without_meaning_are_refused():
    with pytest.raises(ValueError, match="micro_batches must be at least 1, not 0"):
        make_trainer(GAN, micro_batches=0)
    trainer = make_trainer(GAN, micro_batches=3)
    with pytest.raises(ValueError, match=r"d_steps \* micro_batches = 3 does not divide a batch"):
        trainer.fit(image_batches(1, batch=8), verbose=0)


def test_each_optimizer_takes_one_step_per_batch():
    trainer = akdg_tf.GAN(akdg_tf.MLPGenerator(4, (8, 8, 1), width=8), akdg_tf.ConvDiscriminator((4,)))
    trainer.compile(keras.optimizers.Adam(), micro_batches=4)
    trainer.fit(image_batches(3), verbose=0)
    assert [int(optimizer.iterations) for optimizer in trainer.optimizers] == [3, 3]
