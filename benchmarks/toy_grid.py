"""Searches a setting of the 2-D grid where AKDG finds modes that vanilla misses: python benchmarks/toy_grid.py.

One change at a time of the base below, ten seeds each, both methods. Each run is that of `gin/toy_grid_<method>.gin`
with the bindings of its setting; with one thread it takes 10 seconds to 3 minutes. Finished runs in
runs/toy_grid_search/ are not repeated. Prints a Markdown table.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import contextlib
import io
import json
import multiprocessing
import pathlib
import statistics
import subprocess
import sys

SEEDS = 10
RUNS = pathlib.Path("runs", "toy_grid_search")
MODES = 25
BASE = {
    "STEPS": 4000,
    "Schedule.batch_size": 128,
    "MLPGenerator.width": 32,
    "GeneratorExperiment.curve": "{'curve': @PointScores()}",
    "Schedule.curve_every": "%STEPS",
    "GeneratorExperiment.exports": "()",
    "load_teacher.name": "'runs/toy_grid_teacher'",
}
HEADS = ("change of the base", "vanilla: mean of modes", "by seed", "AKDG: mean of modes", "by seed")
DISTILLATION_ONLY = ("lambda", "width of D_KD", "teacher")  # changes that do not concern vanilla
POOR_TEACHER = RUNS / "teacher"


def width_of_d_kd(width: int) -> dict[str, object]:
    """Bindings that change only D_KD."""
    return {"AKDG.distillation_discriminator": "@kd/MLPDiscriminator()", "kd/MLPDiscriminator.width": width}


CHANGES: dict[str, dict[str, object]] = {
    "base": {},
    "student of 16 units": {"MLPGenerator.width": 16},
    "student of 64 units": {"MLPGenerator.width": 64},
    "batch 32": {"Schedule.batch_size": 32},
    "batch 512": {"Schedule.batch_size": 512},
    "2,000 steps": {"STEPS": 2000},
    "16,000 steps": {"STEPS": 16000},
    "R1 gamma 0.1": {"R1Penalty.gamma": 0.1},
    "discriminators of 32 units": {"MLPDiscriminator.width": 32},
    "lambda 0.3": {"AKDG.distillation_weight": 0.3},
    "lambda 3": {"AKDG.distillation_weight": 3.0},
    "width of D_KD: 32": width_of_d_kd(32),
    "width of D_KD: 256": width_of_d_kd(256),
    "teacher of 1,000 steps": {"load_teacher.name": f"'{POOR_TEACHER}'"},
}


def concerns_vanilla(change: str) -> bool:
    """Whether the change has an effect on vanilla."""
    return not change.startswith(DISTILLATION_ONLY)


def train(task: tuple[str, str, int]) -> None:
    """Trains and scores one run, unless it is there.

    Args:
        task: change, method, seed.
    """
    change, method, seed = task
    workdir = folder(change, method, seed)
    bindings = RUNS / f"{workdir.name}.gin"
    text = "".join(f"{name} = {value}\n" for name, value in (BASE | CHANGES[change]).items())
    if modes(workdir) is not None and bindings.exists() and bindings.read_text() == text:
        return
    import gin
    import tensorflow as tf

    from akdg_tf.training import config, devices
    from akdg_tf.training.workdir import Run

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    strategy = devices.make_strategy("cpu")
    bindings.write_text(text)
    files = [f"gin/toy_grid_{method}.gin", str(bindings)]
    config.parse(files, [])
    with strategy.scope():
        experiment = config.build(Run(workdir, f"toy_grid_{method}", gin.config_str(), seed=seed))
    with contextlib.redirect_stderr(io.StringIO()):
        experiment.prepare_data(evaluating=True)
        experiment.prepare(training=True)
        with experiment.run.claim():
            experiment.train()


def teach(workdir: pathlib.Path, *arguments: str) -> None:
    """Trains a teacher, unless it is there."""
    if not (workdir / "result.json").exists():
        command = [sys.executable, "run.py", "--gin_file=gin/toy_grid_teacher.gin", f"--workdir={workdir}", *arguments]
        subprocess.run(command, check=True)


def folder(change: str, method: str, seed: int) -> pathlib.Path:
    """The run folder."""
    name = "".join(letter if letter.isalnum() else "_" for letter in change)
    return RUNS / f"{name}-{method}-seed{seed}"


def modes(workdir: pathlib.Path) -> int | None:
    """The number of modes that a finished run finds, None if the run is not finished."""
    curve = workdir / "curve.jsonl"
    lines = curve.read_text().splitlines() if curve.exists() else []
    return int(json.loads(lines[-1])["modes"]) if lines else None


def cells(change: str, method: str, seeds: range) -> list[str]:
    """Mean of the modes found, their number by seed."""
    found = [modes(folder(change, method, seed)) for seed in seeds]
    return [f"{statistics.mean(found):.1f}", " ".join(map(str, found))]


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--first_seed", type=int, default=0, help="of the ten")
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + SEEDS)
    RUNS.mkdir(parents=True, exist_ok=True)
    teach(pathlib.Path("runs", "toy_grid_teacher"))
    teach(POOR_TEACHER, "--gin_param=STEPS=1000")
    methods = {change: ["akdg", "vanilla"][: 1 + concerns_vanilla(change)] for change in arguments.changes}
    tasks = [(change, method, seed) for change in arguments.changes for method in methods[change] for seed in seeds]
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        for done, _ in enumerate(pool.imap_unordered(train, tasks), 1):
            print(f"{done} of {len(tasks)} runs", end="\r", flush=True)
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for change in arguments.changes:
        vanilla = cells(change if concerns_vanilla(change) else "base", "vanilla", seeds)
        print(f"| {' | '.join([change, *vanilla, *cells(change, 'akdg', seeds)])} |")


if __name__ == "__main__":
    main()
