"""The result of a run, typed and versioned: `result.json` of a run folder, `metrics.json` of a zoo entry."""

import dataclasses
import json
import pathlib
import re

from akdg_tf import files
from akdg_tf.artifacts import typed_json
from akdg_tf.errors import UserError

SCHEMA = 1
KINDS = ("teacher", "student", "classifier")
CONVERTED = "converted"  # method of a network that was trained elsewhere and only converted here
CALLABLE = "callable"  # name of a network that is a Python function
QUANTIZED = ("int8", "int8_full", "int4")  # weights of a `model.tflite` whose images are its own, and have own scores
EVALUATION = "scores"  # name of the evaluation of an experiment that has only one


@dataclasses.dataclass(frozen=True)
class Score:
    """A score with everything that defines it.

    Attributes:
        value: the score.
        n_real, n_fake: numbers of real and generated samples.
        classifier: id of the classifier that the score was computed over, or "mixture".
        dataset, split: source of the real samples.
        resize: how images were resized for the classifier; "none" if they were not.
        seed: seed of the latents and of the choice of real samples.
        std: spread of the value, if known: over the splits for the Inception Score, the standard error for KID.
        splits: number of splits, for the Inception Score.
        neighbours: number of neighbours, for precision and recall.
        evaluation: name of the evaluation that computed it, a key of `GeneratorExperiment.evaluations`. The experiment
            sets it, because an evaluation does not know its own name.
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
        """Everything that defines the value, by name. The evaluation is included unless it has the default name."""
        fields = {key: value for key, value in dataclasses.asdict(self).items() if value is not None}
        unshown = {"value", "std"} | ({"evaluation"} if self.evaluation == EVALUATION else set())
        return {key: value for key, value in fields.items() if key not in unshown}


@dataclasses.dataclass(frozen=True)
class Network:
    """The costs and scores of a network. A count is None if it is unknown, for example for an opaque callable.

    Attributes:
        name: name of the run, the entry or the SavedModel folder; `CALLABLE` for a Python function.
        network: class name of the network, None if it is not one of ours.
        layers, params, mult_adds, executed_mult_adds, bytes: see `counting.Cost`.
        latent_dim: size of the latent of a generator.
        file_size: size of the SavedModel, in bytes.
        images_per_second: speed at batch 64, on the machine that the result names.
        scores: by name, such as "fid[cifar10-classifier]".
        compressed_size: size of the SavedModel as a zip file, in bytes. Results of older versions do not have it.
        prior: what the latents of a generator are drawn from; see `latents.draw`.
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
    compressed_size: int | None = None
    prior: str = "normal"


@dataclasses.dataclass(frozen=True)
class Parent:
    """A network that another one was made from.

    Attributes:
        role: "teacher", "init_from" for a warm start, or "compressed" for the network that was compressed.
        name: name of its run, entry or SavedModel folder.
        digest: SHA-256, in hex, of all that determines its images; None if it is unknown.
        step: the step of a run that a warm start began at.
        parents: what it was itself made from, as far as it is known.
    """

    role: str
    name: str
    digest: str | None = None
    step: int | None = None
    parents: tuple["Parent", ...] = ()


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of a run's configuration between two of its steps.

    Attributes:
        step: the step from which the run went on with it.
        removed, added: lines of the configuration before, and of the one after.
    """

    step: int
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class OverSeeds:
    """A score over the seeds of an experiment.

    Attributes:
        mean: mean of the values.
        stdev: sample standard deviation, None for a single value.
        values: one value per seed, at least one.
        seeds: the seeds, in the order of the values.
    """

    mean: float
    stdev: float | None
    values: tuple[float, ...]
    seeds: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class ExportedModel:
    """An optional export of an entry: its `model.tflite` or its `model.onnx`.

    Attributes:
        file_size: size of the file, in bytes.
        weights: storage of the weights, one of `quantization.WEIGHTS`.
        samples: number of images that were compared with the SavedModel's.
        max_difference: largest difference of a pixel value, for values in [0, 1].
        mean_difference: mean absolute difference of the pixel values; None if an older version did not record it.
        scores: of its own images, by name, if its weights are quantized; {}: those of the SavedModel apply.
        over_seeds: each of these scores over the published seeds, by name; empty for a single run.
    """

    file_size: int
    weights: str
    samples: int
    max_difference: float
    mean_difference: float | None = None
    scores: dict[str, Score] = dataclasses.field(default_factory=dict)
    over_seeds: dict[str, OverSeeds] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where the weights of a network come from that was trained elsewhere.

    Attributes:
        source: the published weights: who trained what, and the package that holds them, with its version.
        digest: SHA-256, in hex, of the file with the weights.
        licence: of the weights, with the holder. The entry's LICENSE holds its text.
        changes: what the conversion changed.
    """

    source: str
    digest: str
    licence: str
    changes: str


@dataclasses.dataclass(frozen=True)
class Result:
    """Everything that a run reports, or the conversion of a network that was trained elsewhere.

    Attributes:
        schema: number of this schema, `SCHEMA`.
        kind: one of `KINDS`. A student has a teacher that it is compared with, even if it did not learn from it.
        experiment: name of the experiment, and of its entry in the zoo.
        method: class of the trainer, or "classifier", or `CONVERTED`.
        network: the network that was trained and exported.
        teacher: the teacher that a student is compared with, scored with the same real samples.
        parents: the networks that the network was made from, each with its own parents.
        dataset, split: registered name of the data, and the part of them that was trained on.
        data_digest: SHA-256 of the data, in hex; None if it is unknown, for example for an endless dataset.
        seed: seed of weights, latents and data order.
        steps: training steps; 0 if the network was trained elsewhere.
        smoke: whether this is a smoke run, whose numbers mean nothing.
        gin_files: each `--gin_file`, as given.
        gin_params: each `--gin_param`, as given.
        command: command that repeats the run, quoted for a shell. DATA stands for the data folder.
        machine: machine that speeds were measured on, None if none were measured.
        over_seeds: each score over the published seeds, by name; empty for a single run.
        litert: the `model.tflite` of an entry, or the quantized one of a run; None if there is none.
        onnx: the `model.onnx` of an entry, None if there is none.
        origin: where the weights come from if the method is `CONVERTED`, None for every other method.
        dtype_policy: Keras dtype policy under which the network was trained, None if it is unknown.
        unscored: whether the configuration says that there are no scores: `GeneratorExperiment.evaluations = {}`.
        changes: of the configuration, while the run was under way. `command` repeats only the last configuration.
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
    litert: ExportedModel | None = None
    origin: Origin | None = None
    dtype_policy: str | None = None
    unscored: bool = False
    onnx: ExportedModel | None = None
    changes: tuple[Change, ...] = ()

    def scores_over_seeds(self) -> dict[str, OverSeeds]:
        """Each score of the network over the published seeds. For a single run it holds one value."""
        return self._over_seeds(self.network.scores, self.over_seeds)

    def scores_of_file(self) -> dict[str, OverSeeds]:
        """Each score of the images of `model.tflite`: its own if its weights are quantized, else the network's."""
        if self.litert and self.litert.weights in QUANTIZED:
            return self._over_seeds(self.litert.scores, self.litert.over_seeds)
        return self.scores_over_seeds()

    def _over_seeds(self, scores: dict[str, Score], published: dict[str, OverSeeds]) -> dict[str, OverSeeds]:
        """Each score over the published seeds, or over this seed alone."""
        alone = {name: OverSeeds(score.value, None, (score.value,), (self.seed,)) for name, score in scores.items()}
        return {name: published.get(name, row) for name, row in alone.items()}

    def to_json(self) -> dict:
        """The result as a dict for JSON."""
        return dataclasses.asdict(self)


def from_json(found: object, source: str) -> Result:
    """Makes a result from parsed JSON.

    Args:
        found: parsed JSON.
        source: name of the file, for error messages.

    Raises:
        UserError: the schema is another one, or a field is missing, unknown or of the wrong type. The message names
            the field.
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
        raise UserError(f"{source}: the field teacher must be set for the kind student, and be null for other kinds")
    if (result.method == CONVERTED) != (result.origin is not None):
        raise UserError(f"{source}: the field origin must be set for the method {CONVERTED}, and be null for others")
    if result.unscored and (result.network.scores or result.over_seeds):
        raise UserError(f"{source}: the field unscored must be false for a result with scores")
    tables = [result.over_seeds, *(file.over_seeds for file in (result.litert, result.onnx) if file)]
    if any(not row.values or len(row.values) != len(row.seeds) for rows in tables for row in rows.values()):
        raise UserError(f"{source}: the field over_seeds must have one value per seed")
    return result


def _check_schema(found: object, source: str) -> None:
    if not isinstance(found, dict):
        raise UserError(f"{source} is damaged: it must hold a JSON object")
    if "schema" not in found:
        raise UserError(
            f"{source} was written by an older version of akdg_tf, without a schema number: repeat the run's "
            "'akdg run' command with --stage=evaluate, or download the zoo entry again"
        )
    schema = found["schema"]
    if type(schema) is not int or schema != SCHEMA:
        shown = schema if type(schema) is int and abs(schema) < 10**6 else "unknown"
        raise UserError(f"{source} has the schema {shown}: this version of akdg_tf reads only {SCHEMA}")


def read(path: pathlib.Path) -> Result:
    """The result in a file.

    Raises:
        UserError: the file cannot be read, or `from_json` refuses it.
    """
    try:
        found = json.loads(files.read_small(path))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is missing or damaged: it must hold JSON") from error
    return from_json(found, str(path))


def read_run(run: pathlib.Path) -> Result:
    """The `result.json` of a run."""
    return read(run / "result.json")


def finished_runs(experiment: str, folder: pathlib.Path) -> dict[pathlib.Path, Result]:
    """The finished runs of an experiment and their results, in the order of their seeds, without smoke runs.

    Args:
        experiment: name of the experiment. Its runs are named `<experiment>` and `<experiment>-seed<k>`.
        folder: folder of the runs.

    Raises:
        UserError: a result cannot be read.
    """
    pattern = re.compile(re.escape(experiment) + r"(-seed\d+)?")
    folders = [path for path in folder.glob("*/") if pattern.fullmatch(path.name) and (path / "result.json").exists()]
    found = {path: read_run(path) for path in folders}
    return dict(sorted(((path, one) for path, one in found.items() if not one.smoke), key=lambda item: item[1].seed))
