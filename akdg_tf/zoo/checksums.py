"""The `SHA256SUMS` of an entry: the checksums of its files, in the format of the program sha256sum."""

import pathlib
import re
from collections.abc import Mapping

from akdg_tf.errors import UserError
from akdg_tf.files import sha256, write_text

SUMS = "SHA256SUMS"
MOST_FILES, MOST_PARTS, MOST_LETTERS = 1000, 10, 300  # files of an entry; folders and letters of a path
LINKS = ("saved_model.pb", "variables")  # links into saved_model/, so that the entry itself is a SavedModel


def seal(folder: pathlib.Path) -> None:
    """Writes `SHA256SUMS` for the files of an entry, and the links in `LINKS`."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in _files(folder)]
    write_text(folder / SUMS, "".join(lines))
    for name in LINKS:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(pathlib.Path("saved_model", name))


def read(folder: pathlib.Path) -> dict[str, str]:
    """Reads the `SHA256SUMS` of an entry.

    Returns:
        SHA-256, in hex, by the path of the file below the entry.

    Raises:
        UserError: the file is missing or malformed.
    """
    try:
        return parse((folder / SUMS).read_bytes(), str(folder / SUMS))
    except OSError:
        raise UserError(f"{folder} is not an entry of a zoo: it holds no {SUMS}") from None


def parse(content: bytes, source: str) -> dict[str, str]:
    """Parses the content of a `SHA256SUMS`.

    Args:
        content: of the file.
        source: path or URL of the file, for errors.

    Returns:
        SHA-256, in hex, by path.

    Raises:
        UserError: a line is malformed or names a file outside the entry, or the list is empty or names a file twice.
    """
    if content.count(b"\n") > MOST_FILES:
        raise UserError(f"{source} is not a list of checksums: an entry has at most {MOST_FILES} files")
    lines = [line.partition("  ") for line in content.decode(errors="replace").splitlines()]
    sums = {name: digest for digest, _, name in lines}
    bad = [name for digest, _, name in lines if not re.fullmatch("[0-9a-f]{64}", digest) or not is_inside(name)]
    if bad or not lines or len(sums) < len(lines):
        line = f"a line is malformed or names a file outside the entry: {bad[0][:80]!r}" if bad else ""
        raise UserError(f"{source} is not a list of checksums: {line or 'it is empty or names a file twice'}")
    return sums


def is_inside(name: str) -> bool:
    """Whether a path, as written, is relative, printable, not too long, and below its folder."""
    if len(name) > MOST_LETTERS:
        return False
    path = pathlib.PurePosixPath(name)
    return (
        0 < len(path.parts) <= MOST_PARTS and name.isprintable() and not path.is_absolute() and ".." not in path.parts
    )


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
        if not path.is_file() or sha256(path) != expected:
            what = "was changed: its checksum is not the one" if path.is_file() else "is missing: it is listed"
            raise UserError(f"{path} {what} in {SUMS}")
    for name in LINKS:
        path = folder / name
        if not path.is_symlink() or path.readlink() != pathlib.Path("saved_model", name):
            raise UserError(f"{path} must be a link to saved_model/{name}")
    check_listed(folder, sums)


def check_listed(folder: pathlib.Path, sums: Mapping[str, str]) -> None:
    """Checks that an entry holds no file besides those in its list, and no link besides `LINKS`.

    Raises:
        UserError: it does. The error names the file.
    """
    strangers = [name for name in _files(folder) if name not in sums]
    links = [
        path for path in folder.rglob("*") if path.is_symlink() and path.relative_to(folder).as_posix() not in LINKS
    ]
    if strangers or links:
        raise UserError(
            f"{links[0] if links else folder / strangers[0]} is not listed in {SUMS}, or is a link: remove it"
        )


def _files(folder: pathlib.Path) -> list[str]:
    """Sorted paths, below the entry, of the files that `SHA256SUMS` lists: all files except itself and the links."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [name for name in names if name != SUMS and name.partition("/")[0] not in LINKS]
