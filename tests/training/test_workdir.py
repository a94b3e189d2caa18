"""The guard of a run folder: one folder, one run."""

import multiprocessing
import os
import time

import pytest

from akdg_tf import configurables  # noqa: F401  (registers what the bindings name)
from akdg_tf.errors import UserError
from akdg_tf.training.workdir import Run


def hold(workdir, held):
    with Run(workdir, "x").claim():
        held.set()
        time.sleep(1.0)
        (workdir / "done").touch()


@pytest.mark.parametrize("change", [{"experiment": "y"}, {"bindings": "A.b = 1"}, {"seed": 1}, {"smoke": True}])
def test_whatever_decides_the_outcome_makes_it_another_run(change, tmp_path):
    with Run(tmp_path, "x").claim():
        pass
    with pytest.raises(UserError, match="holds a run of another configuration"):
        Run(**{"workdir": tmp_path, "experiment": "x", **change}).check()


def test_where_the_data_lie_does_not_make_another_run(tmp_path):
    """What they hold does; see `inputs`."""
    for data_dir in ("here", "elsewhere", None, os.fsdecode(b"caf\xe9")):
        with Run(tmp_path, "x", data_dir=data_dir).claim():
            assert (tmp_path / "config.gin").read_text() == "# experiment x, seed 0\n"


@pytest.mark.parametrize("smoke", [False, True])
def test_a_run_of_an_older_version_goes_on_from_where_its_data_lay(tmp_path, smoke):
    """It states their path in place of their digest. Once this is noted, they may be moved."""
    mark = ", SMOKE RUN" if smoke else ""
    (tmp_path / "config.gin").write_text(f"# experiment x, seed 0{mark}, data /my/data, new\n")
    Run(tmp_path, "x", smoke=smoke, data_dir="/my/data, new").check()
    for data_dir in ("/elsewhere", None):
        with pytest.raises(UserError, match=r"\(there the data in '/my/data, new', here in "):
            Run(tmp_path, "x", smoke=smoke, data_dir=data_dir).check()
    (tmp_path / "inputs.json").write_text("{}")
    Run(tmp_path, "x", smoke=smoke, data_dir="/elsewhere").check()
    with pytest.raises(UserError, match="seed 1"):
        Run(tmp_path, "x", seed=1, smoke=smoke, data_dir="/elsewhere").check()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="not a run folder"):
        Run(tmp_path, "x").check()


def test_what_a_kill_at_the_very_start_leaves_does_not_bar_the_folder(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / "config.gin.part").write_text("# exper")
    with Run(tmp_path, "x").claim():
        assert (tmp_path / "config.gin").read_text() == "# experiment x, seed 0\n"


def test_a_second_process_waits_for_the_first(tmp_path):
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(tmp_path, held))
    other.start()
    assert held.wait(60)
    with Run(tmp_path, "x").claim():
        assert (tmp_path / "done").exists()
    other.join()


SCORED = """make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.evaluations = {{'scores': @ImageScores()}}
ImageScores.samples = {}
"""


def test_a_run_may_be_scored_by_another_configuration_which_it_then_states(tmp_path):
    with Run(tmp_path, "x", SCORED.format(10)).claim():
        pass
    again = Run(tmp_path, "x", SCORED.format(20))
    with again.claim():
        assert "samples = 10" in (tmp_path / "config.gin").read_text()  # result.json may hold the scores of before
        again.write_configs()
    assert "samples = 20" in (tmp_path / "config.gin").read_text()


def test_a_refusal_says_how_to_continue_from_the_run(tmp_path):
    with Run(tmp_path, "x").claim():
        pass
    with pytest.raises(UserError, match=r"to continue from this run there, add --gin_param=.*init_from='.*'") as caught:
        Run(tmp_path, "x", SCORED.format(10), seed=1).check()
    assert f"init_from='{tmp_path}'" in str(caught.value)


def test_configurations_that_cannot_be_understood_are_compared_by_their_statements(tmp_path):
    with Run(tmp_path, "x", "# Macros:\n\nGone.away = 1\nA.b = 2").claim():
        pass
    Run(tmp_path, "x", "Gone.away = 1\nA.b = 2").check()
    with pytest.raises(UserError, match=r"there 'A.b = 2', here 'A.b = 3'\): choose another --workdir; to go on"):
        Run(tmp_path, "x", "Gone.away = 1\nA.b = 3").check()


def test_the_configuration_as_used_is_that_of_the_result(tmp_path):
    """A run whose scoring has changed is published with the configuration that made its scores."""
    run = Run(tmp_path, "x", SCORED.format(10))
    with run.claim():
        run.begin_operative_config()
        (tmp_path / "operative_config.gin").write_text("of before")
        run.begin_operative_config()
        assert (tmp_path / "operative_config.gin").read_text() == "of before"
        run.write_configs()
    assert (tmp_path / "operative_config.gin").read_text() != "of before"
