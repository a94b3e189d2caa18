"""A training that diverges stops at its step, and only with another configuration does it go on."""

import json
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_trainer

from akdg_tf import GAN
from akdg_tf.artifacts.checkpoints import Checkpoints, steps_in
from akdg_tf.errors import UserError
from akdg_tf.training import changes, divergence
from akdg_tf.training.loop import fit_to_the_end
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

NAMES = "d_s/loss, d_s/reference_logits, g/loss"
DIVERGED = rf"diverged at step 5 \(not finite: {NAMES}\); the checkpoint of step 4 is kept"


def batches(bad_step=None):
    """Images of which those of one step are not finite."""

    def batch(step):
        images = tf.random.stateless_uniform((4, *SAMPLE_SHAPE), (1, step), -1.0, 1.0)
        return images if bad_step is None else tf.where(step == bad_step, np.nan, images)

    return batch


@pytest.fixture
def fit(tmp_path):
    """A function that trains to step 8, four steps per interval; a `change` is another configuration."""

    def function(bad_step=None, change="", steps=8):
        trainer = make_trainer(GAN, penalty=None)
        run = Run(tmp_path / "run", "x", change, may_change=bool(change))
        checkpoints = Checkpoints(trainer.state, run.path("checkpoints"))
        schedule = Schedule(steps, 4, report_every=4)
        with run.claim():
            fit_to_the_end(trainer, batches(bad_step), run, schedule, checkpoints, tensors=lambda step: {})
        return trainer

    return function


def test_it_stops_at_the_step_and_the_same_command_does_not_try_again(fit, tmp_path):
    run = tmp_path / "run"
    for bad_step in (4, None):  # the second time nothing would be wrong
        with pytest.raises(UserError, match=f"{DIVERGED}, and the same command would diverge again: lower the learn"):
            fit(bad_step)
        assert steps_in(run / "checkpoints") == [4]
    (run / divergence.FILE).unlink()  # as the message says
    assert int(fit().step) == 8


def test_a_changed_configuration_goes_on_and_is_noted(fit, tmp_path, caplog):
    run = tmp_path / "run"
    with pytest.raises(UserError, match=DIVERGED):
        fit(4)
    with caplog.at_level(logging.WARNING, "akdg_tf"):
        assert int(fit(change="A.b = 1").step) == 8
    assert "the configuration changed at step 4 (there 'nothing', here 'A.b = 1')" in caplog.text
    (change,) = changes.recorded(run)
    assert (change.step, change.removed, change.added) == (4, (), ("A.b = 1",))
    assert (run / "config.gin").read_text() == "# experiment x, seed 0\nA.b = 1"
    assert not (run / divergence.FILE).exists()
    with pytest.raises(UserError, match=r"is at step 8: no step is left for another configuration"):
        fit(change="A.b = 2")
    assert int(fit(change="A.b = 2", steps=12).step) == 12
    assert [each.step for each in changes.recorded(run)] == [4, 8]


def test_the_checkpoint_that_is_kept_is_the_one_that_was_restored(fit, tmp_path):
    """Not a damaged one that is newer."""
    run, diverged = tmp_path / "run", r"diverged at step 6 .*; the checkpoint of step 4 is kept, and the same command"
    with pytest.raises(UserError, match=diverged):
        fit(5)
    (run / divergence.FILE).unlink()
    for suffix in ("index", "data-00000-of-00001"):
        (run / "checkpoints" / f"ckpt-8.{suffix}").write_bytes(b"damaged")
    for bad_step in (5, None):
        with pytest.raises(UserError, match=diverged):
            fit(bad_step)


def test_a_change_is_noted_once_although_a_kill_came_between(tmp_path, monkeypatch):
    run = Run(tmp_path, "x", "A.b = 1", may_change=True)
    (tmp_path / "config.gin").write_text("# experiment x, seed 0\n")
    with monkeypatch.context() as patch:
        patch.setattr("akdg_tf.training.workdir.write_text", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            run.go_on(5, 10)
    assert run.go_on(5, 10) and not run.go_on(5, 10)
    assert [change.step for change in changes.recorded(tmp_path)] == [5]


def test_without_a_checkpoint_the_first_step_is_where_it_starts_again(fit, tmp_path):
    with pytest.raises(UserError, match=r"diverged at step 2 .*there is no checkpoint yet"):
        fit(1)
    assert int(fit(change="A.b = 1").step) == 8
    assert changes.recorded(tmp_path / "run") == ()  # no step was taken before


def test_a_note_that_is_damaged_does_not_bar_the_run(fit, tmp_path, caplog):
    with pytest.raises(UserError, match=DIVERGED):
        fit(4)
    for content in (b"", b"[]", b'{"step": 5}', b"\xff"):
        (tmp_path / "run" / divergence.FILE).write_bytes(content)
        divergence.check(Run(tmp_path / "run", "x"), 4)
    assert caplog.text.count("is damaged: training goes on as if it had not diverged") == 4


def test_weights_that_are_not_finite_stop_it_too(fit, tmp_path, monkeypatch):
    """The losses are computed before the weights are updated, so that those of the step do not show it."""
    monkeypatch.setattr(keras.optimizers, "SGD", lambda rate: keras.optimizers.Adam(1e39))
    with pytest.raises(UserError, match="diverged at step"):
        fit()
    assert not list((tmp_path / "run" / "checkpoints").glob("*"))
    assert json.loads((tmp_path / "run" / divergence.FILE).read_text())["checkpoint"] == 0


def test_changes_that_are_damaged_are_one_line(tmp_path):
    (tmp_path / changes.FILE).write_text('{"step": 1}\n')
    with pytest.raises(UserError, match=r"config_changes.jsonl is damaged"):
        changes.recorded(tmp_path)
