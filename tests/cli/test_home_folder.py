"""~ means the home folder wherever a command or the Python API takes a path."""

import pathlib

import numpy as np
import pytest
from absl.testing import flagsaver

import akdg_tf
from akdg_tf.cli import report as report_command
from akdg_tf.cli import zoo, zoo_commands
from akdg_tf.cli.flags import expanded
from akdg_tf.data import load_dataset
from akdg_tf.errors import UserError
from akdg_tf.metrics.classifiers import load_inception
from akdg_tf.reporting import report


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AKDG_ZOO", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "home"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]  # and no folder that is called ~


@pytest.fixture
def given(monkeypatch):
    """The arguments that each command of `akdg zoo` was called with."""
    calls = {}
    for name in zoo_commands.COMMANDS:
        monkeypatch.setitem(zoo_commands.COMMANDS, name, lambda arguments, name=name: calls.update({name: arguments}))
    return calls


def test_every_path_of_akdg_zoo_is_expanded(given, home):
    zoo.main(["publish", "--zoo=~/zoo", "~/runs/a", "~/runs/b"])
    zoo.main(["verify", "--zoo", "~/zoo", "--data_dir=~/data"])
    zoo.main(["cards", "--zoo=~/zoo"])
    zoo.main(["serve", "--zoo=~/zoo"])
    zoo.main(["gallery", "--zoo=~/zoo", "--output=~/page"])
    assert given["publish"].runs == [home / "runs" / "a", home / "runs" / "b"]
    zoo.main(["sign", "--zoo=~/zoo", "--key=~/key", "a"])
    assert {arguments.zoo for arguments in given.values()} == {home / "zoo"} and len(given) == 6
    zoo.main(["keygen", "--key=~/key"])
    assert given["sign"].key == given["keygen"].key == home / "key"
    assert (given["verify"].data_dir, given["gallery"].output) == (str(home / "data"), home / "page")


def test_the_zoo_of_the_environment_is_expanded(given, home, monkeypatch):
    monkeypatch.setenv("AKDG_ZOO", "~/zoo")
    zoo.main(["cards"])
    assert given["cards"].zoo == home / "zoo"
    with pytest.raises(UserError, match="there is no entry 'x' in the zoo ~/zoo"):
        akdg_tf.load("x")


@pytest.mark.parametrize("argument", ["--zoo=~nosuch/x", "--output=~nosuch/x"])
def test_a_home_folder_that_is_not_known_is_one_line(argument, given, capsys):
    with pytest.raises(SystemExit) as end:
        zoo.main(["gallery", argument])
    assert (end.value.code, given) == (2, {})
    assert capsys.readouterr().err == "akdg zoo: ~nosuch/x: the home folder is unknown; write the whole path\n"


def test_the_data_of_akdg_report_are_found(home, monkeypatch):
    np.save(home / "images.npy", np.zeros((2, 4, 4, 1), np.uint8))
    seen = []
    monkeypatch.setattr(report, "main", lambda families, zoo, data_dir: seen.append(load_dataset("npy", data_dir).size))
    report_command.main(["x", "--data_dir=~"])
    assert seen == [2]


def test_an_export_goes_to_the_home_folder_and_comes_back_from_it(home):
    model = akdg_tf.MLPGenerator(4, (8, 8, 1), width=4, depth=1)
    akdg_tf.export(model, "~/x")
    akdg_tf.export(model, pathlib.Path("~/y"))
    assert (home / "x" / "saved_model.pb").exists() and (home / "y" / "saved_model.pb").exists()
    z = np.zeros((1, 4), np.float32)
    np.testing.assert_array_equal(akdg_tf.load_network("~/x")(z), model(z))
    with pytest.raises(UserError, match="the home folder is unknown"):
        akdg_tf.export(model, "~nosuch/x")


def test_a_folder_of_inception_is_looked_for_there(home, monkeypatch):
    asked = []
    monkeypatch.setattr("akdg_tf.metrics.classifiers.hub.resolve", lambda handle: asked.append(handle) or 1 / 0)
    with pytest.raises(UserError, match="Inception cannot be loaded"):
        load_inception("~/inception")
    assert asked == [str(home / "inception")]


def test_flags_of_akdg_run_name_themselves(home):
    with flagsaver.flagsaver():
        assert expanded("workdir", "~/x") == str(home / "x")
        with pytest.raises(UserError, match=r"^--workdir=~nosuch/x: the home folder is unknown; write the whole path$"):
            expanded("workdir", "~nosuch/x")
