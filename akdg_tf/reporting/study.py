"""The runs of the batch-size study, compared at an equal number of images seen and at an equal number of steps."""

import dataclasses
import pathlib
import re
from collections.abc import Callable, Mapping, Sequence

from akdg_tf.artifacts.result import Result, read_run
from akdg_tf.errors import UserError
from akdg_tf.reporting.comparison import check_alike, check_fid, check_seeds

METHODS = ("vanilla", "akdg")  # in the order of rows and lines
_EXPERIMENT = re.compile(rf"(\w+)_({'|'.join(METHODS)})")
_BATCH = re.compile(r"^Schedule\.batch_size = (\d+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished run of the study.

    Attributes:
        folder: the run folder.
        result: its result.
        family, method: "mnist_mlp" and "akdg" of the experiment "mnist_mlp_akdg".
        batch: images per step, `Schedule.batch_size`.
    """

    folder: pathlib.Path
    result: Result
    family: str
    method: str
    batch: int

    @property
    def steps(self) -> int:
        """Training steps."""
        return self.result.steps

    @property
    def images(self) -> int:
        """Images seen: batch size times steps."""
        return self.batch * self.steps


Points = Mapping[tuple[int, str], Sequence[Trained]]  # the runs of each (batch size, method), in the order of seeds


def study(folder: pathlib.Path) -> dict[str, list[Trained]]:
    """The finished runs of the study by family, without smoke runs.

    Args:
        folder: folder of the run folders, which may have any names.

    Raises:
        UserError: there is no such run; one is not a run of the study, or has no FID; or two runs of a family were
            scored differently.
    """
    families: dict[str, list[Trained]] = {}
    for path in sorted(folder.glob("*/result.json")):
        result = read_run(path.parent)
        if not result.smoke:
            run = _trained(path.parent, result)
            families.setdefault(run.family, []).append(run)
    if not families:
        raise UserError(f"there is no finished run of the batch-size study in {folder}: run benchmarks/batch_size.py")
    for runs in families.values():
        check_alike({run.folder: run.result for run in runs})
    return families


def _trained(folder: pathlib.Path, result: Result) -> Trained:
    """A run with its family, method and batch size. `study` names the errors."""
    experiment = _EXPERIMENT.fullmatch(result.experiment)
    if experiment is None:
        raise UserError(
            f"{folder} is a run of {result.experiment!r}, which ends neither with _akdg nor _vanilla: move it"
        )
    check_fid(result, folder)
    if result.unscored:
        raise UserError(f"{folder} is unscored: the batch-size study compares FIDs")
    config = folder / "operative_config.gin"  # it also holds a default
    batch = _BATCH.search(config.read_text(encoding="utf-8")) if config.exists() else None
    if batch is None:
        raise UserError(f"{config} has no line Schedule.batch_size = NUMBER")
    return Trained(folder, result, experiment[1], experiment[2], int(batch[1]))


def comparisons(runs: Sequence[Trained]) -> dict[str, Points]:
    """The runs of a family that saw an equal number of images, and those that took an equal number of steps, by title.

    The number of images is the one that occurs with the most batch sizes; of several such numbers, the largest. The
    number of steps is found in the same way. A run may be in both comparisons, or in neither.

    Raises:
        UserError: two runs of a method and batch size in a comparison differ in more than their seed.
    """
    images, steps = _common(runs, lambda run: run.images), _common(runs, lambda run: run.steps)
    return {
        f"{images:,} images seen": _points([run for run in runs if run.images == images]),
        f"{steps:,} steps": _points([run for run in runs if run.steps == steps]),
    }


def _common(runs: Sequence[Trained], value: Callable[[Trained], int]) -> int:
    """The value that occurs with the most batch sizes; of several such values, the largest."""
    batches: dict[int, set[int]] = {}
    for run in runs:
        batches.setdefault(value(run), set()).add(run.batch)
    return max(batches, key=lambda each: (len(batches[each]), each))


def _points(runs: Sequence[Trained]) -> Points:
    """The runs by batch size and method, in this order."""
    points: dict[tuple[int, str], list[Trained]] = {}
    for run in sorted(runs, key=lambda run: (run.batch, METHODS.index(run.method), run.result.seed)):
        points.setdefault((run.batch, run.method), []).append(run)
    for found in points.values():
        check_seeds({run.folder: run.result for run in found})
    return points
