"""Tables: the one that ends a run, and how numbers are written."""

import statistics
from collections.abc import Sequence

ROWS = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "file_size", "images_per_second")


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


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation, the mean alone of a single value, "" of none."""
    if not values:
        return ""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"
