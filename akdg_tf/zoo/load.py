"""Loading an entry in one line, from a folder or from a server, never before its checksums hold."""

import dataclasses
import functools
import hashlib
import logging
import os
import pathlib
import random
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.errors import UserError
from akdg_tf.files import locked, replace_folder
from akdg_tf.progress import Progress
from akdg_tf.teachers import Teacher
from akdg_tf.zoo.entries import SUMS, ZOO, Entry, check_name, entries, parse_sums

logger = logging.getLogger(__name__)

TIMEOUT = 60  # seconds without an answer
REPOSITORY_ZOO = pathlib.Path(__file__).parents[2] / "zoo"


@dataclasses.dataclass(frozen=True)
class PublishedGenerator:
    """A generator of the zoo.

    Attributes:
        name: of the entry.
        card: the entry's card, in Markdown.
        metrics: what the entry's `metrics.json` holds.
        generator: the Reusable SavedModel: `generator(z)` maps float32 [n, latent_dim], drawn from N(0, I), to
            float32 images [n, height, width, channels] in [0, 1].
        latent_dim: size of the latent.
    """

    name: str
    card: str
    metrics: dict
    generator: tf.Module
    latent_dim: int

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
        seed = random.randrange(2**32) if seed is None else seed
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
    generator: Teacher = entry.load()
    card = (entry.folder / "card.md").read_text()
    return PublishedGenerator(entry.name, card, entry.metrics, generator.module, generator.latent_dim)


def find_entry(name: str, zoo: str | os.PathLike | None = None) -> Entry:
    """The entry's folder; fetched first, where the zoo is a URL. Arguments and errors are `load`'s."""
    check_name(name)
    zoo = os.fspath(zoo or os.environ.get("AKDG_ZOO") or (ZOO if ZOO.is_dir() else REPOSITORY_ZOO))
    if zoo.startswith(("http://", "https://")):
        return fetch(name, zoo.rstrip("/"))
    entry = Entry(pathlib.Path(zoo, name))
    if not (entry.folder / "metrics.json").exists():
        found = ", ".join(other.folder.name for other in entries(pathlib.Path(zoo)))
        found = f"there are {found}" if found else "set AKDG_ZOO to the folder or URL of a zoo"
        raise UserError(f"there is no entry {name!r} in the zoo {zoo}; {found}")
    return entry


def fetch(name: str, zoo: str) -> Entry:
    """An entry from a server, in `$XDG_CACHE_HOME/akdg_tf/zoo`; what is there already and is the same is not fetched.

    Args:
        name: of the entry.
        zoo: URL of the zoo, to which `/<name>/<file>` is added.

    Raises:
        UserError: the server cannot be reached, has no such entry, or sends a file that is not what `SHA256SUMS` lists.
    """
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "akdg_tf", "zoo")
    folder = cache / hashlib.sha256(zoo.encode()).hexdigest()[:16] / name
    text = _get(f"{zoo}/{name}/{SUMS}", f"there is no entry {name!r} in the zoo {zoo}").decode()
    sums = parse_sums(text)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / f".lock-{name}"):
        if not ((folder / SUMS).exists() and (folder / SUMS).read_text() == text and _is_sound(Entry(folder))):
            with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
                part = pathlib.Path(temporary, name)
                _fetch_files(f"{zoo}/{name}", sums, part)
                (part / SUMS).write_text(text)
                replace_folder(part, folder)
    return Entry(folder)


def _fetch_files(url: str, sums: dict[str, str], part: pathlib.Path) -> None:
    """Fetches the files of an entry to the folder `part`, each held against its checksum."""
    progress = Progress(f"fetching {url}: files", len(sums))
    for number, (path, expected) in enumerate(sums.items(), 1):
        content = _get(f"{url}/{urllib.parse.quote(path)}", f"{url} lacks {path}")
        if hashlib.sha256(content).hexdigest() != expected:
            raise UserError(f"{url}/{path} was changed: it is not what {SUMS} lists; nothing of it was kept")
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        (part / path).write_bytes(content)
        progress.report(number)


def _is_sound(entry: Entry) -> bool:
    try:
        entry.check()
    except UserError as error:
        logger.warning("%s; fetching the entry anew", error)
        return False
    return True


def _get(url: str, missing: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise UserError(f"{missing} ({error.code} {error.reason})") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{url} cannot be fetched: {error}") from None
