"""The experiment that is bound is made under its dtype policy."""

import logging

import keras
import pytest
import tensorflow as tf

from akdg_tf.artifacts import network
from akdg_tf.errors import UserError
from akdg_tf.models import MLPGenerator
from akdg_tf.training import devices
from akdg_tf.training.make import DTYPE_POLICIES, make_experiment
from akdg_tf.training.workdir import Run


@pytest.mark.parametrize("policy", DTYPE_POLICIES)
def test_the_policy_holds_before_any_network_is_made(policy, tmp_path):
    run, made = Run(tmp_path, "x"), []

    def experiment(run):
        made.append((run, keras.layers.Dense(1).dtype_policy.name))
        return "the experiment"

    assert make_experiment(run, experiment, policy) == "the experiment"
    assert made == [(run, policy)]


@pytest.mark.parametrize(
    ("flags", "policy", "says"),
    [
        ("fpu avx512_bf16 amx_bf16 amx_tile", "mixed_bfloat16", "mixed_bfloat16, because AMX multiplies bfloat16"),
        ("fpu avx512f avx512_bf16", "float32", "float32, because this machine has neither AMX nor a GPU"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_has_amx(flags, policy, says, tmp_path, monkeypatch, caplog):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\n\n")
    monkeypatch.setattr(devices, "CPU_INFO", tmp_path / "cpuinfo")
    with caplog.at_level(logging.INFO):
        made = make_experiment(Run(tmp_path / "x", "x"), lambda run: keras.config.dtype_policy().name, "auto")
    assert made == policy and f"dtype_policy 'auto': {says}" in caplog.text
    assert devices.processor() == "Some CPU"


@pytest.mark.parametrize(("capability", "policy"), [((8, 6), "mixed_bfloat16"), ((7, 5), "float32")])
def test_auto_is_bfloat16_where_the_gpu_multiplies_it(capability, policy, tmp_path, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["GPU:0"] if kind == "GPU" else [])
    details = {"device_name": "A GPU", "compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert make_experiment(Run(tmp_path, "x"), lambda run: keras.config.dtype_policy().name, "auto") == policy


def test_a_run_keeps_the_policy_that_it_began_with_on_another_machine(tmp_path, monkeypatch, caplog):
    keras.config.set_dtype_policy("mixed_bfloat16")
    network.write_run(tmp_path, {"generator": MLPGenerator(2, (2,), width=2)}, "generator", {})
    monkeypatch.setattr(devices, "bfloat16_unit", lambda: None)
    with caplog.at_level(logging.INFO):
        made = make_experiment(Run(tmp_path, "x"), lambda run: keras.config.dtype_policy().name, "auto")
    assert made == "mixed_bfloat16" and "as the run began" in caplog.text


def test_a_policy_that_keeps_weights_in_half_precision_is_refused(tmp_path):
    with pytest.raises(UserError, match="dtype_policy 'float16' is not one of float32, mixed_bfloat16, auto"):
        make_experiment(Run(tmp_path, "x"), lambda run: run, "float16")
    assert keras.config.dtype_policy().name == "float32"
