"""Checking an entry: it must be what was published, and do what its card says."""

import dataclasses
import math
import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image

from akdg_tf.artifacts.measure import compressed_size, folder_size
from akdg_tf.artifacts.network import load_network
from akdg_tf.artifacts.quantization import WEIGHTS
from akdg_tf.artifacts.result import Network, Score
from akdg_tf.data import reads_folder
from akdg_tf.errors import UserError
from akdg_tf.files import read_small
from akdg_tf.metrics.classifiers import image_shape_of, load_classifier
from akdg_tf.models.counting import Cost, count_cost
from akdg_tf.reporting import tables
from akdg_tf.training import config
from akdg_tf.training.workdir import Run
from akdg_tf.zoo import card, checksums, readme, routes, signatures
from akdg_tf.zoo.entries import LITERT, SAMPLES, Entry, check_name, entries
from akdg_tf.zoo.samples import draw_samples

CLASSIFIER_TOLERANCE = 1e-4  # for logits and features, which are about 10
LEVELS = 1  # gray levels of 255 by which a redrawn pixel may differ, because processors round differently
COMPRESSED_TOLERANCE = 0.02  # relative: zlib's versions compress differently
METRIC_TOLERANCE = 0.01  # relative, but at least 0.01 absolute, for a KID near 0
TEACHER_COUNTS = (*(field.name for field in dataclasses.fields(Cost)), "latent_dim")  # checked with the teacher's entry
ANY_SIDE = 32  # side of the images that are shown to a classifier of images of any size


def verify(
    entry: Entry, metrics: bool = False, data_dir: str | None = None, key: Ed25519PublicKey | None = None
) -> dict[str, str]:
    """Checks an entry.

    Args:
        entry: the entry.
        metrics: also computes its scores again, which takes as long as `akdg run --stage=evaluate`.
        data_dir: folder with the data, for the scores of datasets that read files.
        key: public key that the entry must be signed with; None: no signature is needed.

    Returns:
        What each check found, by its name.

    Raises:
        UserError: a check failed; the others after it were not made.
    """
    check_name(entry.name)
    found = {"signature": signed(entry, key)} if key else {}  # before anything of the entry is read
    checks = {"checksums": intact, "card": card_text}
    if not entry.converted:
        checks |= {"config": configuration}
    if entry.kind == "classifier":
        checks |= {"loads": classifies, "counts": counts}
    else:
        checks |= {"loads": loads, "samples": samples, "counts": counts}
    found |= {name: check(entry) for name, check in checks.items()}
    return found | ({"metrics": recomputed(entry, data_dir)} if metrics else {})


def verify_readme(zoo: pathlib.Path) -> None:
    """Checks that the zoo's README fits its entries.

    Raises:
        UserError: it does not.
    """
    path = zoo / "README.md"
    if not path.exists() or read_small(path).decode() != readme.readme(entries(zoo)):
        raise UserError(f"{path} does not fit the entries: akdg zoo cards writes it again")


def signed(entry: Entry, key: Ed25519PublicKey) -> str:
    """Checks that the entry was signed with a key."""
    signatures.check(entry.folder, key)
    return "by the public key"


def intact(entry: Entry) -> str:
    """Checks that every file is the one that was published."""
    entry.check()
    return f"{len(checksums.read(entry.folder))} files"


def card_text(entry: Entry) -> str:
    """Checks that the card fits metrics.json, and that its links fit the zoo."""
    same = (entry.folder / "card.md").read_text(encoding="utf-8") == card.card(entry)
    _hold(same, entry, "card.md does not fit metrics.json in this zoo: akdg zoo cards writes it again")
    return "fits metrics.json"


def configuration(entry: Entry) -> str:
    """Checks that `config.gin` is the configuration of an experiment, without evaluations if the entry is unscored."""
    bindings = config.effective([entry.folder / "config.gin"], imports=False)
    _hold(bool(bindings), entry, "config.gin is not the configuration of an experiment")
    marked = not entry.result.unscored or config.binds_no_evaluations()
    _hold(marked, entry, "metrics.json marks it as unscored, but its config.gin binds evaluations")
    return f"{len(bindings)} bindings"


def loads(entry: Entry) -> str:
    """Checks that each route gives the images of `m(z)`, and each optional export as nearly as is stated of it."""
    found = routes.differences(entry)
    for name, difference in found.items():
        weights = _stated_weights(entry, name)
        try:
            difference.check(name, weights)
            if weights:
                difference.check_stated(name, entry.exported[name])
        except UserError as error:
            raise UserError(f"{entry.folder}: {error}") from None
    return f"{len(found)} routes, at most {max(each.largest for each in found.values()):.1e} apart"


def _stated_weights(entry: Entry, name: str) -> str:
    """How metrics.json says that the weights of a route are stored; "" for a route that is no optional export."""
    if name not in entry.exported:
        return ""
    stated = entry.exported[name].weights
    _hold(stated in WEIGHTS, entry, f"the weights of {name} in metrics.json must be one of {', '.join(WEIGHTS)}")
    found = routes.stored_weights(entry.folder / name)
    _hold(found == stated, entry, f"the weights of {name} are in {found}, not in {stated}")
    return stated


def classifies(entry: Entry) -> str:
    """Checks that a classifier gives finite logits and features, the same as the network from `load_network`."""
    images = tf.random.stateless_uniform((2, *_image_shape(_module(entry))), (0, 0), -1.0, 1.0)
    outputs = load_classifier(str(entry.folder)).outputs(images)
    network = load_network(entry.folder)(images)
    shapes = {name: tuple(values.shape) for name, values in outputs.items()}
    _hold(all(np.isfinite(values).all() for values in outputs.values()), entry, "its outputs are not finite")
    same = all(np.allclose(network[name], values, atol=CLASSIFIER_TOLERANCE) for name, values in outputs.items())
    _hold(same, entry, "load_network does not give the classifier in saved_model/")
    return ", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items()))


def samples(entry: Entry) -> str:
    """Checks that `samples.png` is what the generator draws for the entry's seed."""
    drawn = draw_samples(entry).astype(int)
    shown = np.asarray(Image.open(entry.folder / SAMPLES).convert("RGB")).astype(int)
    _hold(drawn.shape == shown.shape, entry, "samples.png does not have the size of what the generator draws")
    levels = int(np.abs(drawn - shown).max())
    _hold(levels <= LEVELS, entry, f"samples.png is not what the generator draws: {levels} gray levels apart")
    return f"redrawn, at most {levels} of 255 gray levels apart"


def counts(entry: Entry) -> str:
    """Counts layers, params, mult-adds, bytes, latent_dim and the sizes of files again.

    Those of the teacher must be the ones that its own entry states, if it has one.
    """
    network = entry.result.network
    _hold_counts(entry, network, _cost(entry) | {"file_size": folder_size(entry.folder / "saved_model")})
    if network.compressed_size is not None:
        size = compressed_size(entry.folder / "saved_model")
        same = math.isclose(network.compressed_size, size, rel_tol=COMPRESSED_TOLERANCE)
        _hold(same, entry, f"compressed_size is {size}, not {network.compressed_size}")
    for name, model in entry.exported.items():
        size = (entry.folder / name).stat().st_size
        _hold(model.file_size == size, entry, f"{name} has {size} bytes, not {model.file_size}")
    stated = entry.result.teacher
    teacher = entry.sibling(entry.teacher_name) if entry.teacher_name else None
    if stated and teacher and teacher != entry:
        known = teacher.result.network
        _hold_counts(entry, stated, {name: getattr(known, name) for name in TEACHER_COUNTS}, "the teacher's ")
    return f"{tables.count(network.params)} params, {tables.count(network.mult_adds)} mult-adds"


def _hold_counts(entry: Entry, stated: Network, found: dict[str, int | None], whose: str = "") -> None:
    for name, value in found.items():
        _hold(getattr(stated, name) == value, entry, f"{whose}{name} is {value}, not {getattr(stated, name)}")


def _cost(entry: Entry) -> dict[str, int | None]:
    if entry.kind != "classifier":
        return entry.load().describe()
    module = _module(entry)
    cost = count_cost(module, _image_shape(module), module.variables, module.trainable_variables)
    return dataclasses.asdict(cost)


def _module(entry: Entry):
    return hub.load(str(entry.folder / "saved_model"))


def _image_shape(classifier) -> tuple[int, ...]:
    """Shape of images that a classifier's SavedModel takes, without None: (height, width, channels)."""
    return tuple(size or ANY_SIDE for size in image_shape_of(classifier))


def recomputed(entry: Entry, data_dir: str | None) -> str:
    """Computes the scores again, from `config.gin` and with the code of `akdg run --stage=evaluate`."""
    if entry.converted:
        _hold(not entry.result.network.scores, entry, "its scores cannot be computed again: it has no config.gin")
        return "it states none"
    if entry.result.unscored:
        return "unscored: its configuration binds no evaluations"
    config.parse([entry.folder / "config.gin"], [], imports=False)
    config.bind_compressed(str(entry.folder))  # the run that it was compressed from is not here
    data_dir = data_dir if reads_folder(entry.result.dataset) else None
    run = Run(entry.folder, entry.name, seed=entry.result.seed, data_dir=data_dir)
    experiment = config.build(run)
    with config.explained():
        experiment.prepare_data(evaluating=True)
        found = experiment.evaluate()
    _hold_scores(entry, entry.result.network.scores, found.network.scores)
    if entry.result.litert:
        _hold_scores(entry, entry.result.litert.scores, found.litert.scores if found.litert else {}, f"{LITERT}'s ")
    return ", ".join(f"{name} {score.value:.4g}" for name, score in found.network.scores.items())


def _hold_scores(entry: Entry, stated: Mapping[str, Score], found: Mapping[str, Score], whose: str = "") -> None:
    for name, score in stated.items():
        _hold(name in found, entry, f"its configuration does not compute {whose}{name}")
        value = found[name].value
        near = math.isclose(value, score.value, rel_tol=METRIC_TOLERANCE, abs_tol=METRIC_TOLERANCE)
        _hold(near, entry, f"{whose}{name} is {value:.4g}, not {score.value:.4g}")


def _hold(condition: bool, entry: Entry, otherwise: str) -> None:
    if not condition:
        raise UserError(f"{entry.folder}: {otherwise}")
