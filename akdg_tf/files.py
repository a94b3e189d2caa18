"""Writing files so that nothing is ever half there: atomic replacement, and one writer at a time."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import pathlib
import shutil

logger = logging.getLogger(__name__)


def cache_folder(name: str) -> pathlib.Path:
    """Where what was fetched is kept: `$XDG_CACHE_HOME/akdg_tf/<name>`, by default below `~/.cache`."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "akdg_tf", name)


def part_of(path: pathlib.Path) -> pathlib.Path:
    """Where a file or folder lies while it is being made: beside its place, so that it can be moved there at once."""
    return path.with_name(path.name + ".part")


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a text file atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Writes a file atomically."""
    part = part_of(path)
    part.write_bytes(content)
    os.replace(part, path)


def write_json(path: pathlib.Path, value) -> None:
    """Writes an indented JSON file atomically."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def replace_folder(part: pathlib.Path, folder: pathlib.Path) -> None:
    """Puts the finished folder `part` in the place of `folder`, which is removed only after it has been."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(part, folder)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def replacing(folder: pathlib.Path):
    """Gives an empty folder, which takes the place of `folder` when it is filled; of a failure nothing is left."""
    part = part_of(folder)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        replace_folder(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sha256(path: pathlib.Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: pathlib.Path) -> str:
    """SHA-256, in hex, of the files below a folder and their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listing = "".join(f"{path.relative_to(folder)} {sha256(path)}\n" for path in files)
    return hashlib.sha256(listing.encode()).hexdigest()


@contextlib.contextmanager
def locked(path: pathlib.Path):
    """Holds the lock file `path` against other processes: who comes second says so and waits. A kill frees it."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            logger.info("another process is at work in %s: waiting for it to end", path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
