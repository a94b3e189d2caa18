"""Where the time of a training step goes: python benchmarks/profile_step.py --student mlp --method akdg_bank.

Writes a TensorBoard profile of 10 steps (`tensorboard --logdir LOGDIR`), and prints the operations that took the most
time. Requires the extra `profile`.
"""

import argparse
import collections
import glob
import json
import tempfile

import setting
import tensorflow as tf
from xprof.convert import raw_to_tool_data

STEPS = 10


def record(steps, logdir: str) -> str:
    """Profiles a call of `steps`, after a call to warm up; returns the path of the trace."""
    steps()
    tf.profiler.experimental.start(logdir)
    steps()
    tf.profiler.experimental.stop()
    (path,) = glob.glob(f"{logdir}/**/*.xplane.pb", recursive=True)
    return path


def top_operations(trace: str, count: int) -> list[tuple[str, float]]:
    """The `count` types of operations that took the most time, with their self time in ms, summed over all threads."""
    data, _ = raw_to_tool_data.xspace_to_tool_data([trace], "framework_op_stats", {})
    table = json.loads(data)[0]
    columns = {column["id"]: i for i, column in enumerate(table["cols"])}
    rows = [[cell["v"] for cell in row["c"]] for row in table["rows"]]
    totals = collections.Counter()
    for row in rows:
        totals[row[columns["type"]]] += row[columns["total_self_time"]] / 1e3
    return [(name, time) for name, time in totals.most_common() if name != "IDLE"][:count]


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--student", default="mlp", choices=[*setting.STUDENTS, setting.TEACHER])
    parser.add_argument("--method", default="akdg_bank", choices=setting.METHODS)
    parser.add_argument("--dtype_policy", default="float32")
    parser.add_argument("--logdir", default=None, help="default: a temporary folder")
    parser.add_argument("--top", type=int, default=12)
    arguments = parser.parse_args()
    (steps,) = setting.training_steps(
        [arguments.student], [arguments.method], STEPS, dtype_policy=arguments.dtype_policy
    ).values()
    with tempfile.TemporaryDirectory() as folder:
        operations = top_operations(record(steps, arguments.logdir or folder), arguments.top)
    print(f"| operation | thread ms per step: {arguments.student}, {arguments.method} |\n|---|---|")
    for name, time in operations:
        print(f"| {name} | {time / STEPS:.2f} |")


if __name__ == "__main__":
    main()
