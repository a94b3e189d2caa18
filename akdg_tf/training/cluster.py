"""The workers of a cluster, as TF_CONFIG or SLURM describes them, and the strategy that trains on all of them."""

import json
import logging
import os
import signal
import threading
from collections.abc import Mapping

import tensorflow as tf

from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

NEEDED = "--devices=cluster needs TF_CONFIG, or srun with several tasks: see docs/scaling.md"
JOBS = {"chief", "worker"}
SLURM_PORTS = range(20_000, 30_000)  # below the ports that Linux gives to connections
SLURM_STEP = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE")


def make_strategy() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Makes the strategy of this worker: all GPUs that it sees, or its CPU. Waits until all workers are there.

    Raises:
        UserError: neither TF_CONFIG nor SLURM describes a cluster with this worker, or not all workers have come within
            the hour that TensorFlow waits for them.
    """
    resolver = _resolver()
    count = sum(resolver.cluster_spec().num_tasks(job) for job in resolver.cluster_spec().jobs)
    logger.info("cluster: %s %d waits for all of %d workers", resolver.task_type, resolver.task_id, count)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except tf.errors.DeadlineExceededError:
        raise UserError(f"not all of the {count} workers have started within an hour: start them all again") from None
    if threading.current_thread() is threading.main_thread():  # TensorFlow has taken the signal over meanwhile
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    logger.info("cluster: %d workers, %d replicas", count, strategy.num_replicas_in_sync)
    return strategy


def tf_config() -> Mapping[str, Mapping]:
    """What TF_CONFIG describes, with its "cluster" as job names to addresses; {} without TF_CONFIG.

    Raises:
        UserError: it is no JSON of a cluster.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text) if text.strip() else {}
        for tasks in config["cluster"].values() if config else ():
            if not isinstance(tasks, list) or not all(isinstance(each, str) and each.isascii() for each in tasks):
                raise ValueError("not a list of addresses")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError(f"TF_CONFIG is no description of a cluster: {text[:80]!r}; unset it") from None
    return config


def _resolver() -> tf.distribute.cluster_resolver.ClusterResolver:
    """The addresses of all workers, and which of them this process is."""
    config = tf_config()
    spec, job, number = _of_tf_config(config) if config else _of_slurm()
    gpus = len(tf.config.get_visible_devices("GPU"))
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        spec, task_type=job, task_id=number, rpc_layer="grpc", num_accelerators={"GPU": gpus} if gpus else {}
    )


def _of_tf_config(config: Mapping) -> tuple[tf.train.ClusterSpec, str, int]:
    cluster, task = config["cluster"], config.get("task")
    job, number = (task.get("type"), task.get("index")) if isinstance(task, Mapping) else (None, None)
    if not set(cluster) <= JOBS or len(cluster.get("chief", ())) > 1:
        raise UserError(
            f"TF_CONFIG has the jobs {', '.join(sorted(cluster))}: name one chief and workers, or only workers"
        )
    if not isinstance(job, str) or type(number) is not int or not 0 <= number < len(cluster.get(job, ())):
        raise UserError(f"TF_CONFIG does not say which worker this is: its task {task!r} is not in its cluster")
    return tf.train.ClusterSpec(cluster), job, number


def _of_slurm() -> tuple[tf.train.ClusterSpec, str, int]:
    """The tasks of this SLURM step. The job's number sets the ports, so that two jobs on one node do not meet."""
    if not all(os.environ.get(name) for name in SLURM_STEP):
        raise UserError(NEEDED)
    try:
        port = SLURM_PORTS[int(os.environ.get("SLURM_JOB_ID", 0)) * 100 % len(SLURM_PORTS)]
        tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(  # srun itself gives each task its GPUs
            port_base=port, gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
        )
        spec, (job, number) = resolver.cluster_spec(), resolver.get_task_info()
        if job not in spec.jobs or number not in range(spec.num_tasks(job)):
            raise ValueError(f"SLURM_PROCID is {os.environ['SLURM_PROCID']}")
        return spec, job, number
    except (RuntimeError, ValueError) as error:
        raise UserError(f"SLURM's variables describe no cluster ({error}): see docs/scaling.md") from None
