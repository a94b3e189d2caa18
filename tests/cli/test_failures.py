"""What fails during a run: one line, exit code 2, and the same command goes on."""

import errno
import logging
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver
from PIL import Image
from support import ROOT, discriminator

import akdg_tf
from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.cli import stages
from akdg_tf.cli.flags import FLAGS
from akdg_tf.cli.run import _run_or_explain
from akdg_tf.data.choice import Data
from akdg_tf.training.failures import failure_of
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

GOES_ON = "once that is mended, the same command continues from the last checkpoint"


@pytest.fixture
def end(monkeypatch, capfd):
    """Runs a function in place of the experiment; gives the exit code and what was said on stderr."""
    monkeypatch.setattr("sys.argv", ["akdg run"])

    def run(function):
        monkeypatch.setattr(stages, "run_experiment", function)
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as caught:
            FLAGS(["akdg run"])
            _run_or_explain(None)
        return caught.value.code, capfd.readouterr().err

    return run


def raising(error):
    def function():
        raise error

    return function


class SmallGAN(akdg_tf.GAN):
    def __init__(self, generator, seed):
        super().__init__(generator, discriminator(), seed=seed)


def open_experiment(tmp_path, steps):
    keras.utils.set_random_seed(0)
    run = Run(tmp_path / "run", "x", data_dir=str(tmp_path / "images"))
    generator = akdg_tf.MLPGenerator(4, (8, 8, 1), width=4, depth=1)
    experiment = GeneratorExperiment(
        run,
        generator,
        method=SmallGAN,
        data=Data("folder"),
        schedule=Schedule(steps, 4, report_every=4),
        evaluations={},
    )
    experiment.prepare_data(evaluating=False)
    return experiment


def train(experiment):
    with experiment.run.claim():
        experiment.train()


def test_a_data_folder_that_goes_away_is_one_line_and_the_run_goes_on_when_it_is_back(tmp_path, end, caplog):
    (tmp_path / "images").mkdir()
    for number in range(6):
        image = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / "images" / f"{number}.png")
    train(open_experiment(tmp_path, 4))
    experiment = open_experiment(tmp_path, 8)
    (tmp_path / "images").rename(tmp_path / "away")
    with caplog.at_level(logging.WARNING, "akdg_tf"):
        code, said = end(lambda: train(experiment))
    assert (code, said) == (2, f"akdg run: the data folder {tmp_path / 'images'} is gone: bring it back; {GOES_ON}\n")
    assert not [record for record in caplog.records if record.name.startswith("akdg_tf")]
    (tmp_path / "away").rename(tmp_path / "images")
    with caplog.at_level(logging.INFO, "akdg_tf"):
        train(open_experiment(tmp_path, 8))
    assert any(message.startswith("resuming at step 4 of 8") for message in caplog.messages)
    assert steps_in(tmp_path / "run" / "checkpoints") == [8, 4]


DISK_FULL = (  # word for word what TensorFlow 2.21 raises
    "{{function_node __wrapped__SaveV2_dtypes_2_device_/job:localhost/replica:0/task:0/device:CPU:0}} "
    "runs/x/checkpoints/ckpt-4_temp/part-00000-of-00001.data-00000-of-00001.tempstate13; No space left on device "
    "[Op:SaveV2]"
)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            tf.errors.ResourceExhaustedError(None, None, DISK_FULL),
            "TensorFlow failed (ResourceExhaustedError): runs/x/checkpoints/ckpt-4_temp/part-00000-of-00001.data-00000-"
            f"of-00001.tempstate13; No space left on device; {GOES_ON}",
        ),
        (tf.errors.UnknownError(None, None, ""), f"TensorFlow failed (UnknownError): it does not say why; {GOES_ON}"),
        (
            OSError(errno.ENOSPC, "No space left on device", "metrics.jsonl"),
            f"[Errno 28] No space left on device: 'metrics.jsonl'; {GOES_ON}",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "[Errno 13] Permission denied: 'x'"),
        (akdg_tf.errors.UserError("bind\nanother"), "bind another"),
    ],
)
def test_what_fails_is_one_line_and_exit_code_2(error, says, end):
    assert end(raising(error)) == (2, f"akdg run: {says}\n")


def test_an_interrupted_run_says_how_to_go_on(end):
    says = "akdg run: interrupted; the same command continues from the last checkpoint\n"
    assert end(raising(KeyboardInterrupt())) == (130, says)


def test_a_signal_while_tensorflow_is_imported_is_one_line(monkeypatch, capfd):
    def interrupted(module):
        raise KeyboardInterrupt

    monkeypatch.setattr("akdg_tf.cli.quiet.load", interrupted)
    with pytest.raises(SystemExit, match="130"):
        _run_or_explain(None)
    assert capfd.readouterr().err.endswith("interrupted; the same command continues from the last checkpoint\n")


def test_a_signal_ends_the_training_of_a_missing_teacher_and_waits_until_it_has_saved(monkeypatch):
    done = []

    class Process:
        def __init__(self, command, **settings):
            self.returncode = None

        def __enter__(self):
            return self

        def __exit__(self, *error):
            """As Popen's, it does not wait after an interruption."""

        def communicate(self):
            raise KeyboardInterrupt

        def terminate(self):
            done.append("terminate")

        def wait(self):
            done.append("wait")

    monkeypatch.setattr(stages.subprocess, "Popen", Process)
    with flagsaver.flagsaver(), pytest.raises(KeyboardInterrupt):
        FLAGS(["akdg run"])
        stages.run_teacher("toy_ring_teacher", "all")
    assert done == ["terminate", "wait"]


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(stages, "run_experiment", raising(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError, match="ours"):
        _run_or_explain(None)


def test_an_operation_that_fails_is_named_by_its_first_line():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.linalg.matmul(tf.zeros((2, 3)), tf.zeros((2, 3)))
    line = failure_of(caught.value)
    assert line.startswith("TensorFlow failed (InvalidArgumentError): Matrix size-incompatible")
    assert "{{" not in line and "[Op:" not in line and "\n" not in line


def test_sigterm_saves_a_checkpoint_and_ends_as_ctrl_c_does(tmp_path):
    """As a scheduler sends it, in the middle of an interval; the same command goes on from there."""
    arguments = ["--gin_file=gin/toy_ring_teacher.gin", "--stage=train", f"--workdir={tmp_path / 'run'}"]
    bound = [f"--gin_param={each}" for each in ("STEPS=100000", "Schedule.report_every=200")]
    command = [sys.executable, str(ROOT / "run.py"), *arguments, *bound]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        said = []
        for line in process.stderr:
            if "step 400/" in line:
                process.send_signal(signal.SIGTERM)
            said.append(line)
    assert process.returncode == 130
    assert said[-1] == "run.py: interrupted; the same command continues from the last checkpoint\n", said
    saved, *_ = steps_in(tmp_path / "run" / "checkpoints")
    assert any("SIGTERM: stopping after the next checkpoint" in line for line in said), said
    assert [line for line in said if " img/s " in line][-1].partition("step ")[2].startswith(f"{saved}/"), said
    assert not list(tmp_path.rglob("*_temp"))
