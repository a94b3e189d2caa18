"""Migrates the entries of the zoo to the current schema of results and to the current names of gin bindings.

Run it from the root of the repository: `python zoo/migrate.py`. It is safe to run it again. It trains nothing, and does
not change graphs, weights or `samples.png`. It writes:

- `metrics.json`, if it has no schema number, in the schema of `akdg_tf.artifacts.result`;
- `config.gin`, if there is one and it binds old names, with the names in the tables below;
- `model.tflite`, if it takes latents of another size for more or fewer of its own;
- `saved_model/assets.extra/network.json`, if it is missing: the configuration of the network, from `config.gin`;
- always: the sizes that `metrics.json` states, the cards, `SHA256SUMS`, and the README.md of the zoo.

`python zoo/migrate.py RUN NEW` writes a finished GAN run of the old format to the new folder NEW: the configuration,
the checkpoint with named groups, the networks and the SavedModel. `--stage=evaluate` then writes the result.
"""

import dataclasses
import functools
import json
import pathlib
import re
import sys

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from akdg_tf.artifacts import network
from akdg_tf.artifacts import result as results
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.measure import folder_size
from akdg_tf.artifacts.result import SCHEMA, ExportedModel, Network, OverSeeds, Parent, Result, Score
from akdg_tf.artifacts.saved_model import export, output_range_of
from akdg_tf.data import load_dataset
from akdg_tf.files import write_bytes, write_json, write_text
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.teachers.load import load_generator
from akdg_tf.training import config
from akdg_tf.training.classification import PARTITION_SEED
from akdg_tf.training.workdir import Run
from akdg_tf.zoo import checksums, publish, readme, routes
from akdg_tf.zoo.entries import CONFIG, FILES, LITERT, Entry, entries

ZOO = pathlib.Path("zoo")
DISTILLED = ("AKDG", "MSEDistillation")  # methods whose student learns from its teacher
COMPUTABLE = ("mnist5k",)  # data that a package ships; the digest of other data stays unknown

SCHEDULE = ("steps", "batch_size", "report_every", "pictures_every", "steps_per_execution", "profile_steps")
RENAMED = {
    "GeneratorExperiment.generator_optimizer": "Optimizers.generator",
    "GeneratorExperiment.discriminator_optimizer": "Optimizers.discriminator",
    "GeneratorExperiment.dataset": "Data.name",
    "GeneratorExperiment.flip": "Data.flip",
    "GeneratorExperiment.evaluation": "GeneratorExperiment.evaluations",
    "GeneratorExperiment.bank_images": "BankedTeacher.images",
    "GeneratorExperiment.litert_weights": "LiteRT.weights",
    "GeneratorExperiment.cpu_budget": "Schedule.cpu_budget",
    **{f"{kind}Experiment.{name}": f"Schedule.{name}" for kind in ("Generator", "Classifier") for name in SCHEDULE},
}
PARTS = {  # objects that now hold parameters which the experiment used to bind itself
    "Optimizers": ("GeneratorExperiment.optimizers", "@Optimizers()"),
    "Data": ("GeneratorExperiment.data", "@Data()"),
    "LiteRT": ("GeneratorExperiment.exports", "(@LiteRT(),)"),
    "BankedTeacher": ("GeneratorExperiment.teacher_source", "@BankedTeacher()"),
}
HEADER = re.compile(r"# Parameters for (\S+):")


def main(arguments: list[str]) -> None:
    """Migrates every entry, or the run that the arguments name."""
    if len(arguments) == 2:
        migrate_run(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]))
        return
    folders = sorted(path.parent for path in ZOO.glob("*/metrics.json"))
    if not folders:
        sys.exit("the current folder holds no zoo: run this script from the root of the repository")
    for folder in folders:
        checksums.check(folder, FILES)
        convert_metrics(folder)
        convert_config(folder)
        add_network(folder)
    for entry in entries(ZOO):
        remake_litert(entry)
        state_sizes(entry)
    for entry in entries(ZOO):
        publish.write_card(entry)
        entry.check()
        print(f"migrated {entry.folder}")
    readme.write(ZOO)


def remake_litert(entry: Entry) -> None:
    """Converts the generator of an entry to LiteRT again, if its `model.tflite` takes latents of another size."""
    litert, width = entry.result.litert, entry.result.network.latent_dim
    if litert is None or width is None or refuses(entry.folder / LITERT, 2 * width):
        return
    generator = network.load_network(entry.folder)
    write_bytes(entry.folder / LITERT, litert_model(generator, output_range_of(generator), litert.weights))
    record = dataclasses.replace(entry.result, litert=routes.records(entry)[LITERT])
    write_json(entry.folder / "metrics.json", record.to_json())


def refuses(path: pathlib.Path, width: int) -> bool:
    """Whether a LiteRT generator refuses latents of this size."""
    runner = Interpreter(str(path)).get_signature_runner("generator")
    try:
        runner(z=np.zeros((1, width), np.float32))
    except (RuntimeError, ValueError):
        return True
    return False


def convert_metrics(folder: pathlib.Path) -> None:
    """Writes `metrics.json` of an entry in the current schema."""
    path = folder / "metrics.json"
    old = json.loads(path.read_bytes())
    if "schema" in old:
        return
    name = old.get("teacher_name")
    write_json(path, result_of(old, network_class(folder.with_name(name)) if name else None).to_json())
    results.read(path)


def network_class(folder: pathlib.Path) -> str:
    """Class name of an entry's network, in either schema."""
    found = json.loads((folder / "metrics.json").read_bytes())["network"]
    return found["network"] if isinstance(found, dict) else found


def result_of(old: dict, teacher_class: str | None) -> Result:
    """The result in a `metrics.json` without a schema number.

    Args:
        old: content of the file.
        teacher_class: class name of the teacher's network, None if there is no teacher.
    """
    dataset, _, split = old["dataset"].partition(", ")
    side = old.get("classifier") or old["student"]
    teacher = old.get("teacher") and network_of(old["teacher"], old["teacher_name"], teacher_class, dataset)
    kind = "classifier" if "classifier" in old else "student" if teacher else "teacher"
    return Result(
        schema=SCHEMA,
        kind=kind,
        experiment=old["experiment"],
        method=old["method"],
        network=network_of(side, old["experiment"], old["network"], dataset),
        teacher=teacher or None,
        parents=(Parent("teacher", old["teacher_name"]),) if old["method"] in DISTILLED else (),
        dataset=dataset,
        split=split,
        data_digest=data_digest(dataset, split),
        seed=old["seed"],
        steps=old["steps"],
        smoke=old["smoke"],
        gin_files=tuple(old["gin_files"]),
        gin_params=(),
        command=old["command"],
        machine=old.get("machine"),
        over_seeds={
            metric: OverSeeds(row["mean"], row["stdev"], tuple(row["values"]), tuple(row["seeds"]))
            for metric, row in old["over_seeds"].items()
        },
        litert=ExportedModel(**old["litert"]) if "litert" in old else None,
    )


def network_of(side: dict, name: str, network_class: str | None, dataset: str) -> Network:
    """A network with its scores. `dataset` is added to the scores of classifiers, which did not name their data."""
    scores = {metric: Score(**{"dataset": dataset, **record}) for metric, record in side["metrics"].items()}
    counts = {key: value for key, value in side.items() if key != "metrics"}
    return Network(name=name, network=network_class, scores=scores, **counts)


@functools.cache
def data_digest(dataset: str, split: str) -> str | None:
    """SHA-256 of the training data, None if they are not available."""
    if dataset not in COMPUTABLE:
        return None
    data, held_out = load_dataset(dataset), re.search(r"less (\d+) held out", split)
    return (data.partition(int(held_out[1]), PARTITION_SEED)[0] if held_out else data).digest()


def convert_config(folder: pathlib.Path) -> None:
    """Writes `config.gin` of an entry with the current binding names."""
    path = folder / CONFIG
    if not path.exists():  # the network was converted
        return
    old = path.read_text(encoding="utf-8")
    sections = read_sections(old)
    bindings = {name: value for section in sections.values() for name, value in section.items()}
    if set(bindings) & set(RENAMED):
        write_text(path, config_text(converted(bindings), [name for name, section in sections.items() if not section]))


def converted(old: dict[str, str]) -> dict[str, str]:
    """Converts bindings with old names to bindings with current names."""
    kept = dict(old)
    if kept.pop("GeneratorExperiment.teacher_source", None) != "'bank'":
        kept.pop("GeneratorExperiment.bank_images", None)  # the teacher is online, which is the default
    if old.get("GeneratorExperiment.teacher") == "None":
        kept.pop("GeneratorExperiment.litert_weights", None)  # only students were exported for LiteRT
    if "GeneratorExperiment.evaluation" in kept:
        kept["GeneratorExperiment.evaluation"] = f"{{'scores': {kept['GeneratorExperiment.evaluation']}}}"
    new = {RENAMED.get(name, name): value for name, value in kept.items()}
    owners = {name.rpartition(".")[0] for name in new}
    new |= dict(part for owner, part in PARTS.items() if owner in owners)
    experiment = new["make_experiment.experiment"].lstrip("@")
    return new | {f"{experiment}.schedule": "@Schedule()"}


def add_network(folder: pathlib.Path) -> None:
    """Writes the configuration of an entry's network into its SavedModel, so that `load_network` can load it."""
    saved_model = folder / "saved_model"
    if (saved_model / network.NETWORK).exists():
        return
    keras.utils.clear_session()  # so that layers are numbered from 0
    config.parse([folder / "config.gin"], [])
    experiment = config.build(Run(folder, folder.name))
    made = (
        experiment.classifier if (saved_model / "assets.extra" / "classifier.json").exists() else experiment.generator
    )
    network.write(made, saved_model)
    network.load_network(saved_model)  # raises an error if the weights do not fit


def migrate_run(old: pathlib.Path, new: pathlib.Path) -> None:
    """Writes the run in the folder `old` to the folder `new`, in the current format."""
    head, _, text = (old / "config.gin").read_text(encoding="utf-8").partition("\n")
    bindings = {name: value for section in read_sections(text).values() for name, value in section.items()}
    new.mkdir(parents=True)
    write_text(new / "config.gin", f"{head}\n{config_text(converted(bindings), [])}")
    config.parse([new / "config.gin"], [])
    experiment = config.build(Run(new, new.name))
    trainer = experiment.trainer
    (step,) = [int(path.stem.partition("-")[2]) for path in (old / "checkpoints").glob("ckpt-*.index")]
    read_flat_checkpoint(trainer, old / "checkpoints" / f"ckpt-{step}")
    trainer.set_step(step)
    networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
    network.write_run(new, networks, "ema_generator", trainer.optimizer_classes)
    Checkpoints(trainer.state, new / "checkpoints").save(step)
    export(trainer, new / "saved_model")
    z = tf.random.stateless_normal((16, trainer.latent_dim), (0, 0))
    difference = tf.reduce_max(tf.abs(load_generator(new / "saved_model")(z) - load_generator(old / "saved_model")(z)))
    print(f"migrated {old} to {new}: images differ by at most {float(difference):.1e} from those of the old SavedModel")


def read_flat_checkpoint(trainer: GeneratorTrainer, path: pathlib.Path) -> None:
    """Restores a checkpoint of the old format: a list of the model's variables, then one list per optimizer."""
    model = [variable for variable in trainer.variables if variable is not trainer.step_counter]
    reader = tf.train.load_checkpoint(str(path))
    for group, variables in enumerate([model, *(optimizer.variables for optimizer in trainer.optimizers)]):
        for number, variable in enumerate(variables):
            variable.assign(reader.get_tensor(f"variables/{group}/{number}/.ATTRIBUTES/VARIABLE_VALUE"))


def read_sections(text: str) -> dict[str, dict[str, str]]:
    """The bindings of an operative configuration, by section: the configured class or function, or "" for macros.

    Raises:
        ValueError: a binding does not fit on one line.
    """
    sections: dict[str, dict[str, str]] = {"": {}}
    section = sections[""]
    for line in text.splitlines():
        header = HEADER.fullmatch(line)
        if header:
            section = sections.setdefault(header[1], {})
        elif line and not line.startswith("#"):
            name, equals, value = line.partition(" = ")
            if not equals or line[0].isspace() or line.endswith("\\"):
                raise ValueError(f"not a binding on one line: {line!r}")
            section[name] = value
    return sections


def config_text(bindings: dict[str, str], bare: list[str]) -> str:
    """An operative configuration as gin writes it.

    Args:
        bindings: values by name.
        bare: classes and functions that are configured without a binding.
    """
    sections: dict[str, dict[str, str]] = {name: {} for name in bare}
    for name, value in bindings.items():
        sections.setdefault(name.rpartition(".")[0], {})[name] = value

    def order(name: str) -> tuple[str, str]:
        scope, _, owner = name.rpartition("/")
        return owner.lower(), scope

    parts = []
    for name in sorted(sections, key=order):
        lines = [f"{key} = {value}" for key, value in sorted(sections[name].items())] or ["# None."]
        title = f"# Parameters for {name}:" if name else "# Macros:"
        if lines != ["# None."] or name:
            parts.append("\n".join([title, f"# {'=' * 78}", *lines]) + "\n")
    return "\n".join(parts)


def state_sizes(entry: Entry) -> None:
    """Writes the current sizes of an entry's SavedModel and of its teacher's to `metrics.json`."""
    result = entry.result
    network = dataclasses.replace(result.network, file_size=folder_size(entry.folder / "saved_model"))
    teacher = result.teacher
    sibling = entry.sibling(teacher.name) if teacher else None
    if sibling:
        teacher = dataclasses.replace(teacher, file_size=folder_size(sibling.folder / "saved_model"))
    write_json(entry.folder / "metrics.json", dataclasses.replace(result, network=network, teacher=teacher).to_json())


if __name__ == "__main__":
    main(sys.argv[1:])
