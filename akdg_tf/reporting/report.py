"""Tables and pictures of finished runs: akdg report cifar10 toy_ring toy_grid mnist_mlp mnist_dcgan."""

import logging
import pathlib

from akdg_tf.artifacts.result import Network, Result, finished_runs
from akdg_tf.data import load_dataset
from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.latents import sample_frozen
from akdg_tf.reporting import markdown, paper, pictures
from akdg_tf.reporting.markdown import escape
from akdg_tf.reporting.tables import mean_and_spread
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.load import find_saved_model, load_teacher

logger = logging.getLogger(__name__)

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
    runs = {method: list(finished_runs(f"{family}_{method}", folder).values()) for method in METHODS}
    found = [result for results in runs.values() for result in results]
    if not found:
        raise UserError(f"no finished run of {family}_vanilla, {family}_mse or {family}_akdg in {folder}")
    metrics = list(found[0].network.scores)
    teachers = [result.teacher for result in found if result.teacher][:1]
    rows = [["teacher", "", *_cells(teachers, metrics)]]
    for method, results in runs.items():
        seeds = ", ".join(str(result.seed) for result in results)
        rows.append([method, seeds, *_cells([result.network for result in results], metrics)])
    return "\n".join(markdown.table([escape(family), "seeds", *map(escape, metrics)], rows))


def _cells(networks: list[Network], metrics: list[str]) -> list[str]:
    """Each score over the networks that have it."""
    scores = [[network.scores[metric].value for network in networks if metric in network.scores] for metric in metrics]
    return [mean_and_spread(values) for values in scores]


def picture(family: str, folder: pathlib.Path, zoo: pathlib.Path, data_dir: str | None):
    """Real samples, the teacher's and each student's side by side, uint8 [height, width, 3]; the lowest seed's runs."""
    runs = {method: list(finished_runs(f"{family}_{method}", folder).items())[:1] for method in METHODS}
    firsts: dict[str, tuple[pathlib.Path, Result]] = {method: found[0] for method, found in runs.items() if found}
    _, result = next(iter(firsts.values()))
    dataset = load_dataset(result.dataset, data_dir)
    count = SAMPLES if len(dataset.sample_shape) == 1 else 64
    panels = {f"real ({dataset.name})": dataset.reals(count, 0)}
    if result.teacher:
        teacher = find_teacher(result.teacher.name, folder, zoo)
        if teacher:
            panels[_title("teacher", result.teacher)] = sample_frozen(teacher, count, 0)
    for method, (run, result) in firsts.items():
        panels[_title(method, result.network)] = sample_frozen(load_teacher(str(run)), count, 0)
    return pictures.side_by_side(panels)


def find_teacher(name: str, folder: pathlib.Path, zoo: pathlib.Path) -> FrozenGenerator | None:
    """The teacher of this name among the runs in `folder` or the entries of a zoo, None if it is not there."""
    for place in (folder, zoo):
        if find_saved_model(str(place / name)):
            return load_teacher(str(place / name))
    logger.warning("the teacher %s is neither in %s nor in %s: the picture shows none", name, folder, zoo)
    return None


def _title(name: str, network: Network) -> str:
    """Name of a panel, and below it the scores that its picture shows: those that every panel can be judged by."""
    scores = [f"{metric} {network.scores[metric].value:.3g}" for metric in TITLE_METRICS if metric in network.scores]
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
        image = picture(family, folder, zoo, data_dir) if rows is None else paper_picture(rows, data_dir)
        pictures.save_png(image, folder / "report" / f"{family}.png")
