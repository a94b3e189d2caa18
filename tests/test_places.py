"""Where models that are given by a name or a folder are looked for."""

import pytest

from akdg_tf.places import find_run, find_saved_model


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AKDG_ZOO", raising=False)


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path.parent


def test_a_saved_model_is_found_by_its_folder_and_by_the_run_around_it(tmp_path):
    folder = put(tmp_path / "x" / "saved_model" / "saved_model.pb")
    assert find_saved_model(folder) == find_saved_model(str(folder)) == find_saved_model(tmp_path / "x") == folder
    assert find_saved_model(tmp_path) is find_saved_model("nosuch") is None


def test_a_bare_name_is_looked_up_here_then_in_the_zoo_then_among_the_runs(tmp_path):
    for place in ("runs", "zoo", "."):  # each goes before those that were there
        folder = put(tmp_path / place / "x" / "saved_model.pb")
        assert find_saved_model("x").resolve() == folder.resolve()


def test_the_zoo_of_the_environment_takes_the_place_of_the_one_here(tmp_path, monkeypatch):
    put(tmp_path / "zoo" / "x" / "saved_model.pb")
    other = put(tmp_path / "other" / "x" / "saved_model.pb")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AKDG_ZOO", "~/other")
    assert find_saved_model("x") == other


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = put(tmp_path / "home" / "x" / "saved_model.pb")
    assert find_saved_model("~/x") == folder
    assert find_saved_model("~nosuch/x") is None


def test_a_run_is_a_folder_that_tells_its_networks(tmp_path):
    put(tmp_path / "zoo" / "x" / "saved_model.pb")
    run = put(tmp_path / "runs" / "x" / "networks.json")
    assert find_run("x").resolve() == run.resolve()
    assert find_run(tmp_path / "zoo" / "x") is find_run("nosuch") is None
