"""`run.py` as a user runs it: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image
from support import ROOT

STUDENT = "--gin_file=gin/mnist_mlp_akdg.gin"
TOY = ["--gin_file=gin/toy_ring_teacher.gin", "--stage=train", "--gin_param=Schedule.steps=400"]
TOY += ["--gin_param=Schedule.report_every=20"]
DESCRIBE = [STUDENT, "--stage=describe"]
WITHOUT_TEACHER = ["--gin_file=gin/mnist_sngan_teacher.gin", "--gin_param=Data.name='npy'"]
UNDER_BUDGET = ["--gin_file=gin/budget_cpu.gin", "--stage=train"]
FOLDER_DATA = ["--gin_param=Data.name='folder'"]


def run(*arguments, cwd=ROOT, **environment):
    """Runs `run.py` in a folder, by default the repository's."""
    command = [sys.executable, ROOT / "run.py", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


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
        ([STUDENT, "--gin_param=load_classifier.name='nosuch'"], "there is no classifier"),
        (["--gin_file=gin/mnist_mlp_mse.gin", "--gin_param=LATENT_DIM=32"], "MSE pairs latents"),
        ([STUDENT, "--gin_param=Data.name='ring'"], "differ in shape"),
        ([STUDENT, "--devices=gpu:7"], "TensorFlow sees"),
        ([STUDENT, "--gin_param=BankedTeacher.images=9"], "does not use"),
        (
            [STUDENT, "--gin_param=Schedule.pictures_every=0"],
            "pictures_every is 0",
        ),
        ([*DESCRIBE, "--gin_param=Schedule.profile_steps=(9, 5)"], "profile_steps (9, 5) must be"),
        ([*DESCRIBE, "--gin_param=load_teacher.prior='gauss'"], "prior 'gauss'"),
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
def test_bad_input_gets_one_line_and_exit_code_2(arguments, says, tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((10, 16, 16, 1), np.uint8))
    arguments = [argument.replace("DATA", str(tmp_path)) for argument in arguments]
    done = run(*arguments, f"--workdir={tmp_path / 'run'}")
    ours = [line for line in done.stderr.splitlines() if line.startswith("run.py: ")]
    assert done.returncode == 2, done.stderr
    assert len(ours) == 1 and says in ours[0]
    assert "Traceback" not in done.stderr and not done.stdout
    assert not (tmp_path / "run").exists()


def test_a_folder_with_another_run_is_left_alone(tmp_path):
    arguments = ["--gin_file=gin/toy_ring_teacher.gin", "--stage=train", "--smoke", f"--workdir={tmp_path}"]
    assert run(*arguments).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = run(*arguments, "--seed=1")
    assert done.returncode == 2 and "holds a run of another configuration" in done.stderr
    assert run(*arguments, "--stage=describe", "--seed=1").returncode == 0  # which asks nothing of the folder
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_describe_knows_the_networks_of_the_paper(tmp_path):
    done = run("--gin_file=gin/cifar10_mlp_akdg.gin", "--stage=describe", f"--workdir={tmp_path / 'run'}")
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


def test_describe_asks_the_teachers_own_gin_file_where_the_teacher_is_not_there(tmp_path):
    """From a folder without anything; nothing is left in it."""
    done = run("--gin_file=toy_ring_akdg", "--stage=describe", cwd=tmp_path)
    described = json.loads(done.stdout)
    assert (described["network"]["params"], described["teacher"]["params"]) == (450, 34_434)
    assert not list(tmp_path.iterdir())


def test_config_lists_what_the_experiment_reads_and_touches_nothing(tmp_path):
    """A data folder, a teacher and devices that are not there do not matter."""
    arguments = ["--gin_file=toy_ring_akdg", "--stage=config", "--gin_param=load_teacher.name='nosuch'"]
    done = run(*arguments, "--data_dir=nosuch", "--devices=gpu:9", cwd=tmp_path)
    assert done.returncode == 0 and not list(tmp_path.iterdir())
    lines = dict(map(str.strip, line.split("  #")) for line in done.stdout.splitlines())
    assert lines["load_teacher.name = 'nosuch'"] == "--gin_param"
    assert lines["R1Penalty.every = 4"].startswith(f"{ROOT / 'gin' / 'toy.gin'}:")
    assert not any(line.startswith("GAN.") for line in lines)  # bound, and not read by this experiment


@pytest.mark.slow
def test_smoke_run_goes_to_its_end_and_says_that_it_is_one(tmp_path):
    arguments = [STUDENT, "--gin_param=EMA_DECAY=0.9", "--smoke", "--devices=cpu:2", f"--workdir={tmp_path}"]
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "ETA" in done.stderr and "SMOKE RUN" in done.stdout
    for name in ("config.gin", "operative_config.gin", "checkpoints", "events", "metrics.jsonl", "samples.png"):
        assert (tmp_path / name).exists(), name
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["experiment"], result["method"], result["smoke"]) == ("mnist_mlp_akdg", "AKDG", True)
    assert result["command"] == f"python run.py {STUDENT} --gin_param=EMA_DECAY=0.9 --smoke --seed=0"
    record = result["network"]["scores"]["fid[mnist-classifier]"]
    assert {"value", "n_real", "n_fake", "classifier", "split", "resize", "seed"} <= set(record)
    assert result["teacher"]["mult_adds"] > 100 * result["network"]["mult_adds"]
    assert result["parents"][0]["name"] == "mnist_sngan_teacher"
    assert result["gin_params"] == ["EMA_DECAY=0.9"]
    images = hub.load(str(tmp_path / "saved_model"))(tf.random.stateless_normal((7, 64), (0, 0))).numpy()
    assert images.shape == (7, 32, 32, 1) and images.min() >= 0 and images.max() <= 1 and images.std() > 0.01
    assert "training is done" in run(*arguments).stderr


def test_tensorboard_gets_all_there_is_to_see(tmp_path):
    """Under two replicas, and with steps_per_execution = 10, which the file binds."""
    arguments = ["--gin_file=gin/toy_ring_teacher.gin", "--smoke", "--devices=cpu:2", f"--workdir={tmp_path}"]
    done = run(*arguments, "--gin_param=Schedule.profile_steps=(15, 16)")
    assert done.returncode == 0, done.stderr
    paths = (tmp_path / "events").glob("events.out.tfevents.*")
    events = [event for path in paths for event in tf.compat.v1.train.summary_iterator(str(path))]
    logged = {(value.tag, event.step) for event in events for value in event.summary.value}
    end = ("d_s/loss", "d_s/reference_logits", "d_s/generated_logits", "samples", "weights/d_s/dense/kernel")
    assert {(tag, 20) for tag in (*end, "latents/student", "metrics/modes")} <= logged
    assert {(tag, 0) for tag in ("gin/config", "gin/operative_config", "_hparams_/session_start_info")} <= logged
    assert len(list(tmp_path.glob("events/plugins/profile/*/*.xplane.pb"))) == 1


def test_several_steps_an_execution_run_on_several_replicas(tmp_path):
    done = run(
        *TOY[:2],
        "--gin_param=STEPS=20",
        "--gin_param=Schedule.report_every=20",
        "--devices=cpu:2",
        f"--workdir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_missing_teacher_and_its_bank_are_made_first_and_found_again(tmp_path):
    """In a folder of its own, so that no teacher lies about, and without PYTHONPATH: run.py knows its own package."""
    arguments = ["--gin_file=gin/toy_ring_akdg.gin", "--smoke"]
    arguments += ["--gin_param=GeneratorExperiment.teacher_source=@BankedTeacher()"]
    for says, making in (("training it first, with gin/toy_ring_teacher.gin", True), ("training is done", False)):
        done = run(*arguments, cwd=tmp_path, PYTHONPATH="")
        assert done.returncode == 0 and says in done.stderr, done.stderr
        assert ("teacher bank 500/500 (100%)" in done.stderr) == making, done.stderr
    made = [
        json.loads((tmp_path / f"runs/toy_ring_{name}-smoke/result.json").read_text()) for name in ("akdg", "teacher")
    ]
    assert made[0]["teacher"]["layers"] == 4
    assert made[1]["gin_files"] == ["gin/toy_ring_teacher.gin"]  # found from here, and from any other folder
    assert len(list((tmp_path / "runs/banks").glob("*-500-0/bank.json"))) == 1


def test_the_classifier_is_trained_and_exported(tmp_path):
    done = run("--gin_file=gin/mnist_classifier.gin", "--smoke", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "result.json").read_text())["metrics"]["accuracy"]
    assert record["n_real"] == 500 and record["value"] > 0.15  # chance is 0.1
    outputs = hub.load(str(tmp_path / "saved_model"))(tf.zeros((3, 32, 32, 1)))
    assert outputs["logits"].shape == (3, 10) and outputs["features"].shape == (3, 64)


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path):
    """SIGKILL in the middle; the same command goes on, and its last checkpoint is the uncut one, bit for bit."""
    uncut, cut = tmp_path / "uncut", tmp_path / "cut"
    assert run(*TOY, f"--workdir={uncut}").returncode == 0
    command = [sys.executable, "run.py", *TOY, f"--workdir={cut}"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(cut.glob("checkpoints/ckpt-*.index")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = run(*TOY, f"--workdir={cut}")
    assert done.returncode == 0 and "resuming at step" in done.stderr
    names = [name for name, _ in tf.train.list_variables(str(uncut / "checkpoints" / "ckpt-400")) if "VARIABLE" in name]
    assert len(names) > 40
    for name in names:
        values = [tf.train.load_variable(str(folder / "checkpoints" / "ckpt-400"), name) for folder in (uncut, cut)]
        np.testing.assert_array_equal(*values)
    steps = [json.loads(line)["step"] for line in (cut / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(20, 401, 20))


@pytest.mark.slow
def test_a_student_of_ones_own_images_under_the_cpu_budget(tmp_path):
    """From a nested folder with a file that cannot be read, to scores over the zoo's classifier, without a network."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 50, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        path = tmp_path / "images" / str(number % 3) / f"{number}.{('png', 'jpg', 'webp')[number % 3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (tmp_path / "images" / "broken.png").write_bytes(b"")
    arguments = ["--gin_file=gin/cifar10_mlp_akdg.gin", "--gin_file=gin/budget_cpu.gin", "--smoke", *FOLDER_DATA]
    done = run(*arguments, f"--data_dir={tmp_path / 'images'}", f"--workdir={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert "skipping 'broken.png'" in done.stderr and "scoring student 500/500 (100%)" in done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["gin_files"] == ["gin/cifar10_mlp_akdg.gin", "gin/budget_cpu.gin"]
    record = result["metrics"]["fid[cifar10-classifier]"]
    assert (record["dataset"], record["n_real"], record["n_fake"]) == ("folder", 30, 500)
