"""The `SHA256SUMS` of an entry: the checksums of its files, in the format of the program sha256sum."""

import logging
import pathlib
import re
import shutil
from collections.abc import Mapping

from akdg_tf.errors import UserError
from akdg_tf.files import read_small, sha256, write_bytes

logger = logging.getLogger(__name__)

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"  # neither is listed in the first
UNSIGNED = "%s has changed, and its signature was removed: sign it again"
MOST_BYTES, MOST_FILES, MOST_PARTS, MOST_LETTERS = 10**6, 1000, 10, 300  # of the list; files; parts, letters of a path
LINKS = ("saved_model.pb", "variables")  # links into saved_model/, so that the entry itself is a SavedModel


def seal(folder: pathlib.Path) -> None:
    """Writes `SHA256SUMS` for the files of an entry, and the links in `LINKS`. A stale signature is removed."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in _files(folder)]
    listed = "".join(lines).encode()
    if (folder / SIGNATURE).exists() and not ((folder / SUMS).exists() and content(folder) == listed):
        (folder / SIGNATURE).unlink()
        logger.warning(UNSIGNED, folder)
    write(folder, listed)


def write(folder: pathlib.Path, listed: bytes) -> None:
    """Writes `SHA256SUMS`, and the links in `LINKS`."""
    write_bytes(folder / SUMS, listed)
    for name in LINKS:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(pathlib.Path("saved_model", name))


def keep_signature(old: pathlib.Path, new: pathlib.Path) -> None:
    """Copies the signature of an entry to the folder that will replace it, if both have the same `SHA256SUMS`."""
    if (old / SIGNATURE).exists() and content(old) == content(new):
        shutil.copy(old / SIGNATURE, new / SIGNATURE)
    elif (old / SIGNATURE).exists():
        logger.warning(UNSIGNED, old)


def content(folder: pathlib.Path) -> bytes:
    """The content of the `SHA256SUMS` of an entry.

    Raises:
        UserError: there is none, or it is not a regular file or too large.
    """
    try:
        return read_small(folder / SUMS, MOST_BYTES)
    except FileNotFoundError:
        raise UserError(f"{folder} is not an entry of a zoo: it holds no {SUMS}") from None
    except OSError as error:
        raise UserError(f"{folder / SUMS} is not a list of checksums: {error.strerror}") from None


def read(folder: pathlib.Path) -> dict[str, str]:
    """Reads the `SHA256SUMS` of an entry.

    Returns:
        SHA-256, in hex, by the path of the file below the entry.

    Raises:
        UserError: the file is missing or malformed.
    """
    return parse(content(folder), str(folder / SUMS))


def parse(listed: bytes, source: str) -> dict[str, str]:
    """Parses the content of a `SHA256SUMS`.

    Args:
        listed: content of the file.
        source: path or URL of the file, for errors.

    Returns:
        SHA-256, in hex, by path.

    Raises:
        UserError: a line is malformed or names a file outside the entry, or the list is empty or names a file twice.
    """
    if listed.count(b"\n") > MOST_FILES:
        raise UserError(f"{source} is not a list of checksums: an entry has at most {MOST_FILES} files")
    lines = [line.partition("  ") for line in listed.decode(errors="replace").splitlines()]
    sums = {name: digest for digest, _, name in lines}
    bad = [name for digest, _, name in lines if not re.fullmatch("[0-9a-f]{64}", digest) or not is_inside(name)]
    if bad or not lines or len(sums) < len(lines):
        line = f"a line is malformed or names a file outside the entry: {bad[0][:80]!r}" if bad else ""
        raise UserError(f"{source} is not a list of checksums: {line or 'it is empty or names a file twice'}")
    return sums


def is_inside(name: str) -> bool:
    """Whether a path is one that a list of checksums may name: plain, relative, printable, and not too long.

    The list itself, its signature and what lies behind the links in `LINKS` are not.
    """
    if len(name) > MOST_LETTERS or not name.isprintable() or "\\" in name:
        return False
    path = pathlib.PurePosixPath(name)
    plain = str(path) == name and not path.is_absolute() and ".." not in path.parts  # "./a", "a//b" and "" are not
    return plain and 0 < len(path.parts) <= MOST_PARTS and path.parts[0] not in (SUMS, SIGNATURE, *LINKS)


def check(folder: pathlib.Path, required: set[str]) -> None:
    """Compares all files of an entry with its `SHA256SUMS`.

    Args:
        folder: of the entry.
        required: files that `SHA256SUMS` must list.

    Raises:
        UserError: a file was changed, is missing, is not listed, or is a link. The error names the file.
    """
    sums = read(folder)
    missing = sorted(required - set(sums))
    if missing:
        raise UserError(f"{folder} is not a complete entry of a zoo: {SUMS} does not list {missing[0]}")
    for name, expected in sums.items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path} is missing: it is listed in {SUMS}")
        if _sha256(path) != expected:
            raise UserError(f"{path} was changed: its checksum is not the one in {SUMS}")
    for name in LINKS:
        path = folder / name
        if not path.is_symlink() or path.readlink() != pathlib.Path("saved_model", name):
            raise UserError(f"{path} must be a link to saved_model/{name}")
    check_listed(folder, sums)


def check_listed(folder: pathlib.Path, sums: Mapping[str, str]) -> None:
    """Checks that an entry holds nothing besides the files in its list: no link besides `LINKS`, no pipe, no device.

    Raises:
        UserError: it does. The error names the file.
    """
    strangers = [name for name in _files(folder) if name not in sums or (folder / name).is_symlink()]
    links = [name for name in (SUMS, SIGNATURE) if (folder / name).is_symlink()]
    if strangers or links:
        raise UserError(f"{folder / [*links, *strangers][0]} is not listed in {SUMS}, or is a link: remove it")


def _files(folder: pathlib.Path) -> list[str]:
    """Sorted paths, below the entry, of what `SHA256SUMS` must list: not folders, `LINKS`, itself and its signature."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [name for name in names if name not in (SUMS, SIGNATURE) and name.partition("/")[0] not in LINKS]


def _sha256(path: pathlib.Path) -> str | None:
    """SHA-256 of a file, None if it cannot be read."""
    try:
        return sha256(path)
    except OSError:
        return None
