"""The result of a run, typed and versioned: `result.json` of a run folder, `metrics.json` of a zoo entry."""

import dataclasses
import json
import pathlib
import re

from akdg_tf.artifacts import typed_json
from akdg_tf.errors import UserError

SCHEMA = 1
KINDS = ("teacher", "student", "classifier")
CALLABLE = "callable"  # the name of a network that is a Python function
EVALUATION = "scores"  # the name of the evaluation where an experiment has one


@dataclasses.dataclass(frozen=True)
class Score:
    """A number with all that defines it.

    Attributes:
        value: the score.
        n_real, n_fake: real and generated samples.
        classifier: what the score was computed over: a classifier's id, or "mixture".
        dataset, split: of the real samples.
        resize: how images were brought to the classifier's size, "none" if they were not.
        seed: of the latents and of the choice of real samples.
        std: spread of the value where one is known: over the splits of an Inception Score, the standard error of a KID.
        splits: of an Inception Score.
        neighbours: of precision and recall.
        evaluation: name of the evaluation that made it, as `GeneratorExperiment.evaluations` has it. The experiment
            sets it: an evaluation does not know its own name.
    """

    value: float
    n_real: int
    n_fake: int
    classifier: str
    dataset: str
    split: str
    resize: str
    seed: int
    std: float | None = None
    splits: int | None = None
    neighbours: int | None = None
    evaluation: str = EVALUATION

    def definition(self) -> dict[str, int | str]:
        """All that defines the value, by name; the evaluation only where it has a name of its own."""
        fields = {key: value for key, value in dataclasses.asdict(self).items() if value is not None}
        unshown = {"value", "std"} | ({"evaluation"} if self.evaluation == EVALUATION else set())
        return {key: value for key, value in fields.items() if key not in unshown}


@dataclasses.dataclass(frozen=True)
class Network:
    """What a network costs, and how it scores. A count is None where it cannot be known, as of an opaque callable.

    Attributes:
        name: of the run, the entry or the SavedModel folder; `CALLABLE` of a Python function.
        network: name of its class, None of a network that is not one of ours.
        layers, params, mult_adds, executed_mult_adds, bytes: see `counting.Cost`.
        latent_dim: size of a generator's latent.
        file_size: of the SavedModel, in bytes.
        images_per_second: at batch 64, on the machine that the result names.
        scores: by name, such as "fid[cifar10-classifier]".
    """

    name: str
    network: str | None
    layers: int | None
    params: int | None
    mult_adds: int | None
    executed_mult_adds: int | None
    bytes: int | None
    latent_dim: int | None = None
    file_size: int | None = None
    images_per_second: int | None = None
    scores: dict[str, Score] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Parent:
    """A network that another one was made from.

    Attributes:
        role: "teacher", or "init_from" of a warm start.
        name: of its run, entry or SavedModel folder.
        digest: SHA-256 of all that decides its images, in hex; None where it is not known.
        step: the step of a run that a warm start began at.
        parents: what it was itself made from, as far as it tells.
    """

    role: str
    name: str
    digest: str | None = None
    step: int | None = None
    parents: tuple["Parent", ...] = ()


@dataclasses.dataclass(frozen=True)
class OverSeeds:
    """A score over the seeds of an experiment.

    Attributes:
        mean: of the values.
        stdev: sample standard deviation, None of a single value.
        values: one for each seed, at least one.
        seeds: in the order of the values.
    """

    mean: float
    stdev: float | None
    values: tuple[float, ...]
    seeds: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class LiteRTModel:
    """The `model.tflite` of an entry.

    Attributes:
        file_size: bytes.
        weights: how they are stored, "float32" or "float16".
        samples: images that were compared with the SavedModel's.
        max_difference: largest difference of a pixel, in [0, 1].
    """

    file_size: int
    weights: str
    samples: int
    max_difference: float


@dataclasses.dataclass(frozen=True)
class Result:
    """All that a run reports.

    Attributes:
        schema: number of this schema, `SCHEMA`.
        kind: one of `KINDS`. A student has a teacher that it is compared with, even where it did not learn from it.
        experiment: name of the experiment, and of its entry in the zoo.
        method: class of the trainer, or "classifier".
        network: what was trained and exported.
        teacher: the teacher that a student is compared with, scored with the same real samples.
        parents: what the network was made from, each with its own parents.
        dataset, split: registered name of the data, and what of them was trained on.
        data_digest: SHA-256 of the data, in hex; None where there is none, as of an endless dataset.
        seed: of weights, latents and data order.
        steps: of training.
        smoke: of a smoke run, whose numbers mean nothing.
        gin_files: as given.
        gin_params: each `--gin_param`, as given.
        command: makes the run again, quoted for a shell; a data folder is called DATA.
        machine: that speeds were measured on, None where none was measured.
        over_seeds: each score over the seeds that were published, by name; empty of a single run.
        litert: of an entry that holds a `model.tflite`.
    """

    schema: int
    kind: str
    experiment: str
    method: str
    network: Network
    teacher: Network | None
    parents: tuple[Parent, ...]
    dataset: str
    split: str
    data_digest: str | None
    seed: int
    steps: int
    smoke: bool
    gin_files: tuple[str, ...]
    gin_params: tuple[str, ...]
    command: str
    machine: str | None
    over_seeds: dict[str, OverSeeds] = dataclasses.field(default_factory=dict)
    litert: LiteRTModel | None = None

    def scores_over_seeds(self) -> dict[str, OverSeeds]:
        """Each score of the network over the seeds that were published; of a single run its one value."""
        alone = {
            metric: OverSeeds(score.value, None, (score.value,), (self.seed,))
            for metric, score in self.network.scores.items()
        }
        return {metric: self.over_seeds.get(metric, row) for metric, row in alone.items()}

    def to_json(self) -> dict:
        """As JSON holds it."""
        return dataclasses.asdict(self)


def from_json(found: object, source: str) -> Result:
    """The result that JSON holds.

    Args:
        found: parsed JSON.
        source: the file, for errors.

    Raises:
        UserError: it is of another schema, or a field is missing, unknown or ill-typed; the field is named.
    """
    _check_schema(found, source)
    try:
        result = typed_json.build(Result, found)
    except typed_json.Mismatch as error:
        raise UserError(f"{source}: {error}") from None
    except RecursionError:
        raise UserError(f"{source} is nested too deeply") from None
    if result.kind not in KINDS:
        raise UserError(f"{source}: the field kind must be one of {', '.join(KINDS)}")
    if (result.kind == "student") != (result.teacher is not None):
        raise UserError(f"{source}: a student has a teacher to compare with, and nothing else has one")
    if any(not row.values or len(row.values) != len(row.seeds) for row in result.over_seeds.values()):
        raise UserError(f"{source}: over_seeds must have a value for each seed")
    return result


def _check_schema(found: object, source: str) -> None:
    if not isinstance(found, dict):
        raise UserError(f"{source} holds no JSON object")
    if "schema" not in found:
        raise UserError(
            f"{source} was written by an older version of akdg_tf, whose results had no schema number: 'akdg run' with "
            "the run's own arguments and --stage=evaluate writes a result.json anew; a zoo's entry must be got anew"
        )
    schema = found["schema"]
    if type(schema) is not int or schema != SCHEMA:
        shown = schema if type(schema) is int and abs(schema) < 10**6 else "unknown"
        raise UserError(f"{source} has the schema {shown}: this version of akdg_tf reads {SCHEMA}")


def read(path: pathlib.Path) -> Result:
    """The result in a file.

    Raises:
        UserError: the file cannot be read, or `from_json` refuses it.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path.parent} holds no sound {path.name}") from error
    return from_json(found, str(path))


def read_run(run: pathlib.Path) -> Result:
    """The `result.json` of a run."""
    return read(run / "result.json")


def finished_runs(experiment: str, folder: pathlib.Path) -> dict[pathlib.Path, Result]:
    """Finished, real runs of an experiment, in the order of their seeds, each with its result.

    Args:
        experiment: its runs are called `<experiment>` and `<experiment>-seed<k>`.
        folder: where the runs lie.
    """
    pattern = re.compile(re.escape(experiment) + r"(-seed\d+)?")
    folders = [path for path in folder.glob("*/") if pattern.fullmatch(path.name) and (path / "result.json").exists()]
    found = {path: read_run(path) for path in folders}
    return dict(sorted(((path, one) for path, one in found.items() if not one.smoke), key=lambda item: item[1].seed))
