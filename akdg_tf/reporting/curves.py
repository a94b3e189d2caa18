"""Scores against steps, from the `curve.jsonl` of runs: one line per method, over its seeds."""

import json
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from akdg_tf.reporting import pictures

Runs = Mapping[str, Sequence[pathlib.Path]]  # the run folders of all seeds, by method


def read(run: pathlib.Path) -> list[dict[str, float]]:
    """The lines of a run's curve: the step and the scores by name; [] if the run has no curve."""
    path = run / "curve.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def over_seeds(runs: Sequence[pathlib.Path], metric: str) -> dict[int, list[float]]:
    """The values of a score at each step, one per run that has it there."""
    found: dict[int, list[float]] = {}
    for run in runs:
        for line in read(run):
            if metric in line:
                found.setdefault(int(line["step"]), []).append(line[metric])
    return dict(sorted(found.items()))


def picture(panels: Mapping[str, Runs]) -> np.ndarray | None:
    """One column per panel, one row per Frechet distance, or per score if there is none.

    A line is the mean over the seeds; the band around it reaches from the smallest to the largest value.

    Args:
        panels: the runs of each panel, by its title.

    Returns:
        uint8 [height, width, 3]; None if no run has a curve.
    """
    runs = [run for methods in panels.values() for found in methods.values() for run in found]
    names = dict.fromkeys(name for run in runs for line in read(run) for name in line if name != "step")
    metrics = [name for name in names if name.startswith("fid")] or list(names)
    if not metrics:
        return None
    canvas = pictures.new_canvas((5 * len(panels), 3.6 * len(metrics)))
    axes = canvas.figure.subplots(len(metrics), len(panels), squeeze=False)
    for row, metric in zip(axes, metrics, strict=True):
        for axis, (title, methods) in zip(row, panels.items(), strict=True):
            for method, found in methods.items():
                values = over_seeds(found, metric)
                if not values:
                    continue
                line = [sum(each) / len(each) for each in values.values()]
                (drawn,) = axis.plot(list(values), line, label=method)
                low, high = ([bound(each) for each in values.values()] for bound in (min, max))
                axis.fill_between(list(values), low, high, color=drawn.get_color(), alpha=0.2, linewidth=0)
            axis.set(title=title, xlabel="steps", ylabel=metric)
            axis.legend()
    return pictures.drawn(canvas)
