"""Checking an entry: that it is what was published, and that it does what its card says."""

import dataclasses
import math
import pathlib

import gin
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image

from akdg_tf.artifacts.counting import count_cost
from akdg_tf.errors import UserError
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.training import config
from akdg_tf.training.workdir import Run
from akdg_tf.zoo import card, checksums, readme, routes
from akdg_tf.zoo.entries import Entry, check_name, entries

SIGNATURE_TOLERANCE = 1e-6
LITERT_TOLERANCE = {"float32": 1e-5, "float16": 1 / 255}
LEVELS = 1  # gray levels of 255 by which a redrawn pixel may differ: another processor rounds otherwise
METRIC_TOLERANCE = 0.01  # share of the value; of at least 1, so that a KID near 0 may differ by 0.01


def verify(entry: Entry, metrics: bool = False, data_dir: str | None = None) -> dict[str, str]:
    """Checks an entry.

    Args:
        entry: the entry.
        metrics: computes its metrics once more, which takes as long as `run.py --stage=evaluate`.
        data_dir: folder with the data, for the metrics of datasets that read files.

    Returns:
        What was checked, and what was found.

    Raises:
        UserError: the first thing that is not as it should be.
    """
    check_name(entry.name)
    checks = {"checksums": intact, "card": card_text, "config": configuration}
    if entry.kind == "classifier":
        checks |= {"loads": classifies, "counts": counts}
    else:
        checks |= {"loads": loads, "samples": samples, "counts": counts}
    found = {name: check(entry) for name, check in checks.items()}
    return found | ({"metrics": recomputed(entry, data_dir)} if metrics else {})


def verify_readme(zoo: pathlib.Path) -> None:
    """Checks that the zoo's README is the one of its entries.

    Raises:
        UserError: it is not.
    """
    path = zoo / "README.md"
    if not path.exists() or path.read_text() != readme.readme(entries(zoo)):
        raise UserError(f"{path} is not that of the entries: akdg zoo cards writes it anew")


def intact(entry: Entry) -> str:
    """Every file is the one that was published."""
    entry.check()
    return f"{len(checksums.read(entry.folder))} files"


def card_text(entry: Entry) -> str:
    """The card is the one of these metrics, and the entry's name is its folder's."""
    _hold(entry.metrics["experiment"] == entry.name, entry, f"metrics.json is of {entry.metrics['experiment']}")
    same = (entry.folder / "card.md").read_text() == card.card(entry)
    _hold(same, entry, "card.md is not what metrics.json makes: akdg zoo cards writes it anew")
    return "as metrics.json"


def configuration(entry: Entry) -> str:
    """`config.gin` is the configuration of an experiment."""
    bindings = config.effective([entry.folder / "config.gin"])
    _hold(bool(bindings), entry, "config.gin is not the configuration of an experiment")
    return f"{len(bindings)} bindings"


def loads(entry: Entry) -> str:
    """Each route gives the images of `m(z)`."""
    found = routes.differences(entry)
    tolerances = {routes.LITERT: LITERT_TOLERANCE[entry.metrics["litert"]["weights"]]} if routes.LITERT in found else {}
    for name, difference in found.items():
        most = tolerances.get(name, SIGNATURE_TOLERANCE)
        _hold(difference <= most, entry, f"{name} differs from m(z) by {difference:.1e}, more than {most:.1e}")
    return f"{len(found)} routes, at most {max(found.values()):.1e} apart"


def classifies(entry: Entry) -> str:
    """It gives finite logits and features."""
    outputs = load_classifier(str(entry.folder)).outputs(tf.zeros((2, *_image_shape(_module(entry)))))
    shapes = {name: tuple(values.shape) for name, values in outputs.items()}
    _hold(all(np.isfinite(values).all() for values in outputs.values()), entry, "its outputs are not finite")
    return ", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items()))


def samples(entry: Entry) -> str:
    """`samples.png` is what the generator draws for the entry's seed."""
    drawn = entry.draw_samples().astype(int)
    shown = np.asarray(Image.open(entry.folder / "samples.png").convert("RGB")).astype(int)
    _hold(drawn.shape == shown.shape, entry, "samples.png has another size than what the generator draws")
    levels = int(np.abs(drawn - shown).max())
    _hold(levels <= LEVELS, entry, f"samples.png is not what the generator draws: {levels} gray levels apart")
    return f"redrawn, at most {levels} of 255 gray levels apart"


def counts(entry: Entry) -> str:
    """Layers, params, mult-adds, bytes and the latent's size are counted anew; a teacher's too, if it has an entry."""
    _hold_counts(entry, entry.network, _cost(entry))
    if entry.kind == "student":
        teacher = Entry(entry.folder.with_name(entry.metrics["teacher_name"] or entry.name))
        if teacher != entry and (teacher.folder / "metrics.json").exists():
            _hold_counts(entry, entry.metrics["teacher"], teacher.load().describe(), "the teacher's ")
    return f"{entry.network['params']:,} params, {entry.network['mult_adds']:,} mult-adds"


def _hold_counts(entry: Entry, stated: dict, found: dict[str, int], whose: str = "") -> None:
    for name, value in found.items():
        _hold(stated[name] == value, entry, f"{whose}{name} is {value}, not {stated[name]}")


def _cost(entry: Entry) -> dict[str, int]:
    if entry.kind != "classifier":
        return entry.load().describe()
    module = _module(entry)
    cost = count_cost(module, _image_shape(module), module.variables, module.trainable_variables)
    return dataclasses.asdict(cost)


def _module(entry: Entry):
    return hub.load(str(entry.folder / "saved_model"))


def _image_shape(classifier) -> tuple[int, ...]:
    """Of what a classifier's SavedModel takes: (height, width, channels)."""
    signature = classifier.signatures["serving_default"].structured_input_signature[1]
    return tuple(signature["images"].shape[1:])


def recomputed(entry: Entry, data_dir: str | None) -> str:
    """The metrics, by the very code of `run.py --stage=evaluate`, from the operative configuration."""
    gin.clear_config()
    config.parse([str(entry.folder / "config.gin")], [])
    run = Run(entry.folder, entry.name, seed=entry.metrics["seed"], data_dir=data_dir)
    experiment = config.build(run)
    with config.explained():
        experiment.prepare_data(evaluating=True)
        found = experiment.evaluate()["metrics"]
    for name, record in entry.metrics["metrics"].items():
        value, stated = found[name]["value"], record["value"]
        near = math.isclose(value, stated, rel_tol=METRIC_TOLERANCE, abs_tol=METRIC_TOLERANCE)
        _hold(near, entry, f"{name} is {value:.4g}, not {stated:.4g}")
    return ", ".join(f"{name} {record['value']:.4g}" for name, record in found.items())


def _hold(condition: bool, entry: Entry, otherwise: str) -> None:
    if not condition:
        raise UserError(f"{entry.folder}: {otherwise}")
