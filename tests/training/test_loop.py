"""The one loop around `fit`: where it begins, where it ends, what it leaves."""

import functools
import json
import logging

import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_trainer

from akdg_tf import GAN
from akdg_tf.artifacts.checkpoints import Checkpoints, steps_in
from akdg_tf.errors import UserError
from akdg_tf.training.loop import fit_to_the_end
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


def batch(step):
    return tf.random.stateless_uniform((4, *SAMPLE_SHAPE), (1, step), -1.0, 1.0)


@pytest.fixture
def fit(tmp_path):
    """A function that trains to so many steps, two a report, in one and the same folder; returns its trainer."""

    def function(steps, pictures_every=5, begin=None, **settings):
        trainer, run = make_trainer(GAN), Run(tmp_path, "x")
        checkpoints = Checkpoints(trainer.state, run.path("checkpoints"))
        schedule = Schedule(steps, 4, report_every=2, pictures_every=pictures_every)
        given = {"begin": begin and functools.partial(begin, trainer), **settings}
        fit_to_the_end(trainer, batch, run, schedule, checkpoints, tensors=lambda step: {}, **given)
        return trainer

    return function


def reported(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_goes_on_from_the_last_checkpoint_and_is_done_at_the_last_step(fit, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        assert int(fit(4).step) == 4
        assert int(fit(8).step) == 8
        assert not any("training is done" in message for message in caplog.messages)
        fit(8)
    assert any(message.startswith("resuming at step 4 of 8") for message in caplog.messages)
    assert caplog.messages[-1].startswith("training is done: step 8")
    assert reported(tmp_path) == [2, 4, 6, 8] and steps_in(tmp_path / "checkpoints") == [8, 6, 4]


def test_a_state_to_begin_from_is_asked_for_once(fit, tmp_path):
    """Where there is no checkpoint yet."""
    asked = []

    def begin(trainer):
        asked.append(True)
        trainer.set_step(2)
        return 2

    fit(4, begin=begin)
    fit(6, begin=begin)
    assert asked == [True] and reported(tmp_path) == [4, 6]


@pytest.mark.parametrize("start", [4, 1])
def test_a_state_whose_step_is_none_of_the_schedules_is_refused_before_training(start, fit, tmp_path):
    with pytest.raises(UserError, match=f"training starts at step {start}"):
        fit(4, begin=lambda trainer: start)
    assert not (tmp_path / "metrics.jsonl").exists()


@pytest.mark.parametrize(("pictures_every", "expected"), [(1, 3), (2, 1), (5, 0)])
def test_a_picture_is_drawn_after_every_so_many_reports(pictures_every, expected, fit):
    drawn = []

    def draw():
        drawn.append(True)
        return tf.zeros((4, 4, 3), tf.uint8)

    fit(6, pictures_every, draw=draw)
    assert len(drawn) == expected
