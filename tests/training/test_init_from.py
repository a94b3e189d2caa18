"""A run that begins from a finished one, from end to end."""

import json
import logging

import numpy as np
import pytest
import tensorflow as tf
from small_experiments import finish, on_the_ring
from support import train

from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.artifacts.result import Parent
from akdg_tf.errors import UserError
from akdg_tf.metrics.modes import PointScores
from akdg_tf.training import generation


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    """A finished run of 8 steps on the ring."""
    folder = tmp_path_factory.mktemp("runs") / "eight"
    train(on_the_ring(folder, 8)).export()
    return folder


def last_values(folder):
    path = str(folder / "checkpoints" / f"ckpt-{steps_in(folder / 'checkpoints')[0]}")
    names = [name for name, _ in tf.train.list_variables(path) if "VARIABLE_VALUE" in name]
    return {name: tf.train.load_variable(path, name) for name in names}


def test_a_finished_run_trained_on_is_the_run_that_was_never_cut_bit_for_bit(eight, tmp_path):
    result = finish(on_the_ring(tmp_path / "longer", 12, weights=1, init_from=str(eight)))
    train(on_the_ring(tmp_path / "uncut", 12))
    longer, uncut = last_values(tmp_path / "longer"), last_values(tmp_path / "uncut")
    assert longer.keys() == uncut.keys() and len(longer) > 20
    for name, value in longer.items():
        np.testing.assert_array_equal(value, uncut[name], err_msg=name)
    assert steps_in(tmp_path / "longer" / "checkpoints") == [12]
    assert json.loads((tmp_path / "longer" / "init_from.json").read_text())["name"] == "eight"
    assert result.parents == (Parent("init_from", "eight", None, 8),)
    assert (result.steps, result.kind, result.teacher) == (12, "teacher", None)


def test_a_warm_run_that_is_cut_goes_on_from_its_own_checkpoint(eight, tmp_path, caplog):
    train(on_the_ring(tmp_path / "cut", 12, init_from=str(eight)))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        train(on_the_ring(tmp_path / "cut", 16, init_from=str(eight)))
    assert any(message.startswith("resuming at step 12 of 16") for message in caplog.messages)
    assert not any(message.startswith("warm start") for message in caplog.messages)


@pytest.mark.parametrize(
    ("steps", "init_from", "says"),
    [
        (8, "{}", "training starts at step 8, but Schedule.steps is 8: bind more steps"),
        (12, "{}@5", "holds no checkpoint of step 5, only of 8, 4"),
        (12, "{}-nosuch", "there is no such run, zoo entry or SavedModel"),
    ],
)
def test_a_start_that_cannot_be_is_one_line_before_the_folder_is_claimed(steps, init_from, says, eight, tmp_path):
    with pytest.raises(UserError, match=says) as caught:
        train(on_the_ring(tmp_path / "x", steps, init_from=init_from.format(eight)))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x").exists()  # so that the same folder takes the corrected command


def test_a_smoke_run_takes_the_weights_begins_at_step_0_and_scores_few_samples(eight, tmp_path):
    scores = {"many": PointScores(2000), "few": PointScores(200)}
    settings = {"init_from": f"{eight}@4", "evaluations": scores}
    experiment = train(on_the_ring(tmp_path / "x", 2000, smoke=True, **settings))
    assert steps_in(tmp_path / "x" / "checkpoints") == [20, 10]
    assert [evaluation.samples for evaluation in experiment.evaluations.values()] == [500, 200]


def test_a_damaged_note_of_the_source_is_one_line_before_anything_is_scored(eight, tmp_path, monkeypatch):
    experiment = on_the_ring(tmp_path / "x", 12, init_from=str(eight))
    train(experiment).export()
    (tmp_path / "x" / "init_from.json").write_text('{"role": "init')
    monkeypatch.setattr(generation, "score_all", lambda *_: pytest.fail("scored"))
    with pytest.raises(UserError, match=r"init_from\.json is damaged: without it"):
        experiment.evaluate()
