"""The paper's CIFAR-10 table (Tsunashima et al. 2020, table I) beside the numbers of our runs or of the zoo."""

import dataclasses
import pathlib
import statistics

from akdg_tf.artifacts.result import Result, finished_runs
from akdg_tf.errors import UserError
from akdg_tf.reporting import markdown
from akdg_tf.reporting.comparison import bare, check_fid, check_seeds, scoring, training
from akdg_tf.reporting.markdown import escape
from akdg_tf.reporting.tables import UNKNOWN, mean_and_spread, millions
from akdg_tf.zoo.entries import Entry

# Ends of the names of runs: in full, for hours on CPUs (with or without gin/spectral.gin), for minutes.
BUDGETS = ("", "-cpu_hours-spectral", "-cpu_hours", "-budget_cpu")
SHOWN = ("is", "fid", "kid", "precision", "recall")  # over the first classifier
SHOWN_BESIDE = ("fid", "kid")  # over every other one
FOOTNOTE = (
    "¹ The paper's 793M is exactly the count for one 3x3 convolution of 256 channels per residual block. The SNGAN "
    "generator has two, and costs 1,593M. Against that, the DCGAN's mult-adds are {dcgan} and the MLP's {mlp}."
)
HONEST_TEACHER, DCGAN, MLP = 1_593_049_088, 229_310_464, 2_162_688  # mult-adds, counted by `models.counting`


@dataclasses.dataclass(frozen=True)
class Published:
    """A row of the paper.

    Attributes:
        label: name of the row in our table.
        experiments: names of our experiments for this row: the paper's own, then those that are scaled down.
        layers, params, mult_adds: as printed in the paper, in units.
        inception_score, fid: as printed in the paper, over Inception.
    """

    label: str
    experiments: tuple[str, ...]
    layers: int
    params: float
    mult_adds: float
    inception_score: float
    fid: float


def _student(network: str, method: str, layers: int, *numbers: float) -> Published:
    experiment = f"cifar10_{network}_{method}".lower()
    return Published(f"{network} {method}", _scaled(experiment), layers, *numbers)


def _scaled(experiment: str) -> tuple[str, ...]:
    return tuple(experiment + budget for budget in BUDGETS)


TEACHER = Published(
    "teacher (SNGAN)",
    (*_scaled("cifar10_sngan_teacher"), "cifar10_sngan_teacher_cpu"),
    8,
    4.1e6,
    793e6,
    8.49,
    16.50,
)
CIFAR10 = (
    TEACHER,
    _student("DCGAN", "vanilla", 5, 2.6e6, 229e6, 6.86, 31.58),
    _student("DCGAN", "MSE", 5, 2.6e6, 229e6, 6.45, 40.06),
    _student("DCGAN", "AKDG", 5, 2.6e6, 229e6, 7.05, 29.52),
    _student("MLP", "vanilla", 4, 2.2e6, 2.2e6, 4.66, 61.30),
    _student("MLP", "MSE", 4, 2.2e6, 2.2e6, 3.97, 108.92),
    _student("MLP", "AKDG", 4, 2.2e6, 2.2e6, 5.14, 53.73),
)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Our measurements for one row, over its seeds.

    Attributes:
        name: name of the experiment or of the zoo entry.
        folders: the run folders in the order of the seeds, or the entry alone.
        result: the result of the first seed.
        values: one value per seed, by metric; {} if the runs are unscored.
        seeds: the seeds, in the order of the values.
    """

    name: str
    folders: tuple[pathlib.Path, ...]
    result: Result
    values: dict[str, tuple[float, ...]]
    seeds: tuple[int, ...]

    @property
    def fids(self) -> dict[str, float]:
        """Mean over the seeds of each Frechet distance, by its name, which includes its classifier."""
        return {name: statistics.mean(values) for name, values in self.values.items() if bare(name) == "fid"}


def measured(row: Published, runs: pathlib.Path, zoo: pathlib.Path) -> Measured | None:
    """Our numbers for a row: from its finished runs, otherwise from its zoo entry. The paper's own experiment is first.

    Args:
        row: the row of the paper.
        runs: folder of the run folders.
        zoo: folder of the zoo.

    Returns:
        The measurements, None if there are no runs and no entry.

    Raises:
        UserError: the runs of a row differ in how they were trained or scored, two have the same seed, or one that is
            not unscored lacks a FID.
    """
    for name in row.experiments:
        found = finished_runs(name, runs)
        if found:
            return _of_runs(name, found)
    for name in row.experiments:
        if (zoo / name / "metrics.json").exists():
            return _of_entry(Entry(zoo / name))
    return None


def _of_runs(name: str, found: dict[pathlib.Path, Result]) -> Measured:
    for run, result in found.items():
        check_fid(result, run)
    results, seeds = list(found.values()), tuple(result.seed for result in found.values())
    check_seeds(found)
    metrics = [metric for metric in results[0].network.scores if all(metric in one.network.scores for one in results)]
    values = {metric: tuple(result.network.scores[metric].value for result in results) for metric in metrics}
    return Measured(name, tuple(found), results[0], values, seeds)


def _of_entry(entry: Entry) -> Measured:
    check_fid(entry.result, entry.folder)
    over = entry.result.scores_over_seeds()
    seeds = max((one.seeds for one in over.values()), key=len, default=(entry.result.seed,))
    values = {metric: one.values for metric, one in over.items()}
    return Measured(entry.name, (entry.folder,), entry.result, values, seeds)


def measured_rows(runs: pathlib.Path, zoo: pathlib.Path) -> dict[Published, Measured]:
    """Our numbers for each row of the paper for which there are any.

    Raises:
        UserError: there are none, or see `measured`.
    """
    found = {row: measured(row, runs, zoo) for row in CIFAR10}
    if not any(found.values()):
        raise UserError(f"there is no finished CIFAR-10 run in {runs}, and no CIFAR-10 entry in {zoo}: run one first")
    return {row: ours for row, ours in found.items() if ours}


def table(found: dict[Published, Measured]) -> str:
    """The table in Markdown, followed by what defines its numbers. Rows without measurements have empty cells."""
    metrics = _metrics(found)
    heads = ["", "layers", *(f"paper: {head}" for head in ("params", "mult-adds", "IS", "FID"))]
    heads += ["ours: params", "ours: mult-adds", *(escape(f"ours: {metric}") for metric in metrics), "seeds"]
    rows = [[*_paper_cells(row), *_our_cells(found.get(row), found.get(TEACHER), metrics)] for row in CIFAR10]
    lines = markdown.table(heads, rows, "l" + "r" * (len(heads) - 1))
    footnote = FOOTNOTE.format(dcgan=_change(DCGAN, HONEST_TEACHER), mlp=_change(MLP, HONEST_TEACHER))
    return "\n".join([*lines, "", *_gains(found), "", *_definitions(found), "", footnote])


def _metrics(found: dict[Published, Measured]) -> list[str]:
    """The scores to show, by name: all of the first classifier, some of each other one."""
    names = dict.fromkeys(name for ours in found.values() for name in ours.values)
    suffixes = list(dict.fromkeys(name.removeprefix(bare(name)) for name in names))
    beside = [metric + suffix for suffix in suffixes[1:] for metric in SHOWN_BESIDE if metric + suffix in names]
    return [*(metric + suffix for suffix in suffixes[:1] for metric in SHOWN), *beside]


def _paper_cells(row: Published) -> list[str]:
    mark = "¹" if row is TEACHER else ""
    costs = [_count(row.params, TEACHER.params), _count(row.mult_adds, TEACHER.mult_adds) + mark]
    return [row.label, str(row.layers), *costs, f"{row.inception_score:.2f}", f"{row.fid:.2f}"]


def _our_cells(ours: Measured | None, teacher: Measured | None, metrics: list[str]) -> list[str]:
    if ours is None:
        return [""] * (len(metrics) + 3)
    costs = []
    for key in ("params", "mult_adds"):
        value = getattr(ours.result.network, key)
        costs.append(_count(value, getattr(teacher.result.network, key) if teacher else value))
    scores = (mean_and_spread(ours.values.get(metric, ())) for metric in metrics)
    return [*costs, *scores, ", ".join(map(str, ours.seeds))]


def _gains(found: dict[Published, Measured]) -> list[str]:
    """Relative change of each FID from vanilla to AKDG, in the paper and in our runs."""
    lines = []
    for network in ("DCGAN", "MLP"):
        akdg, vanilla = (row for method in ("AKDG", "vanilla") for row in CIFAR10 if row.label == f"{network} {method}")
        line = f"FID of {network} AKDG against vanilla: paper {_change(akdg.fid, vanilla.fid)}"
        if akdg in found and vanilla in found and scoring(found[akdg].result) == scoring(found[vanilla].result):
            for name, value in found[akdg].fids.items():
                ours = escape(name.replace("fid", "ours"))
                line += f", {ours} {_change(value, found[vanilla].fids[name])}"
        lines.append(f"{line}.")
    return lines


def _definitions(found: dict[Published, Measured]) -> list[str]:
    """What defines our numbers: one line for all rows with the same definition."""
    groups: dict[str, list[str]] = {}
    for row, ours in found.items():
        groups.setdefault(f"{scoring(ours.result)}; {training(ours.result)}", []).append(row.label)
    return [f"Ours, {', '.join(labels)}: {escape(text)}." for text, labels in groups.items()]


def _count(value: float | None, reference: float | None) -> str:
    """A count in millions, with its relative change from the reference; "unknown" for None."""
    if value is None:
        return UNKNOWN
    shown = millions(value)
    return shown if value == reference or not reference else f"{shown} ({_change(value, reference)})"


def _change(value: float, reference: float) -> str:
    """Relative change of a value from its reference, in percent: "-12.3 %"."""
    return f"{100.0 * (value - reference) / reference:+.1f} %"
