"""The scores during a training: `curve.jsonl`."""

import dataclasses
import json

import pytest
from small_experiments import finish, on_the_ring
from support import train

from akdg_tf.errors import UserError
from akdg_tf.metrics.modes import PointScores


def test_the_curve_holds_the_scores_during_the_training_and_survives_a_resume(tmp_path):
    settings = {"curve": {"curve": PointScores(100)}, "curve_every": 8}
    train(on_the_ring(tmp_path / "whole", 24, **settings))
    lines = curve_of(tmp_path / "whole")
    assert [line["step"] for line in lines] == [8, 16, 24]
    assert set(lines[0]) == {"step", "modes", "high_quality", "kl_to_uniform", "bridges"}
    assert len({line["kl_to_uniform"] for line in lines}) > 1

    interrupted = on_the_ring(tmp_path / "cut", 24, **settings)
    interrupted.schedule = dataclasses.replace(interrupted.schedule, steps=16)
    train(interrupted)
    with (tmp_path / "cut" / "curve.jsonl").open("a") as file:
        file.write('{"step": 20, "modes": 1}\n{"step": 24, "mo')  # of steps whose checkpoint was not written
    train(on_the_ring(tmp_path / "cut", 24, **settings))
    assert curve_of(tmp_path / "cut") == lines


def test_the_scores_at_the_end_of_the_curve_are_those_of_the_result(tmp_path):
    experiment = on_the_ring(tmp_path / "x", 8, curve={"curve": PointScores(200)}, curve_every=8)
    scores = {name: score.value for name, score in finish(experiment).network.scores.items()}
    assert curve_of(tmp_path / "x") == [{"step": 8, **scores}]


@pytest.mark.parametrize("settings", [{"curve": {"curve": PointScores(100)}}, {"curve_every": 8}])
def test_half_of_a_curves_bindings_is_refused(settings, tmp_path):
    with pytest.raises(UserError, match=r"bind both GeneratorExperiment\.curve and Schedule\.curve_every, or neither"):
        on_the_ring(tmp_path / "x", 8, **settings)


def curve_of(run):
    return [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]
