"""Fetching an entry from a server into a cache. Its signature and checksums are checked before it is stored."""

import hashlib
import logging
import pathlib
import urllib.parse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from akdg_tf.errors import UserError
from akdg_tf.files import cache_folder, locked, replacing, write_bytes
from akdg_tf.progress import Progress
from akdg_tf.zoo import checksums, download, signatures
from akdg_tf.zoo.checksums import SIGNATURE, SUMS
from akdg_tf.zoo.entries import Entry

logger = logging.getLogger(__name__)

MOST_BYTES = 10**9  # of all files of an entry together, at most


def fetch(name: str, zoo: str, key: Ed25519PublicKey | None = None) -> Entry:
    """Fetches an entry from a server into `$XDG_CACHE_HOME/akdg_tf/zoo`.

    An entry that was fetched before is fetched again only if it has changed or is damaged. If the server does not
    answer, the entry that was fetched before is used.

    Args:
        name: of the entry.
        zoo: URL of the zoo, to which `/<name>/<file>` is added.
        key: the public key that the entry must be signed with; None: no signature is needed, and none is fetched. The
            signature of an entry that was fetched before is not checked.

    Returns:
        The entry in the cache.

    Raises:
        UserError: the server cannot be reached, has no such entry, or sends a file that does not match its checksum;
            its signature is missing or wrong, before any other file is fetched; or the entry cannot be stored.
    """
    entry = Entry(cache_folder("zoo") / hashlib.sha256(zoo.encode()).hexdigest()[:16] / name)
    try:
        listed = download.get(f"{zoo}/{name}/{SUMS}", checksums.MOST_BYTES)
        signature = _fetch_signature(f"{zoo}/{name}", listed, key) if key else None
    except download.Unreachable as error:
        if not _is_sound(entry):
            raise
        logger.warning("%s: using %s, which was fetched before", error, entry.folder)
        return entry
    sums = checksums.parse(listed, f"{zoo}/{name}/{SUMS}")
    try:
        entry.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(entry.folder.parent / f".lock-{name}"):
            if not (_is_sound(entry) and checksums.content(entry.folder) == listed):
                with replacing(entry.folder) as part:
                    _fetch_files(f"{zoo}/{name}", sums, part)
                    checksums.write(part, listed)
            if signature:
                write_bytes(entry.folder / SIGNATURE, signature)
    except (OSError, ValueError) as error:
        raise UserError(f"{name} cannot be stored in {entry.folder.parent}: {error}") from error
    return entry


def _fetch_signature(url: str, listed: bytes, key: Ed25519PublicKey) -> bytes:
    """Fetches the signature of an entry, and checks it before anything else is fetched.

    Args:
        url: of the entry.
        listed: its `SHA256SUMS`.
        key: the public key.

    Raises:
        UserError: it is missing or wrong.
    """
    try:
        signature = download.get(f"{url}/{SIGNATURE}", signatures.SIGNATURE_BYTES)
    except download.Unreachable:
        raise
    except UserError as error:  # the server has none, or sends something else
        raise UserError(f"{url} is not signed: {error}") from None
    signatures.check_signature(signature, listed, key, url)
    return signature


def _fetch_files(url: str, sums: dict[str, str], part: pathlib.Path) -> None:
    """Fetches the files of an entry into the folder `part`, and compares each with its checksum."""
    progress, left = Progress(f"fetching {url}: files", len(sums)), MOST_BYTES
    for number, (path, expected) in enumerate(sums.items(), 1):
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        found, size = download.save(f"{url}/{urllib.parse.quote(path)}", part / path, left)
        if found != expected:
            raise UserError(f"{url}/{path} was changed: its checksum is not the one in {SUMS}; it was not stored")
        left -= size
        progress.report(number)


def _is_sound(entry: Entry) -> bool:
    """Whether an entry exists and is undamaged. Logs the damage."""
    if not (entry.folder / SUMS).exists():
        return False
    try:
        entry.check()
    except UserError as error:
        logger.warning("%s; fetching the entry again", error)
        return False
    return True
