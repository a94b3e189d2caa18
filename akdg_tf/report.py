"""Tables and pictures of finished runs: python -m akdg_tf.report toy_ring toy_grid mnist_mlp mnist_dcgan."""

import json
import pathlib
import statistics
import sys
from collections.abc import Sequence

from akdg_tf import pictures
from akdg_tf.data import load_dataset
from akdg_tf.errors import UserError
from akdg_tf.latents import sample_frozen
from akdg_tf.teachers import load_teacher

METHODS = ("vanilla", "mse", "akdg")
SAMPLES = 2000
TITLE_METRICS = ("modes", "bridges")  # of 2-D points; a grid of images speaks for itself


def finished_runs(experiment: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Finished, real runs of an experiment, `<experiment>` and `<experiment>-seed<k>`, in the order of their seeds."""
    runs = [path for path in folder.glob(f"{experiment}*") if path.name.split("-seed")[0] == experiment]
    finished = [run for run in runs if (run / "result.json").exists() and not read(run)["smoke"]]
    return sorted(finished, key=lambda run: read(run)["seed"])


def read(run: pathlib.Path) -> dict:
    """The `result.json` of a run."""
    return json.loads((run / "result.json").read_text())


def table(family: str, folder: pathlib.Path) -> str:
    """Markdown: a row for the teacher and for each method; mean ± sample standard deviation over the seeds found.

    Args:
        family: experiments `<family>_vanilla`, `<family>_mse`, `<family>_akdg`.
        folder: where the runs lie.

    Returns:
        The table; a method without a finished run has empty cells.

    Raises:
        UserError: there is no finished run at all.
    """
    results = {method: [read(run) for run in finished_runs(f"{family}_{method}", folder)] for method in METHODS}
    found = [result for rows in results.values() for result in rows]
    if not found:
        raise UserError(f"no finished run of {family}_vanilla, {family}_mse or {family}_akdg in {folder}")
    metrics = list(found[0]["metrics"])
    teacher = {metric: [found[0]["teacher"]["metrics"][metric]["value"]] for metric in metrics}
    lines = [f"| {family} | seeds | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 2) + "|"]
    lines.append("| teacher | | " + " | ".join(_cell(teacher[metric]) for metric in metrics) + " |")
    for method, rows in results.items():
        values = {metric: [row["metrics"][metric]["value"] for row in rows] for metric in metrics}
        seeds = ", ".join(str(row["seed"]) for row in rows)
        lines.append(f"| {method} | {seeds} | " + " | ".join(_cell(values[metric]) for metric in metrics) + " |")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"


def picture(family: str, folder: pathlib.Path):
    """Real samples, the teacher's and each student's side by side, uint8 [height, width, 3]; the lowest seed's runs."""
    runs = {method: finished_runs(f"{family}_{method}", folder)[:1] for method in METHODS}
    runs = {method: found[0] for method, found in runs.items() if found}
    result = read(next(iter(runs.values())))
    dataset = load_dataset(next(iter(result["metrics"].values()))["dataset"])
    count = SAMPLES if len(dataset.sample_shape) == 1 else 64
    panels = {f"real ({dataset.name})": dataset.reals(count, 0)}
    teacher = result["teacher"]
    panels[_title("teacher", teacher["metrics"])] = sample_frozen(load_teacher(teacher["saved_model"]), count, 0)
    for method, run in runs.items():
        panels[_title(method, read(run)["metrics"])] = sample_frozen(load_teacher(str(run)), count, 0)
    return pictures.side_by_side(panels)


def _title(name: str, metrics: dict[str, dict]) -> str:
    """Name of a panel, and below it the scores that its picture shows: those that every panel can be judged by."""
    scores = [f"{metric} {metrics[metric]['value']:.3g}" for metric in TITLE_METRICS if metric in metrics]
    return "\n".join([name, ", ".join(scores)]) if scores else name


def main(families: Sequence[str], folder: pathlib.Path = pathlib.Path("runs")) -> None:
    """Prints each family's table and writes it with its picture to `runs/report/`."""
    (folder / "report").mkdir(parents=True, exist_ok=True)
    for family in families:
        text = table(family, folder)
        print(text + "\n")
        (folder / "report" / f"{family}.md").write_text(text + "\n")
        pictures.save_png(picture(family, folder), folder / "report" / f"{family}.png")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(f"report: {error}", file=sys.stderr)
        sys.exit(2)
