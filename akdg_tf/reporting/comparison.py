"""What defines the scores and the training of a run: runs whose scores are compared must agree in it."""

import pathlib
import shlex
from collections.abc import Mapping

from akdg_tf.artifacts.result import Result, Score
from akdg_tf.errors import UserError


def bare(metric: str) -> str:
    """A metric's name without its classifier: "fid" of "fid[cifar10-classifier]"."""
    return metric.partition("[")[0]


def scoring(result: Result) -> str:
    """What defines the scores of a run. Scores of two runs can be compared if this is equal."""
    if result.unscored:
        return "unscored"
    scores = [score for name, score in sorted(result.network.scores.items()) if bare(name) == "fid"]
    return "; ".join(dict.fromkeys(_defined(score, result.data_digest) for score in scores))


def _defined(score: Score, digest: str | None) -> str:
    data = score.dataset if digest is None else f"{score.dataset} {digest[:8]}"
    images = f"{score.n_fake:,} generated and {score.n_real:,} real images, dataset {data}"
    over = f"split {score.split}, classifier {score.classifier}, resize {score.resize}"
    return f"{images}, {over}, latents of seed {score.seed}"


def training(result: Result) -> str:
    """What defines a run, in addition to the experiment and the seed."""
    given = [f"--gin_file={file}" for file in result.gin_files[1:]]
    given += [f"--gin_param={param}" for param in result.gin_params]
    policy = f" in {result.dtype_policy}" if result.dtype_policy else ""
    return f"trained for {result.steps:,} steps{policy}" + f" with {shlex.join(given)}" * bool(given)


def check_fid(result: Result, folder: pathlib.Path) -> None:
    """Checks that a run or an entry has a FID, unless it is unscored.

    Raises:
        UserError: it does not.
    """
    if not result.unscored and not any(bare(metric) == "fid" for metric in result.network.scores):
        raise UserError(f"{folder} has no FID: run its command with --stage=evaluate")


def check_alike(found: Mapping[pathlib.Path, Result]) -> None:
    """Checks that the scores of runs can be compared. Unscored runs have none.

    Raises:
        UserError: two runs were scored differently.
    """
    scored = {run: scoring(result) for run, result in found.items() if not result.unscored}
    others = [run for run, how in scored.items() if how != next(iter(scored.values()))]
    if others:
        names = f"{next(iter(scored)).name} and {others[0].name}"
        raise UserError(f"{names} were scored differently: run one of them again with --stage=evaluate")


def check_seeds(found: Mapping[pathlib.Path, Result]) -> None:
    """Checks that runs differ in their seed alone.

    Raises:
        UserError: they were trained or scored differently, or two have the same seed.
    """
    seeds = {result.seed for result in found.values()}
    if len({(scoring(result), training(result)) for result in found.values()}) > 1 or len(seeds) < len(found):
        names = ", ".join(run.name for run in found)
        raise UserError(f"the runs {names} differ in more than their seed, or two have the same seed: remove some")
