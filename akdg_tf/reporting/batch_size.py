"""The batch-size study: FIDs of AKDG and of the vanilla method against the batch size, for `akdg report batch_size`."""

import functools
import pathlib
import statistics
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from akdg_tf.reporting import embedding, markdown, pictures
from akdg_tf.reporting.comparison import bare, scoring
from akdg_tf.reporting.markdown import escape
from akdg_tf.reporting.page import Page
from akdg_tf.reporting.study import METHODS, Trained, comparisons, study
from akdg_tf.reporting.tables import mean_and_spread


def metrics_of(runs: Sequence[Trained]) -> list[str]:
    """Names of the FIDs of a family's runs, which all have the same."""
    return [name for name in runs[0].result.network.scores if bare(name) == "fid"]


def values(runs: Sequence[Trained], metric: str) -> list[float]:
    """A score of each run."""
    return [run.result.network.scores[metric].value for run in runs]


def table(family: str, runs: Sequence[Trained]) -> str:
    """The FIDs of a family: one table per comparison, in Markdown, then the runs in neither, and what defines the FIDs.

    Raises:
        UserError: see `comparisons`.
    """
    metrics, compared = metrics_of(runs), comparisons(runs)
    head = ["batch size", "method", "steps", "images seen", "seeds", *map(escape, metrics)]
    lines = [f"{escape(family)}: mean ± sample standard deviation over the seeds."]
    for title, points in compared.items():
        rows = [_row(found, metrics) for found in points.values()]
        lines += ["", f"At {title}:", "", *markdown.table(head, rows, "rlrrl" + "r" * len(metrics))]
    shown = {run.folder for points in compared.values() for found in points.values() for run in found}
    others = [run.folder.name for run in runs if run.folder not in shown]
    lines += ["", f"In neither table: {escape(', '.join(others))}."] if others else []
    return "\n".join([*lines, "", f"{escape(scoring(runs[0].result))}."])


def _row(runs: Sequence[Trained], metrics: Sequence[str]) -> list[str]:
    """The cells of runs that differ in their seed alone."""
    first, seeds = runs[0], ", ".join(str(run.result.seed) for run in runs)
    scores = [mean_and_spread(values(runs, metric)) for metric in metrics]
    return [str(first.batch), first.method, f"{first.steps:,}", f"{first.images:,}", seeds, *scores]


def picture(runs: Sequence[Trained]) -> np.ndarray:
    """The FIDs of a family against the batch size, on logarithmic axes: a column per comparison, a row per FID.

    A point is the mean over the seeds, its bar the sample standard deviation.

    Returns:
        uint8 [height, width, 3].
    """
    metrics, columns = metrics_of(runs), comparisons(runs)
    canvas = pictures.new_canvas((5 * len(columns), 3.6 * len(metrics)))
    axes = canvas.figure.subplots(len(metrics), len(columns), squeeze=False, sharey="row")
    for row, metric in zip(axes, metrics, strict=True):
        for axis, (title, points) in zip(row, columns.items(), strict=True):
            _draw(axis, {point: values(found, metric) for point, found in points.items()})
            axis.set(title=f"at {title}", xlabel="batch size", ylabel=metric)
    return pictures.drawn(canvas)


def _draw(axis, points: Mapping[tuple[int, str], Sequence[float]]) -> None:
    """Draws one line per method through the values of its batch sizes."""
    from matplotlib.ticker import LogFormatter  # see `pictures.new_canvas`

    for method in METHODS:
        found = {batch: each for (batch, of), each in points.items() if of == method}
        means = [statistics.mean(each) for each in found.values()]
        spreads = [statistics.stdev(each) if len(each) > 1 else 0.0 for each in found.values()]
        axis.errorbar(list(found), means, spreads, label=method, marker="o", capsize=3)
    batches = sorted({batch for batch, _ in points})
    axis.set(xscale="log", yscale="log")
    axis.set_xticks(batches, map(str, batches))
    axis.xaxis.minorticks_off()
    axis.yaxis.set(major_formatter=LogFormatter(), minor_formatter=LogFormatter(minor_thresholds=(2, 0.5)))
    axis.legend()


def embedded(runs: Sequence[Trained]) -> dict[str, pathlib.Path]:
    """The runs of the embedding by title: each method at the smallest and the largest batch size, with its first seed.

    They are those that saw an equal number of images.
    """
    points, _ = comparisons(runs).values()
    batches = [batch for batch, _ in points]
    ends = dict.fromkeys((min(batches), max(batches)))
    chosen = [(method, batch) for method in METHODS for batch in ends if (batch, method) in points]
    return {f"{method}, batch size {batch}": points[batch, method][0].folder for method, batch in chosen}


def pages(folder: pathlib.Path, data_dir: str | None) -> Iterator[Page]:
    """The FIDs of each family; after them, because they need the data and take minutes, the embeddings.

    Args:
        folder: folder of the study's run folders.
        data_dir: folder with the data, for datasets that read files.

    Raises:
        UserError: see `study`, `comparisons` and `embedding.page`.
    """
    families = study(folder)
    for family, runs in families.items():
        name = f"batch_size_{family}"
        yield Page(name, table(family, runs), {name: functools.partial(picture, runs)})
    for family, runs in families.items():
        yield embedding.page(f"batch_size_{family}_embedding", embedded(runs), data_dir)
