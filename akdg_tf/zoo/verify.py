"""Checking an entry: that it is what was published, and that it does what its card says."""

import dataclasses
import math

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image

from akdg_tf.counting import count_cost
from akdg_tf.errors import UserError
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.training import config
from akdg_tf.training.workdir import Run
from akdg_tf.zoo import card, routes
from akdg_tf.zoo.entries import Entry

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
    checks = {"checksums": checksums, "card": card_text}
    if entry.kind == "classifier":
        checks |= {"loads": classifies, "counts": counts}
    else:
        checks |= {"loads": loads, "samples": samples, "counts": counts}
    found = {name: check(entry) for name, check in checks.items()}
    return found | ({"metrics": recomputed(entry, data_dir)} if metrics else {})


def checksums(entry: Entry) -> str:
    """Every file is the one that was published."""
    entry.check()
    return f"{len(entry.sums())} files"


def card_text(entry: Entry) -> str:
    """The card has the command and the numbers of these metrics, and the entry's name is its folder's."""
    _hold(entry.name == entry.folder.name, entry, f"metrics.json is of {entry.name}")
    text = (entry.folder / "card.md").read_text()
    for line in (card.command(entry.metrics), *card.table(entry)):
        _hold(line in text, entry, f"card.md does not say what metrics.json does: {line}")
    return "as metrics.json"


def loads(entry: Entry) -> str:
    """Each route gives the images of `m(z)`."""
    found = routes.differences(entry)
    for name, difference in found.items():
        tolerance = (
            LITERT_TOLERANCE[entry.metrics["litert"]["weights"]] if name == routes.LITERT else SIGNATURE_TOLERANCE
        )
        _hold(
            difference <= tolerance, entry, f"{name} differs from m(z) by {difference:.1e}, more than {tolerance:.1e}"
        )
    return f"{len(found)} routes, at most {max(found.values()):.1e} apart"


def classifies(entry: Entry) -> str:
    """It gives finite logits and features."""
    outputs = load_classifier(str(entry.folder)).outputs(tf.zeros((2, *_image_shape(entry))))
    shapes = {name: tuple(values.shape) for name, values in outputs.items()}
    _hold(all(np.isfinite(values).all() for values in outputs.values()), entry, "its outputs are not finite")
    return ", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items()))


def samples(entry: Entry) -> str:
    """`samples.png` is what the generator draws for the entry's seed."""
    drawn = entry.draw_samples(entry.load()).astype(int)
    shown = np.asarray(Image.open(entry.folder / "samples.png").convert("RGB")).astype(int)
    _hold(drawn.shape == shown.shape, entry, "samples.png has another size than what the generator draws")
    levels = int(np.abs(drawn - shown).max())
    _hold(levels <= LEVELS, entry, f"samples.png is not what the generator draws: {levels} gray levels apart")
    return f"redrawn, at most {levels} of 255 gray levels apart"


def counts(entry: Entry) -> str:
    """Layers, params, mult-adds, bytes and the latent's size are counted anew."""
    found = _classifier_cost(entry) if entry.kind == "classifier" else entry.load().describe()
    for name, value in found.items():
        _hold(entry.network[name] == value, entry, f"{name} is {value}, not {entry.network[name]}")
    return f"{found['params']:,} params, {found['mult_adds']:,} mult-adds"


def _classifier_cost(entry: Entry) -> dict[str, int]:
    module = hub.load(str(entry.folder / "saved_model"))
    return dataclasses.asdict(count_cost(module, _image_shape(entry), module.variables, module.trainable_variables))


def _image_shape(entry: Entry) -> tuple[int, ...]:
    """Of what a classifier takes: (height, width, channels)."""
    signature = hub.load(str(entry.folder / "saved_model")).signatures["serving_default"]
    return tuple(signature.structured_input_signature[1]["images"].shape[1:])


def recomputed(entry: Entry, data_dir: str | None) -> str:
    """The metrics, by the very code of `run.py --stage=evaluate`, from the operative configuration."""
    config.gin.clear_config()
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
