"""One run on two workers, each a process of its own on loopback."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from support import ROOT

import akdg_tf

STEPS, EVERY = 100, 10
BOUND = 60  # seconds after which a worker must have ended when the other one has stopped; TensorFlow takes about 10
BOUND_VALUES = {
    "load_teacher.name": "'teacher'",
    "GeneratorExperiment.teacher_source": "@BankedTeacher()",
    "BankedTeacher.images": 200,
    "Schedule.batch_size": 64,
    "Schedule.report_every": EVERY,
    "Schedule.keep_every": EVERY,
    "Schedule.steps_per_execution": 1,
    "keras.optimizers.Adam.learning_rate": 0.05,
    "keras.optimizers.Adam.epsilon": 1.0,  # steps in proportion to the gradients, which do not magnify rounding
}

pytestmark = [pytest.mark.slow, pytest.mark.long]


def arguments(steps=STEPS, **bound):
    params = [f"--gin_param={name}={value}" for name, value in {**BOUND_VALUES, "STEPS": steps, **bound}.items()]
    return ["--gin_file=toy_ring_akdg", "--stage=train", *params]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a teacher, which all workers share."""
    path = tmp_path_factory.mktemp("shared")
    model = akdg_tf.MLPGenerator(8, (2,), width=16, depth=1, output_activation="linear")
    akdg_tf.export(model, path / "teacher")
    return path


@pytest.fixture
def start(folder):
    """A function that starts two workers, the chief first; those that still run are killed after the test."""
    started = []

    def function(workdir, *further):
        cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
        for number in range(2):
            config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": number}})
            command = [sys.executable, ROOT / "run.py", "--devices=cluster", f"--workdir={workdir}", *arguments()]
            environment = {**os.environ, "TF_CONFIG": config}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            process = subprocess.Popen(
                [*command, *(further[number] if further else [])], cwd=folder, env=environment, **pipes
            )
            started.append(process)
        return started[-2:]

    yield function
    for process in started:
        process.kill()
        process.communicate()


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def ended(process, seconds=600):
    """The exit code of a worker and the lines of its log that are ours."""
    _, said = process.communicate(timeout=seconds)
    return process.returncode, [line for line in said.splitlines() if ".py:" in line]


def state(workdir, step):
    """The arrays of a checkpoint, by their path."""
    reader = tf.train.load_checkpoint(str(workdir / "checkpoints" / f"ckpt-{step}"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if name.startswith("state/")}


@pytest.fixture(scope="module")
def uncut(folder):
    """The folder of the run that two workers train to its end. The first test makes it."""
    return folder / "runs" / "uncut"


def test_two_workers_give_the_weights_of_two_replicas_and_of_one(folder, start, uncut, run_here):
    logs = []
    for process in start(uncut):
        code, log = ended(process)
        assert code == 0, log
        logs.append(log)
    assert sum("teacher bank: 200 images" in line for line in logs[0]) == 1
    assert any(f"step {STEPS}/{STEPS}" in line for line in logs[0])
    assert not any("step " in line or "bank" in line for line in logs[1])
    assert len(list((uncut / "events").iterdir())) == 1
    lines = [json.loads(line) for line in (uncut / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(EVERY, STEPS + 1, EVERY))
    for devices, exact in (("cpu:2", True), ("cpu", False)):
        workdir = folder / "runs" / devices
        done = run_here(*arguments(2 * EVERY), f"--devices={devices}", f"--workdir={workdir}", cwd=folder)
        assert done.returncode == 0, done.stderr
        expected, found = state(workdir, 2 * EVERY), state(uncut, 2 * EVERY)
        assert len(expected) > 20 and set(expected) == set(found)
        for name, values in expected.items():
            compare = np.testing.assert_array_equal if exact else np.testing.assert_allclose
            compare(found[name], values, **({} if exact else {"rtol": 1e-4, "atol": 1e-5}))
        logged = json.loads((workdir / "metrics.jsonl").read_text().splitlines()[0])
        assert logged == pytest.approx(lines[0], rel=1e-4, abs=1e-5)


def test_when_the_chief_is_killed_the_other_worker_ends_with_one_line_and_the_run_resumes_bit_for_bit(
    folder, start, uncut
):
    workdir = folder / "runs" / "killed"
    chief, worker = start(workdir)
    while not (workdir / "checkpoints" / f"ckpt-{3 * EVERY}.index").exists():
        assert chief.poll() is None and worker.poll() is None
        time.sleep(0.05)
    chief.kill()
    code, log = ended(worker, BOUND)
    assert code == 2
    assert re.search(r"worker 0 of the cluster has stopped, .*: start all workers again; the run continues", log[-1])
    assert not (workdir / "checkpoints" / f"ckpt-{STEPS}.index").exists()
    for process in start(workdir):
        code, log = ended(process)
        assert code == 0, log
    expected, found = state(uncut, STEPS), state(workdir, STEPS)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_workers_with_different_commands_end_before_the_run_begins(folder, start):
    workdir = folder / "runs" / "other"
    chief, worker = start(workdir, [], ["--seed=1"])
    code, log = ended(worker)
    assert (
        code == 2 and "this worker has another configuration, other data or another teacher than the chief" in log[-1]
    )
    code, log = ended(chief, BOUND)
    assert code == 2 and "worker 1 of the cluster has stopped, and its log says why" in log[-1]
    assert not workdir.exists()
