"""How numbers are written, and the table that ends a run."""

import statistics
from collections.abc import Sequence

from akdg_tf.artifacts.result import Network, Result, Score

COUNTS = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "file_size")
OF_GENERATORS = ("images_per_second", "latent_dim")
UNKNOWN = "unknown"


def table(result: Result) -> str:
    """What a run ends with, as text: its network beside its teacher, and what defines the first score."""
    networks = [network for network in (result.teacher, result.network) if network]
    rows = [["", *(network.name for network in networks)]]
    for name in counts_of(result):
        rows.append([name.replace("_", " "), *(count(getattr(network, name)) for network in networks)])
    for name in result.network.scores:
        rows.append([name, *(_score(network, name) for network in networks)])
    smoke = "  SMOKE RUN: the numbers mean nothing" if result.smoke else ""
    head = f"{result.experiment}, seed {result.seed}, {result.steps} steps{smoke}"
    definitions = [definition(score, less=("splits",)) for score in result.network.scores.values()][:1]
    return "\n".join([head, *aligned(rows), *definitions])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table as plain text: the first column left, the others right, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        first.ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        for first, *cells in rows
    ]


def counts_of(result: Result) -> tuple[str, ...]:
    """Which fields of its networks are counts: some of a generator mean nothing of a classifier."""
    return COUNTS if result.kind == "classifier" else COUNTS + OF_GENERATORS


def count(value: int | None) -> str:
    """A whole number with separators; "unknown" where there is none."""
    return UNKNOWN if value is None else f"{value:,}"


def number(value: int | float | str) -> str:
    """A value as text: whole numbers with separators, others with four digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else value


def share(part: int | None, whole: int | None) -> str:
    """A count as a share of another, "" where one is unknown or there is nothing to share."""
    return f"{part / whole:.3g}" if part is not None and whole else ""


def definition(score: Score, less: Sequence[str] = ()) -> str:
    """What defines a score, on one line.

    Args:
        score: the score.
        less: names of fields that are left out.
    """
    return ", ".join(f"{key} {number(value)}" for key, value in score.definition().items() if key not in less)


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation, the mean alone of a single value, "" of none."""
    if not values:
        return ""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"


def _score(network: Network, name: str) -> str:
    """A score with its spread, "" of a network that was not scored so."""
    score = network.scores.get(name)
    if score is None:
        return ""
    return f"{score.value:.4g}" + (f" ({score.std:.3g})" if score.std is not None else "")
