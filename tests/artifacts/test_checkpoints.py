"""A resumed run is the run that was never cut, bit for bit."""

import numpy as np
import pytest
import tensorflow as tf
from support import image_batches, make_trainer

from akdg_tf import AKDG, GAN, MSEDistillation, R1Penalty
from akdg_tf.artifacts.checkpoints import Checkpoints

SETTINGS = {MSEDistillation: {}, GAN: {"d_steps": 2}, AKDG: {"penalty": R1Penalty(1.0, 4)}}


def state(trainer):
    return [v.numpy() for group in [trainer, *trainer.optimizers] for v in group.variables]


def assert_same(one, other):
    for a, b in zip(state(one), state(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", SETTINGS)
def test_resumed_is_uncut(method, tmp_path):
    batches = image_batches(6)
    uncut = make_trainer(method, use_batch_norm=True, **SETTINGS[method])
    uncut.fit(batches, epochs=2, steps_per_epoch=3, verbose=0)
    cut = make_trainer(method, use_batch_norm=True, **SETTINGS[method])
    cut.fit(batches.take(3), verbose=0)
    Checkpoints(cut.state, tmp_path).save(3)
    resumed = make_trainer(method, seed=0, use_batch_norm=True, **SETTINGS[method])
    for variable in resumed.variables:  # whatever the restored checkpoint does not bring back will show
        variable.assign(tf.cast(tf.ones_like(variable.value) * 7, variable.dtype))
    assert Checkpoints(resumed.state, tmp_path).restore() == 3
    assert_same(resumed, cut)
    resumed.fit(batches.skip(3), epochs=2, initial_epoch=1, steps_per_epoch=3, verbose=0)
    assert_same(resumed, uncut)


@pytest.mark.parametrize("damage", ["truncated data", "flipped data", "no data", "truncated index"])
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(damage, tmp_path):
    trainer = make_trainer(AKDG)
    checkpoints = Checkpoints(trainer.state, tmp_path)
    trainer.fit(image_batches(1), verbose=0)
    checkpoints.save(1)
    first = state(trainer)
    trainer.fit(image_batches(1), verbose=0)
    checkpoints.save(2)
    data, index = tmp_path / "ckpt-2.data-00000-of-00001", tmp_path / "ckpt-2.index"
    whole = data.read_bytes()
    if damage == "truncated data":
        data.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped data":
        data.write_bytes(whole[:1000] + bytes([whole[1000] ^ 255]) + whole[1001:])
    elif damage == "no data":
        data.unlink()
    else:
        index.write_bytes(index.read_bytes()[:100])
    fresh = make_trainer(AKDG)
    assert Checkpoints(fresh.state, tmp_path).restore() == 1
    for a, b in zip(state(fresh), first, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_empty_folder_restores_nothing(tmp_path):
    assert Checkpoints(make_trainer(GAN).state, tmp_path).restore() == 0
