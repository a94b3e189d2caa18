"""What a run reports: measures of a generator, and the short table that ends a run."""

import json
import os
import pathlib
import re
import statistics
import time
from collections.abc import Sequence

import tensorflow as tf

from akdg_tf.teachers import Teacher

SPEED_BATCH, SPEED_REPEATS, SPEED_SECONDS = 64, 20, 3.0  # repeated so often, and so long, at least
ROWS = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "file_size", "images_per_second")


def measure(generator: Teacher, metrics: dict[str, dict]) -> dict:
    """Costs, speed and size of a frozen generator.

    Args:
        generator: from a SavedModel.
        metrics: its scores, carried along.

    Returns:
        `describe()`'s counts, "file_size" of the SavedModel in bytes (absent for a callable), "images_per_second" at
        batch 64 on this machine, and "metrics".
    """
    measures = {**generator.describe(), "images_per_second": round(_images_per_second(generator))}
    if generator.folder:
        measures["saved_model"] = os.fspath(generator.folder)
        measures["file_size"] = folder_size(generator.folder)
    return {**measures, "metrics": metrics}


def folder_size(folder: pathlib.Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _images_per_second(generator: Teacher) -> float:
    function = tf.function(generator)
    z = tf.random.stateless_normal((SPEED_BATCH, generator.latent_dim), (0, 0))
    function(z)
    seconds = []
    while len(seconds) < SPEED_REPEATS or sum(seconds) < SPEED_SECONDS:
        start = time.perf_counter()
        function(z).numpy()
        seconds.append(time.perf_counter() - start)
    return SPEED_BATCH / statistics.median(seconds)


def table(result: dict) -> str:
    """Teacher and student side by side, as text."""
    sides = {name: result[name] for name in ("teacher", "student", "classifier") if result.get(name)}
    lines = [("", *sides)]
    for row in ROWS:
        lines.append((row.replace("_", " "), *(f"{side[row]:,}" if row in side else "" for side in sides.values())))
    for metric in result["metrics"]:
        lines.append((metric, *(_number(side["metrics"][metric]) for side in sides.values())))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        line[0].ljust(widths[0]) + "".join(f"  {c:>{w}}" for c, w in zip(line[1:], widths[1:], strict=True))
        for line in lines
    ]
    label = "  SMOKE RUN: the numbers mean nothing" if result["smoke"] else ""
    record = next(iter(result["metrics"].values()))
    rows.append("  ".join(f"{key} {record[key]}" for key in record if key not in ("value", "std", "splits")))
    return "\n".join([f"{result['experiment']}, seed {result['seed']}, {result['steps']} steps{label}", *rows])


def _number(record: dict) -> str:
    spread = f" ({record['std']:.3g})" if "std" in record else ""
    return f"{record['value']:.4g}{spread}"


def finished_runs(experiment: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Finished, real runs of an experiment, `<experiment>` and `<experiment>-seed<k>`, in the order of their seeds."""
    runs = [path for path in folder.glob(f"{experiment}*") if re.sub(r"-seed\d+$", "", path.name) == experiment]
    finished = [run for run in runs if (run / "result.json").exists() and not read_result(run)["smoke"]]
    return sorted(finished, key=lambda run: read_result(run)["seed"])


def read_result(run: pathlib.Path) -> dict:
    """The `result.json` of a run."""
    return json.loads((run / "result.json").read_text())


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation, the mean alone of a single value, "" of none."""
    if not values:
        return ""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"
