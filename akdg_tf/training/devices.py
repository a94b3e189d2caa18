"""The devices of a run: `--devices` as a strategy, and the description of this machine."""

import logging
import os
import pathlib
import platform
import re

import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.training import cluster

logger = logging.getLogger(__name__)

CPU_INFO = pathlib.Path("/proc/cpuinfo")
COUNT = re.compile(r"\d{1,3}", re.ASCII)  # replicas on a CPU, or the number of a GPU
CLUSTER, TPU = "cluster", "tpu"
BFLOAT16_GPU = (8, 0)  # the compute capability from which NVIDIA's GPUs multiply bfloat16


def make_strategy(devices: str) -> tf.distribute.Strategy:
    """Makes the strategy. Must be called before TensorFlow uses a device.

    Args:
        devices: "auto" (all GPUs, or the CPU if there is no GPU), "cpu", "cpu:N" (N logical replicas on the CPU),
            "gpu" (all GPUs), "gpu:0,2" (these GPUs), "cluster" (this process is one of several workers, and uses all
            GPUs that it sees, or its CPU) or "tpu" (the TPU of this machine; untested).

    Returns:
        The strategy.

    Raises:
        UserError: there are no such devices, or TF_CONFIG describes several workers and `devices` is not "cluster".
    """
    gpus = tf.config.list_physical_devices("GPU")
    if devices == CLUSTER:
        _show_gpus(gpus)
        return cluster.make_strategy()
    _check_alone()
    if devices == TPU:
        return _tpu_strategy()
    kind, _, which = devices.partition(":")
    if kind == "auto" and not which:
        kind = "gpu" if gpus else "cpu"
    if kind == "gpu":
        indices = which.split(",") if which else [str(i) for i in range(len(gpus))]
        if not gpus or not all(COUNT.fullmatch(i) and int(i) < len(gpus) for i in indices):
            raise UserError(f"--devices={devices}: TensorFlow sees {len(gpus)} GPUs; use auto, cpu, or other numbers")
        _show_gpus([gpus[int(i)] for i in indices])
        return tf.distribute.MirroredStrategy([f"GPU:{i}" for i in range(len(indices))])
    if kind != "cpu" or (which and not (COUNT.fullmatch(which) and int(which))):
        raise UserError(f"--devices={devices} is unknown: use auto, cpu, cpu:N, gpu, gpu:I,J, cluster or tpu")
    return _cpu_strategy(int(which or 1))


def _check_alone() -> None:
    """Refuses to be one of several workers, each of which would train alone, in the same folder.

    Raises:
        UserError: TF_CONFIG describes several workers, or is no JSON of a cluster.
    """
    tasks = [task for tasks in cluster.tf_config().get("cluster", {}).values() for task in tasks]
    if len(tasks) > 1:
        raise UserError(
            f"TF_CONFIG describes {len(tasks)} workers, but this run trains on one: unset it, or give --devices=cluster"
        )


def _tpu_strategy() -> tf.distribute.TPUStrategy:
    """The strategy of this machine's TPU.

    Raises:
        UserError: there is none.
    """
    logger.warning("--devices=tpu is untested: this project has not run on a TPU yet")
    try:
        return tf.distribute.TPUStrategy(tf.distribute.cluster_resolver.TPUClusterResolver.connect("local"))
    except tf.errors.NotFoundError as error:
        raise UserError(f"--devices=tpu: TensorFlow finds no TPU here ({error.message[:100]})") from None


def _show_gpus(gpus: list) -> None:
    """Hides all other GPUs. Memory is allocated as needed, because the process that trains a teacher needs some too."""
    tf.config.set_visible_devices(gpus, "GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)


def _cpu_strategy(count: int) -> tf.distribute.MirroredStrategy:
    _show_gpus([])
    if count > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])


def processor() -> str:
    """Name of the CPU."""
    return _cpu_info("model name") or platform.processor()


def bfloat16_unit() -> str | None:
    """What multiplies bfloat16 matrices much faster than float32 ones: AMX, or the GPUs in use; None if nothing does.

    AVX512-BF16 without AMX does not count: there, convolutions in bfloat16 take as long as in float32 or longer.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        found = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        capable = all(details.get("compute_capability", (0, 0)) >= BFLOAT16_GPU for details in found)
        return ", ".join(details.get("device_name", "GPU") for details in found) if capable else None
    return "AMX" if "amx_bf16" in (_cpu_info("flags") or "").split() else None


def _cpu_info(key: str) -> str | None:
    """The first value of this key in Linux's description of the CPU, None if there is none."""
    lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines() if CPU_INFO.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.partition(":")[0].strip() == key), None)


def machine() -> str:
    """The machine that speeds are measured on: processor, threads, GPUs, TensorFlow's version."""
    gpus = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.get_visible_devices("GPU")
    ]
    return ", ".join([processor(), f"{os.cpu_count()} threads", *gpus, f"TensorFlow {tf.__version__}"])
