"""Making an entry from finished runs."""

import dataclasses
import logging
import pathlib
import shutil
import statistics

from akdg_tf.artifacts import result as results
from akdg_tf.artifacts.quantization import weights_in
from akdg_tf.artifacts.result import QUANTIZED, OverSeeds, Result, Score
from akdg_tf.errors import UserError
from akdg_tf.files import replacing, write_json, write_text
from akdg_tf.reporting import pictures
from akdg_tf.training import config
from akdg_tf.zoo import card, checksums, local_paths, readme, routes
from akdg_tf.zoo.entries import LITERT, ONNX, SAMPLES, ZOO, Entry, check_name, entries
from akdg_tf.zoo.samples import draw_samples

logger = logging.getLogger(__name__)

NO_SCORES = "{} has no scores: run its command with --stage=evaluate"


def publish(runs: list[pathlib.Path], zoo: pathlib.Path = ZOO, overwrite: bool = False) -> Entry:
    """Makes a zoo entry from a finished run.

    Args:
        runs: run folders of one experiment with different seeds. The first is published, with the scores of all. Runs
            without scores add nothing to the first.
        zoo: folder of the zoo; the entry is `<zoo>/<experiment>`.
        overwrite: replaces an existing entry that is different.

    Returns:
        The entry.

    Raises:
        UserError: a run is not finished or is a smoke run, the runs differ in more than their seeds, their gin files
            and `--gin_param`s do not give their configuration, or a different entry exists.
    """
    found = [read_finished(run) for run in runs]
    check_configuration(runs, found)
    if found[0].unscored and len(runs) > 1:
        logger.warning("these runs have no scores: only %s is published, the others add nothing", runs[0])
    scores = over_seeds([(each.seed, each.network.scores) for each in found])
    of_files = over_seeds([(each.seed, each.litert.scores) for each in found if each.litert])
    litert = found[0].litert and dataclasses.replace(found[0].litert, over_seeds=of_files)
    result = local_paths.without(dataclasses.replace(found[0], over_seeds=scores, litert=litert))
    return write_entry(runs[0], result, zoo, overwrite)


def read_finished(run: pathlib.Path) -> Result:
    """The result of a finished run.

    Raises:
        UserError: it is not finished, is a smoke run, or has no scores although it is not marked as unscored; or it
            was not scored again after its quantized `model.tflite` was written again.
    """
    missing = [name for name in ("result.json", "saved_model", "operative_config.gin") if not (run / name).exists()]
    if missing:
        raise UserError(f"{run} is not a finished run: it lacks {missing[0]}; run its command again")
    result = results.read_run(run)
    if result.smoke:
        raise UserError(f"{run} is a smoke run, whose numbers mean nothing: publish a full run")
    if not (result.network.scores or result.unscored):
        raise UserError(NO_SCORES.format(run))
    _check_quantized(run, result)
    return result


def _check_quantized(run: pathlib.Path, result: Result) -> None:
    """Checks that the scores of a quantized `model.tflite` are those of the file that is there now.

    Raises:
        UserError: they are not.
    """
    path, scored = run / LITERT, result.litert
    weights = weights_in(path) if path.exists() else None
    if weights in QUANTIZED:
        stated = (scored.weights, scored.file_size) if scored else None
        same = stated == (weights, path.stat().st_size) and (result.unscored or bool(scored and scored.scores))
    else:
        same = scored is None
    if not same:
        raise UserError(f"{path} is not the file that was scored: run its command again with --stage=evaluate")


def check_configuration(runs: list[pathlib.Path], found: list[Result]) -> None:
    """Checks that the runs differ only in their seeds, and that their command line gives their configuration.

    Args:
        runs: run folders.
        found: their results.

    Raises:
        UserError: a check fails.
    """
    experiments = {(result.experiment, result.steps, result.dtype_policy or "") for result in found}
    bindings = [config.effective([run / "config.gin"]) for run in runs]
    if len(experiments) > 1 or any(others != bindings[0] for others in bindings):
        raise UserError(f"these runs differ in experiment, steps, dtype policy or configuration: {sorted(experiments)}")
    first = found[0]
    if first.unscored and not config.binds_no_evaluations():
        raise UserError(NO_SCORES.format(runs[0]))
    if config.effective(first.gin_files, first.gin_params) != bindings[0]:
        given = " and ".join([*first.gin_files, *(f"--gin_param {param}" for param in first.gin_params)])
        raise UserError(f"{runs[0]} was not made by {given} as they are now: restore the gin files, or train again")
    if len({score.seed for result in found for score in result.network.scores.values()}) > 1:
        raise UserError("these runs were scored on different latents: run the command of each with --stage=evaluate")
    if len({result.seed for result in found}) < len(found):
        raise UserError("two of these runs have the same seed: publish one run per seed")


def over_seeds(found: list[tuple[int, dict[str, Score]]]) -> dict[str, OverSeeds]:
    """Each score of the first run, over the seeds of all runs that have this score.

    Args:
        found: the seed and the scores of each run.
    """
    table = {}
    for metric in found[0][1] if found else ():
        values, seeds = zip(*((scores[metric].value, seed) for seed, scores in found if metric in scores), strict=True)
        spread = statistics.stdev(values) if len(values) > 1 else None
        table[metric] = OverSeeds(statistics.mean(values), spread, values, seeds)
    return table


def write_entry(run: pathlib.Path, result: Result, zoo: pathlib.Path, overwrite: bool) -> Entry:
    """Writes the entry of a run, and updates the zoo's README and the links in other cards.

    Args:
        run: the run folder.
        result: its result, with `over_seeds`.
        zoo: folder of the zoo.
        overwrite: replaces an existing entry that is different.

    Returns:
        The entry.

    Raises:
        UserError: the run lacks a file, or the entry's folder holds a different entry or something else.
    """
    folder = zoo / check_name(result.experiment)
    readme.check_place(zoo)
    if folder.exists() or folder.is_symlink():
        sums = checksums.read(folder)  # raises an error if the folder is not an entry
        checksums.check_listed(folder, sums)  # what is not part of the entry would be lost
    with replacing(folder) as part:
        _fill(part, run, result)
        if folder.exists() and not overwrite and checksums.read(part) != checksums.read(folder):
            raise UserError(f"a different {folder} exists already: --overwrite replaces it")
        checksums.keep_signature(folder, part)
    readme.write(zoo)
    _link_from_others(folder.name, zoo)
    return Entry(folder)


def _fill(part: pathlib.Path, run: pathlib.Path, result: Result) -> None:
    """Writes all files of an entry to the folder `part`."""
    shutil.copytree(run / "saved_model", part / "saved_model")
    write_text(part / "config.gin", local_paths.bindings((run / "operative_config.gin").read_text(encoding="utf-8")))
    network = dataclasses.replace(result.network, name=result.experiment)  # the run folder may have any name
    result = dataclasses.replace(result, network=network)
    write_json(part / "metrics.json", result.to_json())
    for name in (LITERT, ONNX):
        if (run / name).exists():
            shutil.copy(run / name, part / name)
    records = routes.records(Entry(part))
    for file, record in records.items():
        try:
            routes.Difference(record.max_difference, record.mean_difference or 0.0).check(file, record.weights)
        except UserError as error:
            raise UserError(f"{run}: {error}; run its command again with --stage=export") from None
    litert = records.get(LITERT)
    if litert and result.litert:
        litert = dataclasses.replace(litert, scores=result.litert.scores, over_seeds=result.litert.over_seeds)
    result = dataclasses.replace(result, litert=litert, onnx=records.get(ONNX))
    write_json(part / "metrics.json", result.to_json())
    entry = Entry(part)
    if entry.kind != "classifier":
        pictures.save_png(draw_samples(entry), part / SAMPLES)
    write_card(entry)
    entry.check()


def write_card(entry: Entry) -> None:
    """Writes an entry's card and its checksums."""
    write_text(entry.folder / "card.md", card.card(entry))
    checksums.seal(entry.folder)


def _link_from_others(name: str, zoo: pathlib.Path) -> None:
    """Writes the cards that name a new entry again, so that they link to it."""
    for entry in entries(zoo):
        try:
            if name in card.mentioned(entry.result):
                entry.check()
                write_card(entry)
        except UserError as error:
            logger.warning("%s; its card was not updated", error)


def rewrite_cards(zoo: pathlib.Path) -> None:
    """Writes all cards and the zoo's README again, for example after their wording has changed.

    Raises:
        UserError: an entry does not match its checksums; its card is not written.
    """
    readme.check_place(zoo)
    for entry in entries(zoo):
        entry.check()
        write_card(entry)
    readme.write(zoo)
