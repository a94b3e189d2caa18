"""What the flags of `akdg run` mean, without a process of its own."""

import os
import pathlib
import shlex

import pytest
from absl.testing import flagsaver

from akdg_tf.cli import stages
from akdg_tf.cli.flags import FLAGS, parse
from akdg_tf.errors import UserError
from akdg_tf.training import config
from akdg_tf.training.workdir import Run


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    with flagsaver.flagsaver():
        yield


def make_run(*arguments):
    FLAGS(["akdg run", *arguments])
    config.parse(FLAGS.gin_file, FLAGS.gin_param)
    return stages.make_run(is_chief=True)


@pytest.mark.parametrize("files", [("toy_ring_akdg", "toy.gin"), ("gin/toy_ring_akdg.gin", "gin/toy")])
def test_a_run_is_named_by_its_gin_files_however_they_are_given(files):
    run = make_run(*(f"--gin_file={file}" for file in files))
    assert (run.experiment, run.workdir) == ("toy_ring_akdg", pathlib.Path("runs/toy_ring_akdg-toy"))
    assert run.gin_files == files


def test_a_run_knows_all_that_makes_it():
    run = make_run(
        "--gin_file=toy_ring_akdg", "--gin_param=STEPS=20", "--gin_param=EMA_DECAY=0.9", "--smoke", "--seed=3"
    )
    assert run.gin_params == ("STEPS=20", "EMA_DECAY=0.9")
    assert (run.seed, run.smoke, run.data_dir) == (3, True, None)
    assert run.workdir == pathlib.Path("runs/toy_ring_akdg-smoke")
    assert run.hyperparameters["STEPS"] == 20 and "\nSTEPS = 20\n" in run.bindings


def test_home_folders_are_found(tmp_path):
    run = make_run("--gin_file=toy_ring_akdg", "--workdir=~/runs/x", "--data_dir=~/here")
    assert run.workdir == tmp_path / "runs" / "x" and run.data_dir == str(tmp_path / "here")


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("--data_dir=nosuch", "^--data_dir=nosuch does not exist: give the folder with the data$"),
        ("--data_dir=../a.zip", "^--data_dir=../a.zip is a file: give the folder with the data$"),
        ("--data_dir=~nosuch/x", "^--data_dir=~nosuch/x: the home folder is unknown; write the whole path$"),
        ("--workdir=~nosuch/x", "^--workdir=~nosuch/x: the home folder is unknown; write the whole path$"),
    ],
)
def test_a_folder_that_cannot_be_is_one_line(argument, says, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"")
    with pytest.raises(UserError, match=says):
        make_run("--gin_file=toy_ring_akdg", argument)


@pytest.mark.parametrize("flag", ["--workdir", "--gin_file", "--gin_param"])
def test_what_is_written_to_files_must_be_utf8(flag, capsys):
    name = os.fsdecode(b"caf\xe9")
    with pytest.raises(SystemExit) as end:
        parse(["akdg run", "--gin_file=toy_ring_akdg", f"{flag}={name}"])
    said = capsys.readouterr().err
    assert end.value.code == 2 and len(said.splitlines()) == 1
    assert r"'caf\udce9' is not UTF-8: rename the file or folder" in said


def test_a_data_folder_may_have_any_name():
    name = os.fsdecode(b"caf\xe9")
    pathlib.Path(name).mkdir()
    parse(["akdg run", "--gin_file=toy_ring_akdg", f"--data_dir={name}"])
    assert stages.data_folder() == name


def test_files_that_bind_no_experiment_have_no_listing():
    pathlib.Path("x.gin").write_text("GAN.d_steps = 1\n")
    FLAGS(["akdg run", "--gin_file=x.gin", "--stage=config"])
    with pytest.raises(UserError, match=r"do not bind an experiment: bind make_experiment.experiment$"):
        stages.run_experiment()


def test_the_command_of_a_run_is_the_one_that_made_it():
    bindings = ("load_teacher.name='my runs/x'", 'Data.name="a"', "AKDG.d_steps=2")
    made = Run(pathlib.Path("w"), "x", "", ("gin/x.gin", "my files/y.gin"), 3, True, "/data", gin_params=bindings)
    assert shlex.split(made.command()) == [
        *("python", "run.py", "--gin_file=gin/x.gin", "--gin_file=my files/y.gin"),
        *(f"--gin_param={binding}" for binding in bindings),
        *("--data_dir=DATA", "--smoke", "--seed=3"),
    ]
    assert Run(pathlib.Path("w"), "x", "", ("gin/x.gin",)).command() == "python run.py --gin_file=gin/x.gin --seed=0"
