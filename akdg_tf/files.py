"""Files: read if they are regular and not too large, replaced at once, and written by one process at a time."""

import contextlib
import errno
import hashlib
import io
import json
import logging
import os
import pathlib
import shutil
import stat
from collections.abc import Iterable
from typing import BinaryIO

import filelock

from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

PART, OLD = ".part", ".old"  # suffixes of what is being written, and of what it replaces
MOST_SMALL = 10**7  # bytes of a file that is read at once: JSON, cards, lists of checksums


def cache_folder(name: str) -> pathlib.Path:
    """The folder for downloads: `$XDG_CACHE_HOME/akdg_tf/<name>`; the default of XDG_CACHE_HOME is `~/.cache`.

    Raises:
        UserError: the home folder is unknown.
    """
    try:
        return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "akdg_tf", name)
    except RuntimeError:
        raise UserError("the home folder is unknown: set XDG_CACHE_HOME to the folder for downloads") from None


def part_of(path: pathlib.Path) -> pathlib.Path:
    """The temporary path of a file or folder while it is written: in the same folder, so that it can be renamed."""
    return path.with_name(path.name + PART)


def open_regular(path: pathlib.Path, to_write: bool = False) -> io.BufferedReader | io.BufferedRandom:
    """Opens a file for reading. A pipe would block forever, and a device may never end.

    Args:
        path: the file.
        to_write: opens it for writing, too. Then a link is not followed, because it may lead anywhere.

    Raises:
        OSError: it is missing, or not a regular file or a link to one.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) if to_write else os.O_RDONLY
    number = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file: io.BufferedReader | io.BufferedRandom = os.fdopen(number, "r+b") if to_write else os.fdopen(number, "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return file


def read_small(path: pathlib.Path, most: int = MOST_SMALL) -> bytes:
    """The content of a file that has at most this many bytes.

    Raises:
        OSError: it is missing, not a regular file, or larger.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most / 1e6:g} MB", os.fspath(path))
    return content


def create(path: pathlib.Path) -> BinaryIO:
    """Makes a new file, for writing and reading. What has its name is removed first, and a link is not followed.

    Raises:
        OSError: it cannot be made, or a folder has its name.
    """
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    return os.fdopen(number, "w+b")


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a text file atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Writes a file atomically."""
    part = part_of(path)
    with create(part) as file:
        file.write(content)
    os.replace(part, path)


def write_json(path: pathlib.Path, value) -> None:
    """Writes an indented JSON file atomically."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def replace_folder(part: pathlib.Path, folder: pathlib.Path) -> None:
    """Replaces `folder` by the finished folder `part`; the old folder lies beside `part`, and is removed last."""
    old = part.with_name(part.name.removesuffix(PART) + OLD)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(part, folder)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def replacing(folder: pathlib.Path):
    """Yields an empty folder to fill, which then replaces `folder`; after an error it is removed.

    The names of the new and the old folder are hidden meanwhile: what the user calls `<folder>.old` is not touched.
    """
    part = part_of(folder.with_name(f".{folder.name}"))
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        replace_folder(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def strangers(folder: pathlib.Path, patterns: Iterable[str]) -> list[str]:
    """What a folder holds besides the files of some patterns.

    Args:
        folder: the folder.
        patterns: of paths below the folder, such as "models/*.json"; * does not stand for a slash.

    Returns:
        The relative paths of other files and links at any depth, sorted. Empty folders do not count.
    """
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [name for name in names if not any(pathlib.PurePosixPath("/", name).match(f"/{one}") for one in patterns)]


def sha256(path: pathlib.Path) -> str:
    """SHA-256 of a file, in hex; for errors see `open_regular`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: pathlib.Path) -> str:
    """SHA-256, in hex, of the contents and relative paths of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listing = "".join(f"{path.relative_to(folder)} {sha256(path)}\n" for path in files)
    return hashlib.sha256(listing.encode()).hexdigest()


@contextlib.contextmanager
def locked(path: pathlib.Path):
    """Locks the file `path` for this block. A second process logs that it waits. Killing a process frees its lock."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.info("another process is working in %s: waiting until it has finished", path.parent)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
