"""A small run and a small zoo for tests, of random generators: what training would leave, without the training."""

import json
import pathlib

import keras
import numpy as np

from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.measure import measure
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.files import write_bytes, write_json
from akdg_tf.latents import latent_dim_of
from akdg_tf.models import DCGANGenerator, MLPGenerator
from akdg_tf.teachers.load import load_generator
from akdg_tf.zoo import publish
from akdg_tf.zoo.entries import Entry

GIN = """make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.steps = {steps}
"""


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


def write_run(
    folder: pathlib.Path,
    generator: keras.Model,
    experiment: str = "x",
    teacher: str | None = "t",
    seed: int = 0,
    value: float = 1.0,
    gin_file: str = "gin/x.gin",
    gin_text: str = GIN.format(steps=7),
) -> pathlib.Path:
    """The folder of a finished run of `generator`; without a `teacher` it made one."""
    copy = detached_copy(generator)
    export_generator(copy, folder / "saved_model", (0, 1))
    if teacher:
        write_bytes(folder / "model.tflite", litert_model(generator, (0, 1)))
    metric = {"value": value, "n_real": 9, "n_fake": 9, "classifier": "c", "split": "s", "resize": "none", "seed": seed}
    side = measure(load_generator(folder / "saved_model"), {"fid[c]": metric})
    result = {"experiment": experiment, "network": type(generator).__name__, "method": "AKDG" if teacher else "GAN"}
    result |= {"teacher_name": teacher, "dataset": "d, s", "seed": seed, "machine": "m", "gin_files": [gin_file]}
    result |= {"command": f"python run.py --gin_file={gin_file} --seed={seed}"}
    result |= {"steps": 7, "smoke": False, "teacher": side if teacher else None, "student": side}
    (folder / "result.json").write_text(json.dumps({**result, "metrics": side["metrics"]}))
    (folder / "config.gin").write_text(f"# experiment {experiment}, seed {seed}\n{gin_text}")
    (folder / "operative_config.gin").write_text(gin_text)
    assert latent_dim_of(generator) == side["latent_dim"]
    return folder


def write_metrics(folder: pathlib.Path, **changes) -> Entry:
    """An entry of which metrics.json alone is there: of a teacher, unless `changes` make it something else."""
    metrics = {"experiment": folder.name, "network": "N", "method": "GAN", "dataset": "d", "seed": 0, "gin_files": []}
    metrics |= {"steps": 1, "teacher": None, "teacher_name": None, "metrics": {}, "over_seeds": {}}
    metrics |= {"command": "python run.py", "machine": "m", "student": {}, **changes}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "metrics.json", metrics)
    return Entry(folder)


def write_zoo(zoo: pathlib.Path, generators: dict[str, keras.Model], teacher: str) -> None:
    """A zoo of these generators, of which one is the others' teacher."""
    for name, generator in generators.items():
        run = write_run(zoo.with_name(f"run-{name}"), generator, name, None if name == teacher else teacher)
        result = json.loads((run / "result.json").read_text())
        publish.write_entry(run, {**result, "over_seeds": publish.over_seeds([result])}, zoo, overwrite=False)
