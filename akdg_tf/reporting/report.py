"""Tables and pictures of finished runs, for `akdg report`."""

import functools
import logging
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np

from akdg_tf.artifacts.result import Network, Result, finished_runs
from akdg_tf.data import absent, load_dataset, reads_folder
from akdg_tf.data import teacher as teacher_data
from akdg_tf.errors import UserError
from akdg_tf.places import find_saved_model
from akdg_tf.reporting import batch_size, curves, markdown, paper, pareto, pictures
from akdg_tf.reporting.comparison import check_alike, check_seeds
from akdg_tf.reporting.markdown import escape
from akdg_tf.reporting.page import Page
from akdg_tf.reporting.tables import mean_and_spread
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.sources import Teacher
from akdg_tf.zoo.entries import default_zoo

logger = logging.getLogger(__name__)

RUNS = pathlib.Path("runs")
METHODS = ("vanilla", "mse", "lit", "akdg", "lit_akdg")  # the last: LIT, then AKDG
SHOWN = ("vanilla", "mse", "akdg")  # methods with a row in every table
SAMPLES = 2000
TITLE_METRICS = ("modes", "bridges")  # scores of 2-D points in the titles; pictures of images show none


def table(family: str, folder: pathlib.Path) -> str:
    """The scores of a family, as the mean ± the sample standard deviation over all finished seeds.

    Args:
        family: experiments `<family>_vanilla`, `<family>_mse`, `<family>_akdg`, `<family>_lit`, `<family>_lit_akdg`.
        folder: folder of the run folders.

    Returns:
        A table in Markdown, with one row for the teacher and one per method. Without a finished run, a method has empty
        cells, and LIT no row.

    Raises:
        UserError: there is no finished run, or there are runs that cannot be averaged or compared.
    """
    runs = {method: _comparable(f"{family}_{method}", folder) for method in METHODS}
    found = {path: result for results in runs.values() for path, result in results.items()}
    if not found:
        names = ", ".join(f"{family}_{method}" for method in SHOWN)
        raise UserError(f"{folder} holds no finished run of {names}: run one of them first")
    check_alike(found)
    metrics = list(dict.fromkeys(metric for result in found.values() for metric in result.network.scores))
    teachers = [result.teacher for result in found.values() if result.teacher][:1]
    rows = [["teacher", "", *_cells(teachers, metrics)]]
    for method, by_folder in runs.items():
        results = list(by_folder.values())
        if not results and method not in SHOWN:
            continue
        seeds = ", ".join(str(result.seed) for result in results)
        label = method + ", unscored" * (bool(results) and all(result.unscored for result in results))
        rows.append([label, seeds, *_cells([result.network for result in results], metrics)])
    return "\n".join(markdown.table([escape(family), "seeds", *map(escape, metrics)], rows))


def _comparable(experiment: str, folder: pathlib.Path) -> dict[pathlib.Path, Result]:
    """The finished runs of an experiment, which differ in their seed alone.

    Raises:
        UserError: they differ in more, or one is a run of another experiment.
    """
    found = finished_runs(experiment, folder)
    for path, result in found.items():
        if result.experiment != experiment:
            raise UserError(f"{path} is a run of {result.experiment!r}, not of {experiment!r}: rename it")
    check_seeds(found)
    return found


def _cells(networks: list[Network], metrics: list[str]) -> list[str]:
    """One cell per metric, over the networks that have this score."""
    scores = [[network.scores[metric].value for network in networks if metric in network.scores] for metric in metrics]
    return [mean_and_spread(values) for values in scores]


def picture(family: str, folder: pathlib.Path, zoo: pathlib.Path, data_dir: str | None):
    """Samples of the data, the teacher and each method's run with the lowest seed, uint8 [height, width, 3]."""
    runs = {method: list(finished_runs(f"{family}_{method}", folder).items())[:1] for method in METHODS}
    firsts: dict[str, tuple[pathlib.Path, Result]] = {method: found[0] for method, found in runs.items() if found}
    generators = {method: load_teacher(str(run)) for method, (run, _) in firsts.items()}
    shape = next(iter(generators.values())).sample_shape
    count = SAMPLES if len(shape) == 1 else 64
    panels = _reals([result for _, result in firsts.values()], count, data_dir, shape)
    _, result = next(iter(firsts.values()))
    if result.teacher:
        teacher = find_teacher(result.teacher.name, folder, zoo)
        if teacher:
            panels[_title("teacher", result.teacher)] = teacher.samples(count, 0)
    for method, (_, result) in firsts.items():
        panels[_title(method, result.network)] = generators[method].samples(count, 0)
    return pictures.side_by_side(panels)


def _reals(found: list[Result], count: int, data_dir: str | None, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Real samples of the first run that read any, by their title; {} if none did.

    Args:
        found: the results of the runs.
        count: number of samples.
        data_dir: folder with the data. None: a dataset that reads files is not shown.
        shape: of a sample. A dataset that can resize its images brings them to it.
    """
    names = [result.dataset for result in found if result.dataset not in (absent.NAME, teacher_data.NAME)]
    shown = [name for name in names[:1] if data_dir is not None or not reads_folder(name)]
    return {f"real ({name})": load_dataset(name, data_dir, shape).reals(count, 0) for name in shown}


def find_teacher(name: str, folder: pathlib.Path, zoo: pathlib.Path) -> Teacher | None:
    """The teacher of this name among the runs in `folder` or the entries of a zoo, None if it is in neither."""
    for place in (folder, zoo):
        if find_saved_model(str(place / name)):
            return load_teacher(str(place / name))
    logger.warning("the teacher %s is neither in %s nor in %s: the picture leaves it out", name, folder, zoo)
    return None


def _title(name: str, network: Network) -> str:
    """Title of a panel: the name, and below it the scores in `TITLE_METRICS` if it has them."""
    scores = [f"{metric} {network.scores[metric].value:.3g}" for metric in TITLE_METRICS if metric in network.scores]
    return "\n".join([name, ", ".join(scores)]) if scores else name


def paper_picture(rows: dict[paper.Published, paper.Measured], data_dir: str | None):
    """Samples of each generator, uint8 [height, width, 3]; real samples come first if `data_dir` is given."""
    panels = {"real (cifar10)": load_dataset("cifar10", data_dir).reals(64, 0)} if data_dir else {}
    for row, ours in rows.items():
        fids = "\n".join(f"{name} {value:.1f}" for name, value in ours.fids.items())
        panels[f"{row.label}\n{fids}"] = load_teacher(str(ours.folders[0])).samples(64, 0)
    return pictures.side_by_side(panels, columns=4)


def family_curves(family: str, folder: pathlib.Path) -> Mapping[str, curves.Runs]:
    """The finished runs of a family, by method."""
    return {family: {method: list(finished_runs(f"{family}_{method}", folder)) for method in METHODS}}


def paper_curves(rows: Mapping[paper.Published, paper.Measured]) -> Mapping[str, curves.Runs]:
    """The runs of the paper's students, by network and method."""
    panels: dict[str, dict[str, tuple[pathlib.Path, ...]]] = {}
    for row, ours in rows.items():
        network, _, method = row.label.partition(" ")
        if row is not paper.TEACHER:
            panels.setdefault(network, {})[method] = ours.folders
    return panels


def family_pages(family: str, folder: pathlib.Path, zoo: pathlib.Path, data_dir: str | None) -> list[Page]:
    """The page of a family: its table, its samples and its curves."""
    drawn = {
        family: lambda: picture(family, folder, zoo, data_dir),
        f"{family}_curves": lambda: curves.picture(family_curves(family, folder)),
    }
    return [Page(family, table(family, folder), drawn)]


def paper_pages(folder: pathlib.Path, zoo: pathlib.Path, data_dir: str | None) -> list[Page]:
    """The page of the paper's CIFAR-10 table: the table, the samples and the curves of all its generators."""
    rows = paper.measured_rows(folder, zoo)
    drawn = {
        "cifar10": lambda: paper_picture(rows, data_dir),
        "cifar10_curves": lambda: curves.picture(paper_curves(rows)),
    }
    return [Page("cifar10", paper.table(rows), drawn)]


def batch_size_pages(folder: pathlib.Path, zoo: pathlib.Path, data_dir: str | None) -> Iterator[Page]:
    """The pages of the batch-size study, which reads only its runs, `batch_size/` in the folder of the runs."""
    return batch_size.pages(folder / "batch_size", data_dir)


def pareto_pages(folder: pathlib.Path, zoo: pathlib.Path, data_dir: str | None) -> Iterator[Page]:
    """The pages of the zoo's students with their costs, which read only the zoo."""
    return pareto.pages(zoo)


PAGES = {
    "cifar10": paper_pages,
    "batch_size": batch_size_pages,
    "pareto": pareto_pages,
}  # reports that are not those of a family


def main(
    families: list[str], folder: pathlib.Path = RUNS, zoo: pathlib.Path | None = None, data_dir: str | None = None
) -> None:
    """Prints each table and writes it to `runs/report/`, with its pictures.

    Args:
        families: "cifar10" for the paper's table, "batch_size" for the batch-size study, "pareto" for what the
            zoo's students cost, or "<family>" of the experiments `<family>_vanilla`, `_mse`, `_akdg`.
        folder: folder of the run folders.
        zoo: folder of the zoo, by default `default_zoo`; its entries replace runs that are not in `folder`.
        data_dir: folder with the data, to show real samples of datasets that read files.

    Raises:
        UserError: there is no finished run, or the data or a generator cannot be loaded.
    """
    zoo = zoo or default_zoo()
    for family in families:
        make = PAGES.get(family, functools.partial(family_pages, family))
        for page in make(folder, zoo, data_dir):
            page.write(folder / "report")
