"""Making an entry of finished runs."""

import pathlib
import shutil
import statistics

from akdg_tf.reporting import pictures
from akdg_tf.errors import UserError
from akdg_tf.files import replacing, write_json, write_text
from akdg_tf.training import config
from akdg_tf.zoo import card, checksums, readme, routes
from akdg_tf.zoo.entries import LITERT, ZOO, Entry, check_name, entries, read_metrics

COPIED = {"saved_model": "saved_model", LITERT: LITERT, "operative_config.gin": "config.gin"}


def publish(runs: list[pathlib.Path], zoo: pathlib.Path = ZOO, overwrite: bool = False) -> Entry:
    """Makes a zoo entry of a finished run.

    Args:
        runs: run folders of one experiment; the first is published, the others, of other seeds, are reported with it.
        zoo: where the entry goes, as `<experiment>`.
        overwrite: replaces a different entry that is there.

    Returns:
        The entry.

    Raises:
        UserError: a run is not finished, is a smoke run or of another experiment, or was not made by its gin files as
            they are; or a different entry is there already.
    """
    results = [read_finished(run) for run in runs]
    check_configuration(runs, results)
    return write_entry(runs[0], {**results[0], "over_seeds": over_seeds(results)}, zoo, overwrite)


def read_finished(run: pathlib.Path) -> dict:
    """The result of a finished run.

    Raises:
        UserError: it is not finished, is a smoke run, or has no metrics.
    """
    if not (run / "result.json").exists() or not (run / "saved_model").exists():
        raise UserError(f"{run} is not a finished run: it needs result.json and saved_model/")
    result = read_metrics(run / "result.json")
    if result.get("smoke"):
        raise UserError(f"{run} is a smoke run: its numbers mean nothing")
    if not result["metrics"]:
        raise UserError(f"{run} has no metrics: run its command with --stage=evaluate")
    return result


def check_configuration(runs: list[pathlib.Path], results: list[dict]) -> None:
    """Checks that the runs are of one experiment, of a seed each, and that their gin files as they are make them.

    Raises:
        UserError: they are not.
    """
    experiments = {(result["experiment"], result["steps"]) for result in results}
    bindings = [config.effective([run / "config.gin"]) for run in runs]
    if len(experiments) > 1 or any(others != bindings[0] for others in bindings):
        raise UserError(f"these runs are not of one experiment and configuration: {sorted(experiments)}")
    gin_files = results[0]["gin_files"]
    if config.effective(gin_files) != bindings[0]:
        raise UserError(
            f"{runs[0]} was not made by {' and '.join(gin_files)} as they are: the command in its card would be wrong"
        )
    if len({result["seed"] for result in results}) < len(results):
        raise UserError("two of these runs have the same seed")


def over_seeds(results: list[dict]) -> dict[str, dict]:
    """Mean and sample standard deviation of each metric over the runs' seeds."""
    table = {}
    for metric in results[0]["metrics"]:
        values = [result["metrics"][metric]["value"] for result in results]
        spread = statistics.stdev(values) if len(values) > 1 else None
        seeds = [result["seed"] for result in results]
        table[metric] = {"mean": statistics.mean(values), "stdev": spread, "values": values, "seeds": seeds}
    return table


def write_entry(run: pathlib.Path, metrics: dict, zoo: pathlib.Path, overwrite: bool) -> Entry:
    """Writes the entry of a run, then the zoo's README.

    Args:
        run: its folder.
        metrics: its `result.json`, with "over_seeds".
        zoo: where the entry goes.
        overwrite: replaces a different entry that is there.

    Raises:
        UserError: the run lacks a file, or something is in the way: a different entry, or what is no entry at all.
    """
    folder = zoo / check_name(metrics["experiment"])
    readme.check_place(zoo)
    if folder.exists() or folder.is_symlink():
        checksums.read(folder)  # which says if this is no entry
    with replacing(folder) as part:
        _fill(part, run, metrics)
        if folder.exists() and not overwrite and checksums.read(part) != checksums.read(folder):
            raise UserError(f"a different {folder} is there already: --overwrite replaces it")
    readme.write(zoo)
    return Entry(folder)


def _fill(part: pathlib.Path, run: pathlib.Path, metrics: dict) -> None:
    """Writes all files of an entry to the folder `part`."""
    for source, name in COPIED.items():
        if (run / source).is_dir():
            shutil.copytree(run / source, part / name)
        elif (run / source).exists():
            shutil.copy(run / source, part / name)
    for side in ("teacher", "student"):
        (metrics.get(side) or {}).pop("saved_model", None)  # where a run lay is nobody's business
    write_json(part / "metrics.json", metrics)
    entry = Entry(part)
    if entry.kind != "classifier":
        pictures.save_png(entry.draw_samples(), part / "samples.png")
    if (part / LITERT).exists():
        entry.metrics["litert"] = routes.litert_record(entry)
        write_json(part / "metrics.json", entry.metrics)
    write_text(part / "card.md", card.card(entry))
    checksums.seal(part)
    entry.check()


def rewrite_cards(zoo: pathlib.Path) -> None:
    """Writes every card anew, for when their wording has changed, and the zoo's README.

    Raises:
        UserError: an entry is not what was published; its card is not written.
    """
    readme.check_place(zoo)
    for entry in entries(zoo):
        entry.check()
        write_text(entry.folder / "card.md", card.card(entry))
        checksums.seal(entry.folder)
    readme.write(zoo)
