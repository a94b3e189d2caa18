"""Tables and pictures of finished runs: python -m akdg_tf.report cifar10 toy_ring toy_grid mnist_mlp mnist_dcgan."""

import pathlib

from akdg_tf.artifacts.result import finished_runs, read_result
from akdg_tf.data import load_dataset
from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.latents import sample_frozen
from akdg_tf.reporting import paper, pictures
from akdg_tf.reporting.tables import mean_and_spread
from akdg_tf.teachers.load import load_teacher

RUNS, ZOO = pathlib.Path("runs"), pathlib.Path("zoo")
METHODS = ("vanilla", "mse", "akdg")
SAMPLES = 2000
TITLE_METRICS = ("modes", "bridges")  # of 2-D points; a grid of images speaks for itself


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
    results = {method: [read_result(run) for run in finished_runs(f"{family}_{method}", folder)] for method in METHODS}
    found = [result for rows in results.values() for result in rows]
    if not found:
        raise UserError(f"no finished run of {family}_vanilla, {family}_mse or {family}_akdg in {folder}")
    metrics = list(found[0]["metrics"])
    teacher = {metric: [found[0]["teacher"]["metrics"][metric]["value"]] for metric in metrics}
    lines = [f"| {family} | seeds | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 2) + "|"]
    lines.append("| teacher | | " + " | ".join(mean_and_spread(teacher[metric]) for metric in metrics) + " |")
    for method, rows in results.items():
        values = {metric: [row["metrics"][metric]["value"] for row in rows] for metric in metrics}
        seeds = ", ".join(str(row["seed"]) for row in rows)
        lines.append(
            f"| {method} | {seeds} | " + " | ".join(mean_and_spread(values[metric]) for metric in metrics) + " |"
        )
    return "\n".join(lines)


def picture(family: str, folder: pathlib.Path, data_dir: str | None):
    """Real samples, the teacher's and each student's side by side, uint8 [height, width, 3]; the lowest seed's runs."""
    runs = {method: finished_runs(f"{family}_{method}", folder)[:1] for method in METHODS}
    runs = {method: found[0] for method, found in runs.items() if found}
    result = read_result(next(iter(runs.values())))
    dataset = load_dataset(next(iter(result["metrics"].values()))["dataset"], data_dir)
    count = SAMPLES if len(dataset.sample_shape) == 1 else 64
    panels = {f"real ({dataset.name})": dataset.reals(count, 0)}
    teacher = result["teacher"]
    panels[_title("teacher", teacher["metrics"])] = sample_frozen(load_teacher(teacher["saved_model"]), count, 0)
    for method, run in runs.items():
        panels[_title(method, read_result(run)["metrics"])] = sample_frozen(load_teacher(str(run)), count, 0)
    return pictures.side_by_side(panels)


def _title(name: str, metrics: dict[str, dict]) -> str:
    """Name of a panel, and below it the scores that its picture shows: those that every panel can be judged by."""
    scores = [f"{metric} {metrics[metric]['value']:.3g}" for metric in TITLE_METRICS if metric in metrics]
    return "\n".join([name, ", ".join(scores)]) if scores else name


def paper_picture(rows: dict[paper.Published, paper.Measured], data_dir: str | None):
    """Each generator's samples, uint8 [height, width, 3]; real ones first where `data_dir` tells where they are."""
    panels = {"real (cifar10)": load_dataset("cifar10", data_dir).reals(64, 0)} if data_dir else {}
    for row, ours in rows.items():
        name, value = ours.fid
        panels[f"{row.label}\n{name} {value:.1f}"] = sample_frozen(load_teacher(str(ours.folder)), 64, 0)
    return pictures.side_by_side(panels, columns=4)


def main(
    families: list[str], folder: pathlib.Path = RUNS, zoo: pathlib.Path = ZOO, data_dir: str | None = None
) -> None:
    """Prints each family's table and writes it with its picture to `runs/report/`.

    Args:
        families: "cifar10", the paper's table, or "<family>" of experiments `<family>_vanilla`, `_mse`, `_akdg`.
        folder: where the runs lie.
        zoo: whose entries stand for what was not run here.
        data_dir: folder with the data, where the datasets read any, to show real samples too.
    """
    (folder / "report").mkdir(parents=True, exist_ok=True)
    for family in families:
        rows = paper.measured_rows(folder, zoo) if family == "cifar10" else None
        text = table(family, folder) if rows is None else paper.table(rows)
        print(text + "\n")
        write_text(folder / "report" / f"{family}.md", text + "\n")
        image = picture(family, folder, data_dir) if rows is None else paper_picture(rows, data_dir)
        pictures.save_png(image, folder / "report" / f"{family}.png")
