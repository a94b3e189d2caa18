"""Steps/s on one worker and on several, on this machine: python benchmarks/workers.py. Prints one JSON line per count.

A step is AKDG from a bank on CIFAR-10 shapes, with a global batch of 64. The workers are processes on loopback. Each
has one thread, so that a worker is the same in all counts. A round is 8 steps, one of which computes the lazy R1
penalty. The speed is that of the median round.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}


def main():
    """The command line. With --bank it is one of the workers, which TF_CONFIG describes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", nargs="+", default=["mlp", "dcgan"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--bank", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bank:
        work(arguments.students, arguments.rounds, arguments.bank)
        return
    for count in arguments.workers:
        print(json.dumps(measured(count, arguments.students, arguments.rounds)), flush=True)


def measured(count: int, students: list[str], rounds: int) -> dict:
    """Starts the workers; returns what the first one has measured."""
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    started = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(count):
            config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            command = [sys.executable, __file__, "--students", *students, f"--rounds={rounds}"]
            command.append(f"--bank={folder}/{index}")
            environment = {**os.environ, **ONE_THREAD, "TF_CONFIG": json.dumps(config)}
            started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        sys.exit("a worker has failed: see above")
    return {"benchmark": "workers", "workers": count, **json.loads(outputs[0])}


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def work(students: list[str], rounds: int, folder: pathlib.Path) -> None:
    """Trains as one of the workers and prints steps/s per student as JSON.

    Args:
        students: of `setting.STUDENTS`.
        rounds: rounds that are timed, after one that is not.
        folder: gets this worker's bank.
    """
    import setting  # imports TensorFlow, which the process that starts the workers does not need

    from akdg_tf.teachers.bank import make_bank
    from akdg_tf.training import cluster

    strategy = cluster.make_strategy()
    with strategy.scope():
        teacher = setting.make_teacher()
    folder.mkdir()
    bank = make_bank(teacher, setting.BATCH, 0, folder)
    speeds = {}
    for student in students:
        take_steps = _steps(strategy, student, teacher, bank)
        take_steps()
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            take_steps()
            seconds.append(time.perf_counter() - began)
        speeds[f"{student} steps/s"] = setting.compact(setting.PENALTY.every / statistics.median(seconds))
    print(json.dumps({**setting.machine(), "batch": setting.BATCH, **speeds}))


def _steps(strategy, student, teacher, bank):
    """A function that takes the steps of one round."""
    import keras
    import setting

    from akdg_tf.training.worker_steps import train_function, worker_batches

    with strategy.scope():
        trainer = setting.make_trainer(student, "akdg_bank", teacher, bank)
        trainer.compile(keras.optimizers.RMSprop(1e-4, rho=0.99, epsilon=1e-16))
    step = train_function(trainer)
    images = setting.random_images()

    def rows(number):
        return images.batch(number, setting.BATCH // strategy.num_replicas_in_sync, seed=0)

    batches = iter(worker_batches(strategy, rows, 0, 10**6))

    def take_steps():
        for _ in range(setting.PENALTY.every):
            logs = step(batches)
        float(next(iter(logs.values())))

    return take_steps


if __name__ == "__main__":
    main()
