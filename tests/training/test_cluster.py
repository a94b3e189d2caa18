"""How a process finds the workers of its cluster, and what the files for SLURM and Kubernetes give it."""

import json
import os
import re
import signal
import subprocess

import pytest
import tensorflow as tf
import yaml
from support import ROOT

from akdg_tf.errors import UserError
from akdg_tf.training import cluster

FILES = ROOT / "docs" / "cluster"
TWO = {"worker": ["a:1", "b:2"]}
SLURM = {"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "3", "SLURM_STEP_NODELIST": "node[07-08]"}
SLURM |= {"SLURM_STEP_TASKS_PER_NODE": "2,1", "SLURM_JOB_ID": "1203"}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No cluster but that of the test."""
    for name in ("TF_CONFIG", *SLURM):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def resolved(monkeypatch):
    """A function that gives the addresses by job, the job and the number of a process in an environment."""

    def function(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        resolver = cluster._resolver()
        return resolver.cluster_spec().as_dict(), resolver.task_type, resolver.task_id

    return function


@pytest.mark.parametrize("jobs", [TWO, {"chief": ["a:1"], "worker": ["b:2", "c:3"]}])
def test_tf_config_says_who_the_workers_are(jobs, resolved):
    config = {"cluster": jobs, "task": {"type": "worker", "index": 1}}
    assert resolved(TF_CONFIG=json.dumps(config)) == (jobs, "worker", 1)


def test_slurm_says_who_the_workers_are(resolved):
    """Job 1203 has the ports from 20000 + 100 * (1203 mod 100)."""
    jobs = {"worker": ["node07:20300", "node07:20301", "node08:20300"]}
    assert resolved(**SLURM) == (jobs, "worker", 2)


def test_tf_config_comes_before_slurm(resolved):
    config = {"cluster": TWO, "task": {"type": "worker", "index": 0}}
    assert resolved(TF_CONFIG=json.dumps(config), **SLURM) == (TWO, "worker", 0)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"cluster": TWO}, "does not say which worker this is: its task None"),
        ({"cluster": TWO, "task": {"type": "worker", "index": 2}}, "does not say which worker this is"),
        ({"cluster": TWO, "task": {"type": "worker", "index": "0"}}, "does not say which worker this is"),
        ({"cluster": TWO, "task": {"type": "chief", "index": 0}}, "does not say which worker this is"),
        ({"cluster": {**TWO, "ps": ["c:3"]}, "task": {"type": "worker", "index": 0}}, "has the jobs ps, worker: name"),
        ({"cluster": TWO, "task": {"type": "worker", "index": True}}, "does not say which worker this is"),
        ({"cluster": {"worker": [3]}}, "is no description of a cluster"),
        ({"cluster": {"worker": "a:1"}}, "is no description of a cluster"),
        ({"cluster": {"worker": {"a": "x"}}}, "is no description of a cluster"),
        ({"cluster": {"worker": ["\ud800:1"]}}, "is no description of a cluster"),
    ],
)
def test_a_tf_config_without_this_worker_is_one_line(config, says, resolved):
    with pytest.raises(UserError, match=re.escape(says)):
        resolved(TF_CONFIG=json.dumps(config))


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "--devices=cluster needs TF_CONFIG, or srun with several tasks: see docs/scaling.md"),
        ({**SLURM, "SLURM_STEP_NODELIST": ""}, "needs TF_CONFIG, or srun"),
        ({**SLURM, "SLURM_STEP_TASKS_PER_NODE": "7"}, "SLURM's variables describe no cluster"),
        ({**SLURM, "SLURM_PROCID": "x"}, "SLURM's variables describe no cluster"),
        ({**SLURM, "SLURM_PROCID": "3"}, "SLURM's variables describe no cluster"),
        ({**SLURM, "SLURM_PROCID": "-1"}, "SLURM's variables describe no cluster"),
        ({**SLURM, "SLURM_JOB_ID": "1.0"}, "SLURM's variables describe no cluster"),
        ({**SLURM, "SLURM_JOB_ID": ""}, "SLURM's variables describe no cluster"),
        ({"TF_CONFIG": "[" * 60_000}, "TF_CONFIG is no description of a cluster"),
    ],
)
def test_an_environment_without_a_cluster_is_one_line(environment, says, resolved):
    with pytest.raises(UserError, match=re.escape(says)):
        resolved(**environment)


def test_a_worker_that_never_starts_is_one_line(monkeypatch):
    """As TensorFlow 2.21 ends the wait, after an hour."""

    def waiting(resolver):
        raise tf.errors.DeadlineExceededError(None, None, "Barrier timed out. Id: WaitForAllTasks::1::0.")

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", waiting)
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 1}}))
    with pytest.raises(UserError, match=r"^not all of the 2 workers have started within an hour: start them all"):
        cluster.make_strategy()


def test_sigterm_reaches_us_after_tensorflow_has_taken_it_over(monkeypatch):
    installed = []
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda resolver: tf.distribute.get_strategy())
    monkeypatch.setattr(signal, "signal", lambda *given: installed.append(given))
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 1}}))
    cluster.make_strategy()
    assert installed == [(signal.SIGTERM, signal.getsignal(signal.SIGTERM))]


def test_the_file_for_slurm_is_a_script_that_starts_the_workers():
    path = FILES / "run.sbatch"
    subprocess.run(["bash", "-n", path], check=True)
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", path.read_text(), re.MULTILINE))
    assert (options["nodes"], options["ntasks-per-node"]) == ("2", "1")
    assert re.search(r"^srun .*akdg run \\\n  --devices=cluster", path.read_text(), re.MULTILINE)


def test_the_manifest_for_kubernetes_gives_each_pod_its_tf_config(tmp_path, resolved):
    service, job = yaml.safe_load_all((FILES / "job.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    workers = {variable["name"]: variable["value"] for variable in container["env"]}["WORKERS"]
    assert int(workers) == job["spec"]["completions"] == job["spec"]["parallelism"]
    stub = tmp_path / "akdg"
    stub.write_text('#!/bin/bash\necho "$TF_CONFIG"\n')
    stub.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "WORKERS": workers}
    command = [*container["command"], *container["args"]]
    done = subprocess.run(
        command, env={**environment, "JOB_COMPLETION_INDEX": "1"}, capture_output=True, text=True, check=True
    )
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    assert name == job["spec"]["template"]["spec"]["subdomain"]
    addresses = [f"{job['metadata']['name']}-{index}.{name}:{port}" for index in range(2)]
    assert resolved(TF_CONFIG=done.stdout) == ({"worker": addresses}, "worker", 1)
