"""`run.py` as a user runs it: what it says and leaves behind."""

import json

import numpy as np
import pytest
from support import ROOT, run

STUDENT = "--gin_file=gin/mnist_mlp_akdg.gin"
DESCRIBE = [STUDENT, "--stage=describe"]
WITHOUT_TEACHER = ["--gin_file=gin/mnist_sngan_teacher.gin", "--gin_param=Data.name='npy'"]
UNDER_BUDGET = ["--gin_file=gin/budget_cpu.gin", "--stage=train"]
FOLDER_DATA = ["--gin_param=Data.name='folder'"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--gin_file=gin/nosuch.gin"], "there is no gin file 'gin/nosuch.gin'"),
        ([STUDENT, "--gin_param=AKDG.nosuch=1"], "doesn't have a parameter named 'nosuch'"),
        ([STUDENT, "--gin_param=Data.name='nosuch'"], "unknown dataset"),
        ([STUDENT, "--gin_param=load_teacher.name='nosuch'"], "there is no teacher"),
        ([STUDENT, "--stage=nosuch"], "nosuch"),
        ([STUDENT, "gin/budget_cpu.gin"], "unexpected 'gin/budget_cpu.gin'"),
        ([STUDENT, "--data_dir=DATA/nosuch"], "/nosuch does not exist"),
        ([STUDENT, "--data_dir=DATA"], "dataset 'mnist5k' does not read --data_dir"),
        ([STUDENT, "--gin_param=load_classifier.name='nosuch'"], "there is no classifier"),
        (
            ["--gin_file=gin/mnist_mlp_mse.gin", "--gin_param=LATENT_DIM=32"],
            "MSE requires that student and teacher have the same latents",
        ),
        ([STUDENT, "--gin_param=Data.name='ring'"], "differ in shape"),
        ([STUDENT, "--devices=gpu:7"], "TensorFlow sees"),
        ([STUDENT, "--gin_param=BankedTeacher.images=9"], "does not use"),
        (
            [STUDENT, "--gin_param=Schedule.pictures_every=0"],
            "pictures_every is 0",
        ),
        ([*DESCRIBE, "--gin_param=Schedule.profile_steps=(9, 5)"], "profile_steps (9, 5) must be"),
        ([*DESCRIBE, "--gin_param=load_teacher.prior='gauss'"], "load_teacher.prior is 'gauss'"),
        (["--gin_file=gin/cifar10_mlp_akdg.gin", *UNDER_BUDGET, "--data_dir=DATA"], "there is no cifar-10-batches-py"),
        (
            ["--gin_file=gin/cifar10_mlp_akdg.gin", *FOLDER_DATA, "--stage=train", "--data_dir=DATA"],
            "there is no image",
        ),
        (["--gin_file=gin/toy_ring_teacher.gin", "--gin_param=Data.flip=True"], "mirrors images"),
        (["--gin_file=gin/cifar10_classifier.gin", "--gin_param=ClassifierExperiment.dataset='ring'"], "no labels"),
        ([*WITHOUT_TEACHER, "--gin_param=SAMPLE_SHAPE=(16, 16, 1)", "--data_dir=DATA"], "takes no samples of shape"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(arguments, says, tmp_path, run_here):
    """Within this process; the next test takes a process of its own."""
    np.save(tmp_path / "images.npy", np.zeros((10, 16, 16, 1), np.uint8))
    arguments = [argument.replace("DATA", str(tmp_path)) for argument in arguments]
    done = run_here(*arguments, f"--workdir={tmp_path / 'run'}")
    assert_is_one_line(done.returncode, done.stdout, done.stderr, says)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([STUDENT, "gin/budget_cpu.gin"], "unexpected 'gin/budget_cpu.gin'"),
        ([STUDENT, "--gin_param=Data.name='nosuch'"], "unknown dataset"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2_in_a_process_of_its_own(arguments, says, tmp_path):
    done = run(*arguments, f"--workdir={tmp_path / 'run'}")
    assert_is_one_line(done.returncode, done.stdout, done.stderr, says)
    assert not (tmp_path / "run").exists()


def assert_is_one_line(code, out, err, says):
    """That a command has ended as bad input should end it."""
    ours = [line for line in err.splitlines() if line.startswith("run.py: ")]
    assert code == 2, err
    assert len(ours) == 1 and says in ours[0]
    assert "Traceback" not in err and not out


def test_a_folder_with_another_run_is_left_alone(tmp_path, run_here):
    arguments = ["--gin_file=gin/toy_ring_teacher.gin", "--stage=train", "--smoke", f"--workdir={tmp_path}"]
    assert run_here(*arguments).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = run_here(*arguments, "--seed=1")
    assert done.returncode == 2 and "holds a run of another configuration" in done.stderr
    assert run_here(*arguments, "--stage=describe", "--seed=1").returncode == 0  # which asks nothing of the folder
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_describe_knows_the_networks_of_the_paper(tmp_path, run_here):
    done = run_here("--gin_file=gin/cifar10_mlp_akdg.gin", "--stage=describe", f"--workdir={tmp_path / 'run'}")
    described = json.loads(done.stdout)
    assert not list(tmp_path.iterdir())
    assert described["network"] == {
        "layers": 4,
        "params": 2_167_296,
        "mult_adds": 2_162_688,
        "executed_mult_adds": 2_162_688,
        "bytes": 4 * 2_167_296,
        "latent_dim": 128,
    }
    up_convs = (64 + 256 + 1024) * 9 * 256**2  # 16 of 36 are executed
    teacher = {"layers": 8, "params": 4_079_363, "mult_adds": 1_593_049_088}
    teacher["executed_mult_adds"] = 1_593_049_088 - up_convs + up_convs * 16 // 36
    assert {key: described["teacher"][key] for key in teacher} == teacher


def test_describe_asks_the_teachers_own_gin_file_where_the_teacher_is_not_there(tmp_path, run_here):
    """From a folder without anything; nothing is left in it."""
    done = run_here("--gin_file=toy_ring_akdg", "--stage=describe", cwd=tmp_path)
    described = json.loads(done.stdout)
    assert (described["network"]["params"], described["teacher"]["params"]) == (450, 34_434)
    assert not list(tmp_path.iterdir())


def test_a_student_that_costs_more_than_its_teacher_is_warned_of(tmp_path, run_here):
    """Beside the JSON when it is described, and before it is trained."""
    big = ["--gin_file=gin/mnist_mlp_mse.gin", "--gin_param=MLPGenerator.width=256", f"--workdir={tmp_path}"]
    warning = "the student has more params than its teacher"
    described = run_here(*big, "--stage=describe")
    assert described.returncode == 0 and described.stderr.count(warning) == 1, described.stderr
    assert json.loads(described.stdout)["network"]["params"] > json.loads(described.stdout)["teacher"]["params"]
    trained = run_here(*big, "--smoke", "--stage=train")
    assert trained.returncode == 0 and trained.stderr.count(warning) == 1, trained.stderr


def test_config_lists_what_the_experiment_reads_and_touches_nothing(tmp_path, run_here):
    """A data folder, a teacher and devices that are not there do not matter."""
    arguments = ["--gin_file=toy_ring_akdg", "--stage=config", "--gin_param=load_teacher.name='nosuch'"]
    done = run_here(*arguments, "--data_dir=nosuch", "--devices=gpu:9", cwd=tmp_path)
    assert done.returncode == 0 and not list(tmp_path.iterdir())
    lines = dict(map(str.strip, line.split("  #")) for line in done.stdout.splitlines())
    assert lines["load_teacher.name = 'nosuch'"] == "--gin_param"
    assert lines["R1Penalty.every = 4"].startswith(f"{ROOT / 'gin' / 'toy.gin'}:")
    assert not any(line.startswith("GAN.") for line in lines)  # bound, and not read by this experiment
