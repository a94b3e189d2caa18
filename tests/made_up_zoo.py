"""Made-up results, a run and a small zoo of random generators: what training would leave, without the training."""

import dataclasses
import hashlib
import pathlib
import shutil
import tempfile

import keras
import numpy as np

from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.artifacts.measure import folder_size
from akdg_tf.artifacts.onnx import ONNX
from akdg_tf.artifacts.result import SCHEMA, Network, Origin, Parent, Result, Score
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.files import write_json
from akdg_tf.models import DCGANGenerator, MLPGenerator
from akdg_tf.teachers.saved_model import load_generator
from akdg_tf.zoo import publish
from akdg_tf.zoo.entries import Entry

GIN = """make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.generator = {generator}
"""
GIN_TEXT = GIN.format(generator="@MLPGenerator()")


def random_dcgan(seed: int, channels: int = 1) -> keras.Model:
    """A generator of 16x16 images whose batch statistics have moved, as training moves them."""
    keras.utils.set_random_seed(seed)
    model = DCGANGenerator(6, (16, 16, channels), (8, 6, 4))
    latents = np.random.default_rng(seed).normal(size=(64, 6)).astype("float32")
    for _ in range(20):
        model(latents, training=True)
    return model


def random_mlp(seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return MLPGenerator(4, (8, 8, 1), width=4, depth=1)


def made_up_score(value: float, **changes) -> Score:
    record = {"n_real": 9, "n_fake": 9, "classifier": "c", "dataset": "d", "split": "s", "resize": "none", "seed": 0}
    return Score(**{"value": value, **record, **changes})


def made_up_network(name: str, value: float = 1.0, **changes) -> Network:
    """A generator that nobody made, with a score "fid[c]"."""
    counted = {"layers": 2, "params": 30, "mult_adds": 20, "executed_mult_adds": 20, "bytes": 120, "latent_dim": 4}
    record = {"network": "N", **counted, "file_size": 999, "images_per_second": 7}
    return Network(**{"name": name, **record, "scores": {"fid[c]": made_up_score(value)}, **changes})


def made_up_origin(**changes) -> Origin:
    """Where a network comes from that nobody trained."""
    return Origin(**{"source": "N of M (2019)", "digest": "ab", "licence": "MIT, O", "changes": "c", **changes})


def made_up_result(experiment: str, **changes) -> Result:
    """A result of a run that nobody made: of a teacher, or of what `changes` make it."""
    kind = "student" if changes.get("teacher") else "teacher"
    record = {"method": "AKDG" if kind == "student" else "GAN", "network": made_up_network(experiment)}
    record |= {"teacher": None, "parents": (), "dataset": "d", "split": "s", "data_digest": None, "seed": 0, "steps": 7}
    record |= {"smoke": False, "gin_files": ("gin/x.gin",), "gin_params": (), "machine": "m"}
    record |= {"command": "python run.py --gin_file=gin/x.gin --seed=0"}
    return Result(**{"schema": SCHEMA, "kind": kind, "experiment": experiment, **record, **changes})


def write_run(
    folder: pathlib.Path,
    generator: keras.Model,
    experiment: str = "x",
    teacher: str | None = "t",
    seed: int = 0,
    value: float = 1.0,
    gin_text: str = GIN_TEXT,
    **changes,
) -> pathlib.Path:
    """The folder of a finished run of `generator`; without a `teacher` it made one; `changes` are of its result."""
    costs = _export(generator, folder, of_student=teacher is not None)
    scores = {"fid[c]": made_up_score(value)}
    network = made_up_network(folder.name, network=type(generator).__name__, scores=scores, **costs)
    beside = {"teacher": dataclasses.replace(network, name=teacher), "parents": (Parent("teacher", teacher),)}
    record = {"network": network, "seed": seed, **(beside if teacher else {})}
    record |= {"command": f"python run.py --gin_file=gin/x.gin --seed={seed}"}
    write_json(folder / "result.json", made_up_result(experiment, **{**record, **changes}).to_json())
    (folder / "config.gin").write_text(f"# experiment {experiment}, seed {seed}\n{gin_text}")
    (folder / "operative_config.gin").write_text(gin_text)
    return folder


_exported: dict[tuple, tuple[tempfile.TemporaryDirectory, dict]] = {}


def _export(generator, folder, of_student):
    """Writes what a run exports of a generator; returns its costs. Converts equal generators once per process."""
    weights = hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in generator.weights)).digest()
    key = (type(generator), weights, of_student)
    if key not in _exported:
        place = tempfile.TemporaryDirectory()
        made = pathlib.Path(place.name)
        export_generator(detached_copy(generator), made / "saved_model", (0, 1))
        if of_student:
            LiteRT().write(generator, made)
            ONNX().write(generator, made)
        loaded = load_generator(made / "saved_model")
        _exported[key] = (place, {**loaded.describe(), "file_size": folder_size(made / "saved_model")})
    place, costs = _exported[key]
    shutil.copytree(place.name, folder, dirs_exist_ok=True, symlinks=True)
    return costs


def write_metrics(folder: pathlib.Path, **changes) -> Entry:
    """An entry of which metrics.json alone is there: of a teacher, unless `changes` make it something else."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "metrics.json", made_up_result(folder.name, **changes).to_json())
    return Entry(folder)


def change_metrics(entry: Entry, **changes) -> None:
    """Writes other fields of an entry's metrics.json."""
    write_json(entry.folder / "metrics.json", entry.result.to_json() | changes)


def write_zoo(zoo: pathlib.Path, generators: dict[str, keras.Model], teacher: str) -> None:
    """A zoo of these generators, of which one is the others' teacher."""
    for name, generator in generators.items():
        run = write_run(zoo.with_name(f"run-{name}"), generator, name, None if name == teacher else teacher)
        result = publish.read_finished(run)
        result = dataclasses.replace(result, over_seeds=publish.over_seeds([(result.seed, result.network.scores)]))
        publish.write_entry(run, result, zoo, overwrite=False)
