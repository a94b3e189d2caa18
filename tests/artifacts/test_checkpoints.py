"""A resumed run is the run that was never cut, bit for bit."""

import collections
import pathlib
import random
import resource
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import image_batches, make_trainer

from akdg_tf import AKDG, GAN, LIT, MSEDistillation, R1Penalty
from akdg_tf.artifacts.checkpoints import Checkpoints, read_group, steps_in
from akdg_tf.errors import UserError

SETTINGS = {MSEDistillation: {}, LIT: {}, GAN: {"d_steps": 2}, AKDG: {"penalty": R1Penalty(1.0, 4)}}


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


def test_the_state_of_another_process_is_taken_over(tmp_path):
    here, there = make_trainer(GAN), make_trainer(GAN)
    there.fit(image_batches(2), verbose=0)
    values = [variable.numpy() for group in there.state.values() for variable in group]
    Checkpoints(here.state, tmp_path).take_over(lambda own: values if len(own) == len(values) else [])
    assert_same(here, there)


@pytest.fixture(scope="module")
def two_steps(tmp_path_factory):
    """A folder with the checkpoints of two steps, and the state after the first."""
    folder, trainer = tmp_path_factory.mktemp("checkpoints"), make_trainer(AKDG)
    checkpoints = Checkpoints(trainer.state, folder)
    trainer.fit(image_batches(1), verbose=0)
    checkpoints.save(1)
    first = state(trainer)
    trainer.fit(image_batches(1), verbose=0)
    checkpoints.save(2)
    return folder, first


@pytest.mark.parametrize("damage", ["truncated data", "flipped data", "no data", "truncated index"])
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(damage, two_steps, tmp_path):
    whole_folder, first = two_steps
    shutil.copytree(whole_folder, tmp_path, dirs_exist_ok=True)
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


def small_state(value, count=2):
    """Two groups whose names begin alike, the first of `count` variables: value, value + 1, ..."""
    weights = [keras.Variable(float(value + number)) for number in range(count)]
    return {"generator": weights, "generator_optimizer": [keras.Variable([[float(value)]])]}


def saved(folder, *steps, **settings):
    """A folder with the checkpoints of some steps; each holds its own step as its first value."""
    groups = small_state(0)
    checkpoints = Checkpoints(groups, folder, **settings)
    for step in steps:
        groups["generator"][0].assign(step)
        checkpoints.save(step)


def restored(folder):
    """The step that is restored, and the first value that it brings back."""
    groups = small_state(-9)
    return Checkpoints(groups, folder).restore(), float(groups["generator"][0].value)


def test_the_newest_three_are_kept_and_those_of_every_so_many_steps(tmp_path):
    saved(tmp_path / "newest", *range(1, 8))
    assert steps_in(tmp_path / "newest") == [7, 6, 5]
    saved(tmp_path / "every", *range(1, 11), keep_every=4)
    assert steps_in(tmp_path / "every") == [10, 9, 8, 4]
    assert len(list((tmp_path / "every").glob("ckpt-*"))) == 4 * 2  # an index and a file of data each


def test_one_group_is_read_without_the_others_in_the_order_of_its_variables(tmp_path):
    """Of twelve: as text, the tenth would come before the second."""
    Checkpoints(small_state(100, count=12), tmp_path).save(3)
    assert read_group(tmp_path, 3, "generator") == [100.0 + number for number in range(12)]
    assert read_group(tmp_path, 3, "generator_optimizer") == [[[100.0]]]
    assert read_group(tmp_path, 3, "d_s") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ckpt-x.index", b""),
        ("ckpt-9.index.bak", b""),
        ("ckpt-٩.index", b""),  # a digit, but not one that a step is written in
        ("checkpoint", b""),
        ("checkpoint", b"\xff\x00 not text"),
        ("notes.txt", b""),
    ],
)
def test_a_strangers_file_beside_good_checkpoints_is_passed_over(name, content, tmp_path):
    saved(tmp_path, 1, 2)
    (tmp_path / name).write_bytes(content)
    assert steps_in(tmp_path) == [2, 1]
    assert restored(tmp_path) == (2, 2.0)
    saved(tmp_path, 3, 4, 5)
    assert (tmp_path / name).read_bytes() == content


def test_a_checkpoint_that_lacks_a_variable_is_not_restored(tmp_path):
    saved(tmp_path, 1)
    with pytest.raises(UserError, match="none of the checkpoints in"):
        Checkpoints({**small_state(0), "d_kd": [keras.Variable(1.0)]}, tmp_path).restore()


def test_where_none_is_whole_one_line_says_so(tmp_path):
    saved(tmp_path, 1, 2)
    for path in tmp_path.glob("*.data-*"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="can be restored: they are damaged, or of other networks; remove"):
        restored(tmp_path)


@pytest.mark.parametrize("file", ["ckpt-1.index", "ckpt-1.data-00000-of-00001"])
def test_a_group_of_a_damaged_checkpoint_is_one_line(file, tmp_path):
    saved(tmp_path, 1)
    (tmp_path / file).write_bytes(b"")
    with pytest.raises(UserError, match="ckpt-1 cannot be read: it is damaged"):
        read_group(tmp_path, 1, "generator")


def test_a_kill_while_an_old_checkpoint_is_removed_leaves_no_half_of_it(tmp_path, monkeypatch):
    """Its index goes first: data without an index is no checkpoint."""
    saved(tmp_path, 1, 2, 3)
    unlink, gone = pathlib.Path.unlink, []

    def killed(path, **settings):
        if gone:
            raise KeyboardInterrupt
        gone.append(path.name)
        unlink(path, **settings)

    monkeypatch.setattr(pathlib.Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        saved(tmp_path, 4)
    assert gone == ["ckpt-1.index"] and steps_in(tmp_path) == [4, 3, 2]
    assert restored(tmp_path) == (4, 4.0)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_and_the_older_ones(tmp_path):
    """As on a full disk; here files may not grow beyond 1 kB."""
    saved(tmp_path, 1, 2, 3)
    before = sorted(tmp_path.iterdir())
    large = {**small_state(0), "d_s": [keras.Variable(np.random.default_rng(0).normal(size=(64, 64)))]}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(tf.errors.OpError, match="ckpt-4"):
            Checkpoints(large, tmp_path).save(4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.iterdir()) == before
    assert restored(tmp_path) == (3, 3.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_groups_with_a_value_that_is_not_finite_are_named(value):
    """The weights of a step are computed after its losses, so that the losses do not show it yet."""
    trainer = make_trainer(AKDG)
    checkpoints = Checkpoints(trainer.state, pathlib.Path("nowhere"))
    assert checkpoints.not_finite() == []
    weight = trainer.adversaries[1].discriminator.trainable_variables[0]
    weight.assign(weight * value)
    assert checkpoints.not_finite() == ["d_kd"]


def test_a_checkpoint_that_is_not_finite_is_passed_over(tmp_path, caplog):
    """One that an older version saved."""
    trainer = make_trainer(GAN)
    checkpoints = Checkpoints(trainer.state, tmp_path)
    trainer.set_step(2)
    checkpoints.save(2)
    weight = trainer.generator.trainable_variables[0]
    weight.assign(weight * np.nan)
    trainer.set_step(4)
    checkpoints.save(4)
    assert checkpoints.restore() == 2
    assert "ckpt-4 is not finite (generator): trying the previous one" in caplog.text


def test_no_damage_at_random_places_gives_a_wrong_state(tmp_path, caplog):
    """Bytes that change, and files that end early, in one checkpoint or in the two newest ones."""
    chance = random.Random(0)
    saved(tmp_path / "whole", 1, 2, 3)
    found = collections.Counter()
    for number in range(60):
        folder = shutil.copytree(tmp_path / "whole", tmp_path / str(number))
        damaged = (3, 2) if number % 2 else (3,)
        for step in damaged:
            path = chance.choice(sorted(folder.glob(f"ckpt-{step}.*")))
            content = bytearray(path.read_bytes())
            place = chance.randrange(len(content))
            if chance.random() < 0.5:
                content[place] ^= chance.randrange(1, 256)
            else:
                del content[place:]
            path.write_bytes(content)
        caplog.clear()
        step, value = restored(folder)
        assert value == step and step >= 3 - len(damaged)
        if step < 3:
            assert f"{folder / 'ckpt-3'} is damaged" in caplog.text
        found[step] += 1
    assert found[1] > 5 and found[2] > 15


def test_what_a_killed_process_had_begun_to_write_is_removed_at_the_next_start(tmp_path):
    saved(tmp_path, 1)
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2_temp" / "part-00000-of-00001.data-00000-of-00001.tempstate1").write_bytes(b"x")
    assert restored(tmp_path) == (1, 1.0)
    assert not (tmp_path / "ckpt-2_temp").exists()


def test_a_checkpoint_without_its_index_falls_back_and_is_named(two_steps, tmp_path, caplog):
    whole_folder, first = two_steps
    shutil.copytree(whole_folder, tmp_path, dirs_exist_ok=True)
    trainer = make_trainer(AKDG)
    (tmp_path / "ckpt-2.index").unlink()
    assert Checkpoints(trainer.state, tmp_path).restore() == 1
    assert "ckpt-2 lacks its index, ckpt-2.index: trying the previous one" in caplog.text
    for expected, found in zip(first, state(trainer), strict=True):
        np.testing.assert_array_equal(found, expected)
    (tmp_path / "ckpt-1.index").unlink()
    with pytest.raises(UserError, match="none of the checkpoints in"):
        Checkpoints(trainer.state, tmp_path).restore()
    (tmp_path / "ckpt-1.data-00000-of-00001").unlink()  # a process that is killed in its first save leaves this
    assert Checkpoints(trainer.state, tmp_path).restore() == 0


def test_a_checkpoint_under_the_name_of_another_step_falls_back(two_steps, tmp_path, caplog):
    shutil.copytree(two_steps[0], tmp_path, dirs_exist_ok=True)
    for suffix in ("index", "data-00000-of-00001"):
        shutil.copy(tmp_path / f"ckpt-1.{suffix}", tmp_path / f"ckpt-2.{suffix}")
    assert Checkpoints(make_trainer(AKDG).state, tmp_path).restore() == 1
    assert "ckpt-2 is of step 1: trying the previous one" in caplog.text
