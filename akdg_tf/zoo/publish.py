"""The model zoo: making entries of finished runs. python -m akdg_tf.zoo publish RUN [RUN_OF_ANOTHER_SEED ...]."""

import argparse
import json
import pathlib
import shutil
import statistics
import sys

from akdg_tf.errors import UserError
from akdg_tf.files import part_of, replace_folder
from akdg_tf.training import config
from akdg_tf.training.classification import ClassifierExperiment  # noqa: F401  (gin binds it)
from akdg_tf.training.experiment import GeneratorExperiment  # noqa: F401  (gin binds it)
from akdg_tf.training.results import ROWS, read_result

ZOO = pathlib.Path("zoo")
COPIED = ("saved_model", "operative_config.gin", "samples.png")


def publish(runs: list[pathlib.Path], overwrite: bool = False) -> pathlib.Path:
    """Makes a zoo entry of a finished run.

    Args:
        runs: run folders of one experiment; the first is published, the others, of other seeds, are reported with it.
        overwrite: replaces an entry that is there.

    Returns:
        The entry's folder, `zoo/<experiment>`.

    Raises:
        UserError: a run is not finished, is a smoke run or of another experiment, was not made by its gin files alone,
            or the entry is there already.
    """
    results = [_result(run) for run in runs]
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
    entry = ZOO / results[0]["experiment"]
    if entry.exists() and not overwrite:
        raise UserError(f"{entry} is there already: --overwrite replaces it")
    part = part_of(entry)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in COPIED:
        source = runs[0] / name
        if source.is_dir():
            shutil.copytree(source, part / name)
        elif source.exists():
            shutil.copy(source, part / name)
    for name in ("saved_model.pb", "variables"):  # so that the entry itself is a SavedModel: hub.load("zoo/<name>")
        (part / name).symlink_to(pathlib.Path("saved_model", name))
    (results[0].get("student") or {}).pop("saved_model", None)  # where the run lay is nobody's business
    seeds = _over_seeds(results)
    (part / "metrics.json").write_text(json.dumps({**results[0], "over_seeds": seeds}, indent=2) + "\n")
    (part / "card.md").write_text(_card(results[0], seeds))
    replace_folder(part, entry)
    return entry


def _result(run: pathlib.Path) -> dict:
    if not (run / "result.json").exists() or not (run / "saved_model").exists():
        raise UserError(f"{run} is not a finished run: it needs result.json and saved_model/")
    result = read_result(run)
    if result["smoke"]:
        raise UserError(f"{run} is a smoke run: its numbers mean nothing")
    return result


def _over_seeds(results: list[dict]) -> dict[str, dict]:
    """Mean and sample standard deviation of each metric over the runs' seeds."""
    table = {}
    for metric in results[0]["metrics"]:
        values = [result["metrics"][metric]["value"] for result in results]
        spread = statistics.stdev(values) if len(values) > 1 else None
        seeds = [result["seed"] for result in results]
        table[metric] = {"mean": statistics.mean(values), "stdev": spread, "values": values, "seeds": seeds}
    return table


def _card(result: dict, over_seeds: dict[str, dict]) -> str:
    """The entry's card, in Markdown."""
    name, side = result["experiment"], result.get("student") or result["classifier"]
    teacher = result.get("teacher")
    lines = [
        f"# {name}",
        "",
        f"Made by `python run.py {' '.join(f'--gin_file={file}' for file in result['gin_files'])} "
        f"--seed={result['seed']}` ({result['steps']:,} steps, method {result['method']}).",
        "",
        f"| | {name} |" + (" teacher |" if teacher else ""),
        "|---|---|" + ("---|" if teacher else ""),
    ]
    for key in (*ROWS, "latent_dim"):
        if key in side:
            cell = f" {teacher[key]:,} |" if teacher else ""
            lines.append(f"| {key.replace('_', ' ')} | {side[key]:,} |{cell}")
    for metric, record in result["metrics"].items():
        cell = f" {teacher['metrics'][metric]['value']:.4g} |" if teacher else ""
        lines.append(f"| {metric} | {record['value']:.4g} |{cell}")
    record = next(iter(result["metrics"].values()))
    lines += ["", ", ".join(f"{key}: {value}" for key, value in record.items() if key not in ("value", "std")) + "."]
    if len(next(iter(over_seeds.values()))["values"]) > 1:
        lines += ["", "Over seeds (mean, sample standard deviation, each seed's value):", ""]
        for metric, row in over_seeds.items():
            values = ", ".join(f"{seed}: {v:.4g}" for seed, v in zip(row["seeds"], row["values"], strict=True))
            lines.append(f"- {metric}: {row['mean']:.4g} ± {row['stdev']:.2g} (seed {values})")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m akdg_tf.zoo", description="The model zoo.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("publish", help="make an entry of a finished run")
    command.add_argument("run", nargs="+", type=pathlib.Path, help="run folder; more of other seeds are reported too")
    command.add_argument("--overwrite", action="store_true", help="replace an entry that is there")
    arguments = parser.parse_args(argv)
    try:
        print(f"published {publish(arguments.run, arguments.overwrite)}")
    except UserError as error:
        print(f"zoo: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
