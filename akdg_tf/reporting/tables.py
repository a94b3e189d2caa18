"""Numbers as text, and the table that is printed at the end of a run."""

import statistics
from collections.abc import Sequence

from akdg_tf.artifacts.result import Network, Result, Score

COUNTS = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "file_size")
COMPRESSED = "compressed_size"  # shown if it was measured
OF_GENERATORS = ("images_per_second", "latent_dim")
UNKNOWN = "unknown"


def table(result: Result) -> str:
    """The result of a run as text: its network beside its teacher, and what defines the first score."""
    networks = [network for network in (result.teacher, result.network) if network]
    rows = [["", *(network.name for network in networks)]]
    for name in counts_of(result):
        rows.append([name.replace("_", " "), *(count(getattr(network, name)) for network in networks)])
    for name in result.network.scores:
        rows.append([name, *(_score(network, name) for network in networks)])
    smoke = "  SMOKE RUN: the numbers mean nothing" if result.smoke else ""
    head = f"{result.experiment}, seed {result.seed}, {result.steps} steps{smoke}"
    unscored = ["unscored: GeneratorExperiment.evaluations is {}"] if result.unscored else []
    definitions = [definition(score, less=("splits",)) for score in result.network.scores.values()][:1]
    return "\n".join([head, *aligned(rows), *_quantized(result), *definitions, *unscored])


def _quantized(result: Result) -> list[str]:
    """A line with the scores of the quantized `model.tflite`, if there are any."""
    if result.litert is None or not result.litert.scores:
        return []
    scores = ", ".join(f"{name} {score.value:.4g}" for name, score in result.litert.scores.items())
    return [f"model.tflite, weights in {result.litert.weights}: {scores}"]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table as plain text: the first column is left-aligned, the others are right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        first.ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        for first, *cells in rows
    ]


def counts_of(result: Result) -> tuple[str, ...]:
    """The fields of a result's networks to show as counts; some apply only to generators, or are not always known."""
    measured = result.network.compressed_size is not None
    return COUNTS + (COMPRESSED,) * measured + OF_GENERATORS * (result.kind != "classifier")


def count(value: int | None) -> str:
    """An integer with separators; "unknown" for None."""
    return UNKNOWN if value is None else f"{value:,}"


def millions(value: float) -> str:
    """A count in millions, with three digits or more."""
    return f"{value / 1e6:.3g}M" if value < 1e8 else f"{value / 1e6:,.0f}M"


def number(value: int | float | str) -> str:
    """A value as text: integers with separators, floats with four significant digits, strings unchanged."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else value


def share(part: int | None, whole: int | None) -> str:
    """A count divided by another, as text; "" if one is unknown or the second is 0."""
    return f"{part / whole:.3g}" if part is not None and whole else ""


def definition(score: Score, less: Sequence[str] = ()) -> str:
    """What defines a score, on one line.

    Args:
        score: the score.
        less: names of the fields to leave out.
    """
    return ", ".join(f"{key} {number(value)}" for key, value in score.definition().items() if key not in less)


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation; for one value only the value, for none ""."""
    if not values:
        return ""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"


def _score(network: Network, name: str) -> str:
    """A score with its spread in parentheses; "" if the network does not have this score."""
    score = network.scores.get(name)
    if score is None:
        return ""
    return f"{score.value:.4g}" + (f" ({score.std:.3g})" if score.std is not None else "")
