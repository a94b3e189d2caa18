"""Loading an entry from a folder or a server. Its signature and checksums are checked before anything is loaded."""

import dataclasses
import functools
import os
import pathlib
import secrets

import numpy as np
import tensorflow as tf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from akdg_tf import latents
from akdg_tf.artifacts.result import Result, read_run
from akdg_tf.errors import UserError
from akdg_tf.files import read_small
from akdg_tf.places import REPOSITORY_ZOO, ZOO_VARIABLE, expanded
from akdg_tf.teachers.saved_model import load_generator
from akdg_tf.teachers.settings import whole_number
from akdg_tf.zoo import download, signatures
from akdg_tf.zoo.checksums import SUMS
from akdg_tf.zoo.entries import ZOO, Entry, check_name, entries
from akdg_tf.zoo.fetch import fetch


@dataclasses.dataclass(frozen=True, eq=False)
class PublishedGenerator:
    """A generator of the zoo, of a run, or an exported one.

    Attributes:
        name: of the entry or folder.
        latent_dim: size of the latent.
        prior: what its latents are drawn from: "normal"; or "normal, 10 classes", if its last 10 entries are a label,
            one-hot.
        card: the entry's card, in Markdown; "" for a folder that is no entry.
        metrics: the content of the entry's `metrics.json` or of the run's `result.json`; None if there is neither.
        generator: the Reusable SavedModel. `generator(z)` maps float32 [n, latent_dim], drawn from its prior, to
            float32 images [n, height, width, channels] in [0, 1].
    """

    name: str
    latent_dim: int
    prior: str
    card: str = dataclasses.field(repr=False)
    metrics: Result | None = dataclasses.field(repr=False)
    generator: tf.Module = dataclasses.field(repr=False)

    @functools.cached_property
    def _function(self):
        return tf.function(self.generator)

    @property
    def classes(self) -> int:
        """Number of classes of a class-conditional generator, 0 of another one."""
        return latents.classes_in(self.prior)

    def sample(self, n: int, seed: int | None = None, label: int | None = None) -> np.ndarray:
        """Draws images.

        Args:
            n: number of images.
            seed: seed of the latents, which fixes the sequence of images. The seed in `metrics` gives the images of
                `samples.png`. By default every call gives new images.
            label: class of all images, from 0 to `classes` - 1; by default each image has a random one.

        Returns:
            float32 [n, height, width, channels] in [0, 1].

        Raises:
            UserError: n < 1, there is no such class, or one of the three is no whole number.
        """
        count, fixed = whole_number(n), whole_number(secrets.randbits(32) if seed is None else seed)
        if count is None or count < 1:
            raise UserError(f"the number of images is {n!r}: it must be a whole number, at least 1")
        if label is not None and whole_number(label) not in range(self.classes):
            classes = f"its labels are 0 to {self.classes - 1}" if self.classes else "it is not class-conditional"
            raise UserError(f"{self.name} has no label {label!r}: {classes}")
        if fixed is None or not -(2**63) <= fixed < 2**63:
            raise UserError(f"the seed is {seed!r}: it must be a whole number of 64 bits")
        return latents.sample(self._function, self.prior, self.latent_dim, count, fixed, label=whole_number(label))


def load(
    name: str | os.PathLike, zoo: str | os.PathLike | None = None, public_key: str | os.PathLike | None = None
) -> PublishedGenerator:
    """Loads a generator of the zoo, of a run, or one that `akdg_tf.export` wrote.

    Args:
        name: of an entry, such as "cifar10_mlp_akdg"; the URL of an entry; or the path of a folder, with a slash, such
            as "runs/mine": of an entry, of a run, or of a SavedModel that `akdg_tf.export` wrote.
        zoo: folder or URL of the zoo that holds the entry. The default is the environment variable AKDG_ZOO, otherwise
            `zoo/` in the current folder, otherwise the zoo of the repository that holds this package.
        public_key: file of the public key that the entry must be signed with, as `akdg zoo sign` signs it. The default
            is the environment variable AKDG_PUBLIC_KEY, otherwise no signature is needed.

    Returns:
        The generator.

    Raises:
        UserError: there is no such entry or folder, it is a classifier, its signature is missing or wrong, or a file
            does not match its checksum. Nothing of it was loaded then.
    """
    given, key = os.fspath(name), signatures.public_key(public_key)
    if zoo is None and given.lower().startswith(download.WEB):
        zoo, _, given = given.rstrip("/").rpartition("/")
    if zoo is None and os.path.basename(given) != given:  # a path, not a bare name
        folder = pathlib.Path(expanded(given))
        if not (folder / SUMS).exists():
            if key:
                raise UserError(f"{folder} is not signed: it holds no {SUMS}; only entries of a zoo are signed")
            return _of_folder(folder)
        zoo, given = folder.resolve().parent, folder.resolve().name
    entry = find_entry(given, zoo, key)
    if key:
        signatures.check(entry.folder, key)
    entry.check()
    if entry.kind == "classifier":
        raise UserError(f"{given} is a classifier: load it with akdg_tf.metrics.classifiers.load_classifier")
    card, generator = _text(entry.folder / "card.md"), entry.load()
    return PublishedGenerator(entry.name, generator.latent_dim, generator.prior, card, entry.result, generator.module)


def _text(path: pathlib.Path) -> str:
    """The content of a text file; what is not UTF-8 is replaced.

    Raises:
        UserError: it cannot be read, or is too large.
    """
    try:
        return read_small(path).decode(errors="replace")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def _of_folder(folder: pathlib.Path) -> PublishedGenerator:
    """The generator of a run folder or of an exported SavedModel.

    Raises:
        UserError: the folder holds no SavedModel of ours.
    """
    saved_model = next((each for each in (folder / "saved_model", folder) if (each / "saved_model.pb").exists()), None)
    if saved_model is None or not (saved_model / "assets.extra" / "generator.json").exists():
        raise UserError(
            f"{folder} holds no generator that akdg_tf exported: give a run or what akdg_tf.export wrote; "
            "akdg_tf.load_teacher loads foreign SavedModels"
        )
    generator = load_generator(saved_model)
    finished = (folder / "result.json").exists()
    metrics = read_run(folder) if finished else None
    name = folder.resolve().name
    return PublishedGenerator(name, generator.latent_dim, generator.prior, "", metrics, generator.module)


def find_entry(name: str, zoo: str | os.PathLike | None = None, key: Ed25519PublicKey | None = None) -> Entry:
    """The entry, which is fetched first if the zoo is a URL. See `load` for the other arguments and errors.

    Args:
        name, zoo: see `load`.
        key: the public key with which an entry that is fetched must be signed; None: no signature is needed.
    """
    check_name(name)
    place = os.fspath(zoo or os.environ.get(ZOO_VARIABLE) or (ZOO if entries(ZOO) else REPOSITORY_ZOO))
    if place.lower().startswith(download.WEB):
        return fetch(name, place.rstrip("/"), key)
    entry = Entry(pathlib.Path(expanded(place), name))
    if not (entry.folder / "metrics.json").exists():
        found = ", ".join(other.name for other in entries(entry.folder.parent))
        found = f"choose one of {found}" if found else f"set {ZOO_VARIABLE} to the folder or URL of a zoo"
        raise UserError(f"there is no entry {name!r} in the zoo {place}; {found}")
    return entry
