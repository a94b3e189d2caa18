"""Whole runs of `run.py`, from the flags to the result; some of them in processes of their own."""

import json

import lsun
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image
from support import run

STUDENT = "--gin_file=gin/mnist_mlp_akdg.gin"
TOY = ["--gin_file=gin/toy_ring_teacher.gin", "--stage=train", "--gin_param=Schedule.steps=400"]
TOY += ["--gin_param=Schedule.report_every=20"]
FOLDER_DATA = ["--gin_param=Data.name='folder'"]


@pytest.mark.long
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


def test_tensorboard_gets_all_there_is_to_see(tmp_path, run_here):
    """Under two replicas, and with steps_per_execution = 10, which the file binds."""
    arguments = ["--gin_file=gin/toy_ring_teacher.gin", "--smoke", "--devices=cpu:2", f"--workdir={tmp_path}"]
    done = run_here(*arguments, "--gin_param=Schedule.profile_steps=(15, 16)")
    assert done.returncode == 0, done.stderr
    paths = (tmp_path / "events").glob("events.out.tfevents.*")
    events = [event for path in paths for event in tf.compat.v1.train.summary_iterator(str(path))]
    logged = {(value.tag, event.step) for event in events for value in event.summary.value}
    end = ("d_s/loss", "d_s/reference_logits", "d_s/generated_logits", "samples", "weights/d_s/dense/kernel")
    assert {(tag, 20) for tag in (*end, "latents/student", "metrics/modes")} <= logged
    assert {(tag, 0) for tag in ("gin/config", "gin/operative_config", "_hparams_/session_start_info")} <= logged
    assert len(list(tmp_path.glob("events/plugins/profile/*/*.xplane.pb"))) == 1


def test_several_steps_an_execution_run_on_several_replicas(tmp_path, run_here):
    done = run_here(
        *TOY[:2],
        "--gin_param=STEPS=20",
        "--gin_param=Schedule.report_every=20",
        "--devices=cpu:2",
        f"--workdir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.slow
def test_a_chain_of_compressions_names_all_its_parents_and_scores_its_file(tmp_path):
    """AKDG, then fewer channels and smaller ranks with fine-tuning, then int4 with fine-tuning."""
    stages = ["compressed.stages=(@PruneChannels(), @Factorize())", "Factorize.max_mult_adds=600000"]
    chain = {
        "akdg": ["mnist_dcgan_akdg"],
        "smaller": ["mnist_dcgan_pruned", *_source("akdg"), *(f"--gin_param={each}" for each in stages)],
        "int4": ["mnist_dcgan_pruned_int4", *_source("smaller")],
    }
    for name, (stem, *given) in chain.items():
        done = run(f"--gin_file=gin/{stem}.gin", *given, "--smoke", f"--workdir={name}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    results = {name: json.loads((tmp_path / name / "result.json").read_text()) for name in chain}
    costs = [result["network"]["mult_adds"] for result in results.values()]
    assert costs[1] <= 600_000 < costs[0] and costs[2] == costs[1]
    last = results["int4"]
    parent = next(each for each in last["parents"] if each["role"] == "compressed")
    assert parent["name"] == "smaller" and len(parent["digest"]) == 64
    assert [each["name"] for each in parent["parents"] if each["role"] == "compressed"] == ["akdg"]
    assert last["litert"]["weights"] == "int4" and "fid[mnist-classifier]" in last["litert"]["scores"]


@pytest.mark.long
@pytest.mark.slow
def test_the_lsun_teacher_grows_to_256_pixels_from_an_lmdb(tmp_path):
    """The gin file's seven maps and its loss, with fewer channels and images, and without Inception."""
    lsun.write(tmp_path / "bedroom_train_lmdb", lsun.values(8))
    less = ["PGGAN_WIDTHS=(8, 8, 8, 8, 8, 4, 4)", "PGGANGenerator.latent_dim=8", "GeneratorExperiment.evaluations={}"]
    less += ["Growth.batch_sizes=(8, 8, 8, 4, 4, 4, 4)", "Schedule.batch_size=4", "Schedule.steps=2000000"]
    given = [f"--gin_param={each}" for each in less] + ["--data_dir=bedroom_train_lmdb", "--workdir=grown"]
    done = run("--gin_file=gin/lsun_pggan_teacher.gin", "--smoke", *given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [f"map {number} of 7 fades in" in done.stderr for number in range(2, 8)] == [True] * 6
    images = hub.load(str(tmp_path / "grown" / "saved_model"))(tf.random.stateless_normal((2, 8), (0, 0))).numpy()
    assert images.shape == (2, 256, 256, 3) and np.isfinite(images).all()


def _source(name):
    """Arguments that compress a run, and go on with its discriminators."""
    return [f"--gin_param={each}='{name}'" for each in ("compressed.source", "load_network.name")]


@pytest.mark.long
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


def test_the_classifier_is_trained_and_exported(tmp_path, run_here):
    done = run_here("--gin_file=gin/mnist_classifier.gin", "--smoke", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "result.json").read_text())["network"]["scores"]["accuracy"]
    assert record["n_real"] == 500 and record["value"] > 0.15  # chance is 0.1
    outputs = hub.load(str(tmp_path / "saved_model"))(tf.zeros((3, 32, 32, 1)))
    assert outputs["logits"].shape == (3, 10) and outputs["features"].shape == (3, 64)


@pytest.mark.long
def test_a_student_of_ones_own_images_under_the_cpu_budget(tmp_path, run_here):
    """From a nested folder with a file that cannot be read, to scores over the zoo's classifier, without a network."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 50, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        path = tmp_path / "images" / str(number % 3) / f"{number}.{('png', 'jpg', 'webp')[number % 3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (tmp_path / "images" / "broken.png").write_bytes(b"")
    arguments = ["--gin_file=gin/cifar10_mlp_akdg.gin", "--gin_file=gin/budget_cpu.gin", "--smoke", *FOLDER_DATA]
    done = run_here(*arguments, f"--data_dir={tmp_path / 'images'}", f"--workdir={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert "skipping 'broken.png'" in done.stderr and "scoring network 500/500 (100%)" in done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["gin_files"] == ["gin/cifar10_mlp_akdg.gin", "gin/budget_cpu.gin"]
    record = result["network"]["scores"]["fid[cifar10-classifier]"]
    assert (record["dataset"], record["n_real"], record["n_fake"]) == ("folder", 30, 500)
