"""Runs without scores are published as such."""

import dataclasses
import json
import pathlib

import pytest
from made_up_zoo import GIN_TEXT, random_mlp, write_run

from akdg_tf.artifacts import result as results
from akdg_tf.cli.zoo import main
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.zoo import publish
from akdg_tf.zoo.verify import verify

pytestmark = pytest.mark.usefixtures("folder_with_gin_files")

NONE = "GeneratorExperiment.evaluations = {}\n"


def write_unscored_run(folder, seed=0, evaluations=NONE):
    """A run whose result is marked as unscored; it was made by gin/x.gin, which is written anew."""
    gin_text = GIN_TEXT + evaluations
    pathlib.Path("gin", "x.gin").write_text(gin_text)
    run = write_run(folder, random_mlp(seed), seed=seed, gin_text=gin_text)
    result = results.read_run(run)
    networks = (dataclasses.replace(each, scores={}) for each in (result.network, result.teacher))
    marked = dict(zip(("network", "teacher"), networks, strict=True), unscored=True)
    write_json(run / "result.json", dataclasses.replace(result, **marked).to_json())
    return run


def test_a_run_that_binds_no_evaluations_is_published_as_unscored(tmp_path):
    entry = publish.publish([write_unscored_run(tmp_path / "run")])
    assert json.loads((entry.folder / "metrics.json").read_text())["unscored"] is True
    assert "\n- **unscored**: " in (entry.folder / "card.md").read_text()
    assert "[x](x/card.md) | AKDG, unscored |" in (entry.folder.parent / "README.md").read_text()
    assert verify(entry, metrics=True)["metrics"] == "unscored: its configuration binds no evaluations"
    main(["verify"])


@pytest.mark.parametrize("evaluations", ["", "GeneratorExperiment.evaluations = {'scores': @ImageScores()}\n"])
def test_a_run_that_is_marked_as_unscored_but_binds_evaluations_is_refused(evaluations, tmp_path):
    run = write_unscored_run(tmp_path / "run", evaluations=evaluations)
    with pytest.raises(UserError, match=r"run has no scores: run its command with --stage=evaluate$"):
        publish.publish([run])
    assert not (tmp_path / "zoo").exists()


def test_a_macro_may_bind_no_evaluations(tmp_path):
    macro = "GeneratorExperiment.evaluations = %SCORES\nSCORES = {}\n"
    assert publish.publish([write_unscored_run(tmp_path / "run", evaluations=macro)]).result.unscored


def test_of_several_runs_without_scores_the_first_is_published(tmp_path, caplog):
    runs = [write_unscored_run(tmp_path / f"run{seed}", seed) for seed in (0, 1)]
    entry = publish.publish(runs)
    assert (entry.result.seed, entry.result.over_seeds) == (0, {})
    assert [message for message in caplog.messages if "these runs have no scores" in message] == [
        f"these runs have no scores: only {runs[0]} is published, the others add nothing"
    ]
    assert "seeds" not in (entry.folder / "card.md").read_text()


def test_runs_with_and_without_scores_are_not_published_together(tmp_path):
    scored = write_run(tmp_path / "scored", random_mlp(), seed=1)
    with pytest.raises(UserError, match="these runs differ in experiment, steps, dtype policy or configuration"):
        publish.publish([write_unscored_run(tmp_path / "run"), scored])
