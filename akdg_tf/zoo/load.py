"""Loading an entry in one line, from a folder or from a server, never before its checksums hold."""

import dataclasses
import functools
import hashlib
import http.client
import logging
import os
import pathlib
import secrets
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.artifacts.places import REPOSITORY_ZOO, ZOO_VARIABLE
from akdg_tf.artifacts.result import Result
from akdg_tf.errors import UserError
from akdg_tf.files import cache_folder, locked, replacing
from akdg_tf.progress import Progress
from akdg_tf.zoo import checksums
from akdg_tf.zoo.checksums import SUMS
from akdg_tf.zoo.entries import ZOO, Entry, check_name, entries

logger = logging.getLogger(__name__)

TIMEOUT = 60  # seconds without an answer
MOST_BYTES = 10**9  # of a file


@dataclasses.dataclass(frozen=True, eq=False)
class PublishedGenerator:
    """A generator of the zoo.

    Attributes:
        name: of the entry.
        latent_dim: size of the latent.
        card: the entry's card, in Markdown.
        metrics: what the entry's `metrics.json` holds.
        generator: the Reusable SavedModel: `generator(z)` maps float32 [n, latent_dim], drawn from N(0, I), to
            float32 images [n, height, width, channels] in [0, 1].
    """

    name: str
    latent_dim: int
    card: str = dataclasses.field(repr=False)
    metrics: Result = dataclasses.field(repr=False)
    generator: tf.Module = dataclasses.field(repr=False)

    @functools.cached_property
    def _function(self):
        return tf.function(self.generator)

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """Draws images.

        Args:
            n: how many.
            seed: of the latents; the first n images of a seed are always the same, and those of the seed in `metrics`
                are `samples.png`. By default others at every call.

        Returns:
            float32 [n, height, width, channels] in [0, 1].

        Raises:
            UserError: n < 1.
        """
        if n < 1:
            raise UserError(f"{n} images are wanted: it must be at least 1")
        seed = secrets.randbits(32) if seed is None else seed
        return latents.sample(self._function, "normal", self.latent_dim, n, seed)


def load(name: str, zoo: str | os.PathLike | None = None) -> PublishedGenerator:
    """Loads a generator of the zoo.

    Args:
        name: of the entry, such as "cifar10_mlp_akdg".
        zoo: folder or URL of the zoo; by default the environment's AKDG_ZOO, else `zoo/` here, else the one of the
            repository that this package lies in.

    Returns:
        The generator.

    Raises:
        UserError: there is no such entry, it is of a classifier, or a file of it is not what its checksums list.
    """
    entry = find_entry(name, zoo)
    entry.check()
    if entry.kind == "classifier":
        raise UserError(f"{name} is a classifier, which draws nothing: akdg_tf.metrics.classifiers.load_classifier")
    card, generator = (entry.folder / "card.md").read_text(encoding="utf-8"), entry.load()
    return PublishedGenerator(entry.name, generator.latent_dim, card, entry.result, generator.module)


def find_entry(name: str, zoo: str | os.PathLike | None = None) -> Entry:
    """The entry's folder; fetched first, where the zoo is a URL. Arguments and errors are `load`'s."""
    check_name(name)
    place = os.fspath(zoo or os.environ.get(ZOO_VARIABLE) or (ZOO if entries(ZOO) else REPOSITORY_ZOO))
    if place.lower().startswith(("http://", "https://")):
        return fetch(name, place.rstrip("/"))
    entry = Entry(pathlib.Path(place, name).expanduser())
    if not (entry.folder / "metrics.json").exists():
        found = ", ".join(other.name for other in entries(entry.folder.parent))
        found = f"there are {found}" if found else f"set {ZOO_VARIABLE} to the folder or URL of a zoo"
        raise UserError(f"there is no entry {name!r} in the zoo {place}; {found}")
    return entry


def fetch(name: str, zoo: str) -> Entry:
    """An entry from a server, in `$XDG_CACHE_HOME/akdg_tf/zoo`.

    What is there already and is the same is not fetched again; if the server does not answer, it is taken as it is.

    Args:
        name: of the entry.
        zoo: URL of the zoo, to which `/<name>/<file>` is added.

    Raises:
        UserError: the server cannot be reached, has no such entry, or sends a file that is not what `SHA256SUMS` lists;
            or it cannot be kept.
    """
    entry = Entry(cache_folder("zoo") / hashlib.sha256(zoo.encode()).hexdigest()[:16] / name)
    try:
        content = _get(f"{zoo}/{name}/{SUMS}")
    except Unreachable as error:
        if not _is_sound(entry):
            raise
        logger.warning("%s: taking %s, which was fetched before", error, entry.folder)
        return entry
    sums = checksums.parse(content, f"{zoo}/{name}/{SUMS}")
    try:
        entry.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(entry.folder.parent / f".lock-{name}"):
            if not (_is_sound(entry) and checksums.read(entry.folder) == sums):
                with replacing(entry.folder) as part:
                    _fetch_files(f"{zoo}/{name}", sums, part)
                    checksums.seal(part)
    except (OSError, ValueError) as error:
        raise UserError(f"{name} cannot be kept in {entry.folder.parent}: {error}") from error
    return entry


def _fetch_files(url: str, sums: dict[str, str], part: pathlib.Path) -> None:
    """Fetches the files of an entry to the folder `part`, each held against its checksum."""
    progress = Progress(f"fetching {url}: files", len(sums))
    for number, (path, expected) in enumerate(sums.items(), 1):
        content = _get(f"{url}/{urllib.parse.quote(path)}")
        if hashlib.sha256(content).hexdigest() != expected:
            raise UserError(f"{url}/{path} was changed: it is not what {SUMS} lists; nothing of it was kept")
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        (part / path).write_bytes(content)
        progress.report(number)


def _is_sound(entry: Entry) -> bool:
    """Whether an entry is there and whole; says what it is if it is there and is not."""
    if not (entry.folder / SUMS).exists():
        return False
    try:
        entry.check()
    except UserError as error:
        logger.warning("%s; fetching the entry anew", error)
        return False
    return True


class Unreachable(UserError):
    """A server did not answer."""


def _get(url: str) -> bytes:
    """What a server sends.

    Raises:
        Unreachable: it sends nothing, or not all.
        UserError: it refuses, or sends more than any file of a zoo holds.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            content = answer.read(MOST_BYTES + 1)
            if answer.length and len(content) <= MOST_BYTES:  # what is left of it
                raise http.client.IncompleteRead(content, answer.length)
    except urllib.error.HTTPError as error:
        raise UserError(f"there is no {url} ({error.code} {error.reason})") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(f"{url} cannot be fetched: {error or type(error).__name__}") from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{url} is larger than any file of a zoo: {MOST_BYTES / 1e6:.0f} MB")
    return content
