"""The result of a run, typed and versioned: `result.json` of a run folder, `metrics.json` of a zoo entry."""

import dataclasses
import json
import pathlib
import re

import dacite

from akdg_tf.errors import UserError

SCHEMA = 1
KINDS = ("teacher", "student", "classifier")


@dataclasses.dataclass(frozen=True)
class Score:
    """A number with all that defines it.

    Attributes:
        value: the score.
        evaluation: name of the evaluation that made it, as `GeneratorExperiment.evaluations` has it.
        n_real, n_fake: real and generated samples.
        classifier: what the score was computed over: a classifier's id, or "mixture".
        dataset, split: of the real samples.
        resize: how images were brought to the classifier's size, "none" if they were not.
        seed: of the latents and of the choice of real samples.
        std: spread of the value where one is known: over the splits of an Inception Score, the standard error of a KID.
        splits: of an Inception Score.
        neighbours: of precision and recall.
    """

    value: float
    evaluation: str
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


@dataclasses.dataclass(frozen=True)
class Network:
    """What a network costs, and how it scores. A count is None where it cannot be known, as of an opaque callable.

    Attributes:
        name: of the run, the entry or the SavedModel folder; "callable" of a Python function.
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
        values: one for each seed.
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
        data_digest: SHA-256 of the data, in hex; None of an endless dataset.
        seed: of weights, latents and data order.
        steps: of training.
        smoke: of a smoke run, whose numbers mean nothing.
        gin_files: as given.
        gin_params: each `--gin_param`, as given.
        command: makes the run again; a data folder is called DATA.
        machine: that speeds were measured on.
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
    machine: str
    over_seeds: dict[str, OverSeeds] = dataclasses.field(default_factory=dict)
    litert: LiteRTModel | None = None

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
    if not isinstance(found, dict):
        raise UserError(f"{source} holds no JSON object")
    if "schema" not in found:
        raise UserError(
            f"{source} was written before results had a schema number: 'akdg run' with the run's own arguments and "
            "--stage=evaluate writes it anew"
        )
    if found["schema"] != SCHEMA:
        raise UserError(f"{source} has schema {found['schema']!r}, this version of akdg_tf reads {SCHEMA}")
    try:
        result = dacite.from_dict(Result, found, dacite.Config(cast=[tuple], strict=True))
    except (dacite.DaciteError, TypeError, ValueError) as error:
        raise UserError(f"{source}: {error}") from None
    if result.kind not in KINDS:
        raise UserError(f"{source}: kind {result.kind!r} is not one of {', '.join(KINDS)}")
    if (result.kind == "student") != (result.teacher is not None):
        raise UserError(f"{source}: a student has a teacher to compare with, and nothing else has one")
    return result


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


def finished_runs(experiment: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Finished, real runs of an experiment, `<experiment>` and `<experiment>-seed<k>`, in the order of their seeds."""
    runs = [path for path in folder.glob(f"{experiment}*") if re.sub(r"-seed\d+$", "", path.name) == experiment]
    finished = [run for run in runs if (run / "result.json").exists() and not read_run(run).smoke]
    return sorted(finished, key=lambda run: read_run(run).seed)
