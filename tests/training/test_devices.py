"""Which devices `--devices` means; of GPUs, as TensorFlow would list three."""

import os
import re

import pytest
import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.training import devices


@pytest.fixture
def machine(monkeypatch):
    """A function that makes a machine of so many GPUs; returns what was done to it."""
    done = {}

    def of(gpus):
        lists = {"GPU": [f"gpu {index}" for index in range(gpus)], "CPU": ["cpu"]}
        config = tf.config
        monkeypatch.setattr(config, "list_physical_devices", lambda kind: lists[kind])
        monkeypatch.setattr(config, "set_visible_devices", lambda shown, kind: done.update({kind: shown}))
        monkeypatch.setattr(config.experimental, "set_memory_growth", lambda gpu, grows: done.update({gpu: grows}))
        monkeypatch.setattr(config, "set_logical_device_configuration", lambda _, parts: done.update(cpus=len(parts)))
        monkeypatch.setattr(tf.distribute, "MirroredStrategy", tuple)
        return done

    return of


@pytest.mark.parametrize(
    ("flag", "gpus", "replicas", "visible"),
    [
        ("auto", 0, ("CPU:0",), []),
        ("auto", 2, ("GPU:0", "GPU:1"), ["gpu 0", "gpu 1"]),
        ("cpu", 2, ("CPU:0",), []),
        ("gpu", 1, ("GPU:0",), ["gpu 0"]),
        ("gpu:0,2", 3, ("GPU:0", "GPU:1"), ["gpu 0", "gpu 2"]),  # of those that are visible, the first and the second
        ("gpu:2", 3, ("GPU:0",), ["gpu 2"]),
    ],
)
def test_a_flag_means_these_replicas_and_hides_the_other_gpus(flag, gpus, replicas, visible, machine):
    done = machine(gpus)
    assert devices.make_strategy(flag) == replicas
    assert done == {"GPU": visible, **dict.fromkeys(visible, True)}


def test_replicas_on_the_cpu_are_logical_devices(machine):
    done = machine(0)
    assert devices.make_strategy("cpu:3") == ("CPU:0", "CPU:1", "CPU:2")
    assert done == {"GPU": [], "cpus": 3}


@pytest.mark.parametrize("flag", ["gpu", "gpu:0", "gpu:x", "gpu:-1", f"gpu:{'9' * 5000}"])
def test_gpus_that_are_not_there_are_refused(flag, machine):
    machine(0)
    with pytest.raises(UserError, match=f"--devices={flag}: TensorFlow sees 0 GPUs"):
        devices.make_strategy(flag)


@pytest.mark.parametrize("flag", ["", "tpu:0", "cpu:0", "cpu:x", "cpu:-1", "auto:2", "cpu:\u00b2", "cpu:9999"])
def test_what_is_no_device_is_refused_with_what_is(flag, machine):
    machine(1)
    with pytest.raises(UserError, match="is unknown: use auto, cpu, cpu:N, gpu, gpu:I,J, cluster or tpu"):
        devices.make_strategy(flag)


def test_a_tpu_that_is_not_there_is_one_line_after_the_warning_that_nobody_has_tried_one(caplog, monkeypatch):
    def connect(name):
        raise tf.errors.NotFoundError(None, None, "TPUs not found in the cluster.")

    monkeypatch.setattr(tf.distribute.cluster_resolver.TPUClusterResolver, "connect", connect)
    with pytest.raises(UserError, match=r"--devices=tpu: TensorFlow finds no TPU here \(TPUs not found"):
        devices.make_strategy("tpu")
    assert "untested" in caplog.text


def test_the_machine_is_told_with_its_threads_and_version(monkeypatch):
    monkeypatch.setattr(devices, "processor", lambda: "Some CPU")
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    assert devices.machine() == f"Some CPU, {os.cpu_count()} threads, TensorFlow {tf.__version__}"
    assert devices.processor()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}', "describes 2 workers"),
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:2"], "ps": ["c:3"]}}', "describes 3 workers"),
        ("{", "is no description of a cluster: '{'; unset it"),
        ('{"cluster": 3}', "is no description of a cluster"),
    ],
)
def test_one_of_several_workers_does_not_train_alone(text, says, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=re.escape(says)):
        devices.make_strategy("cpu")


@pytest.mark.parametrize("text", ["", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'])
def test_the_only_worker_of_a_cluster_trains(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    devices._check_alone()
