"""The `SHA256SUMS` of an entry: the list of its files, in the format of the program sha256sum."""

import pathlib
import re

from akdg_tf.errors import UserError
from akdg_tf.files import sha256, write_text

SUMS = "SHA256SUMS"
LINKS = ("saved_model.pb", "variables")  # into saved_model/, so that the entry itself is a SavedModel


def seal(folder: pathlib.Path) -> None:
    """Writes `SHA256SUMS` of the files of an entry, and the links."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in _files(folder)]
    write_text(folder / SUMS, "".join(lines))
    for name in LINKS:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(pathlib.Path("saved_model", name))


def read(folder: pathlib.Path) -> dict[str, str]:
    """What the `SHA256SUMS` of an entry says: path below the entry to SHA-256, in hex.

    Raises:
        UserError: there is none, or it is malformed.
    """
    try:
        return parse((folder / SUMS).read_bytes(), str(folder / SUMS))
    except OSError:
        raise UserError(f"{folder} is not an entry of a zoo: it holds no {SUMS}") from None


def parse(content: bytes, source: str) -> dict[str, str]:
    """Path to SHA-256 of the lines of a `SHA256SUMS`.

    Raises:
        UserError: a line is malformed, names a file outside the folder, or a file a second time; or there is no line.
    """
    lines = [line.partition("  ") for line in content.decode(errors="replace").splitlines()]
    sums = {name: digest for digest, _, name in lines}
    bad = [name for digest, _, name in lines if not re.fullmatch("[0-9a-f]{64}", digest) or not is_inside(name)]
    if bad or not lines or len(sums) < len(lines):
        what = f"is malformed or leads out of the entry: {bad[0][:80]!r}" if bad else "is missing, or there twice"
        raise UserError(f"{source} is not a list of checksums: a line {what}")
    return sums


def is_inside(name: str) -> bool:
    """Whether a path, as it is written, is one of something below a folder."""
    path = pathlib.PurePosixPath(name)
    return bool(path.parts) and name.isprintable() and not path.is_absolute() and ".." not in path.parts


def check(folder: pathlib.Path, required: set[str]) -> None:
    """Holds every file of an entry against its `SHA256SUMS`.

    Args:
        folder: of the entry.
        required: files that it must list.

    Raises:
        UserError: a file was changed, is missing, is not listed, or is a link; it is named.
    """
    sums = read(folder)
    missing = sorted(required - set(sums))
    if missing:
        raise UserError(f"{folder} is no whole entry of a zoo: {SUMS} lists no {missing[0]}")
    for name, expected in sums.items():
        path = folder / name
        if not path.is_file() or sha256(path) != expected:
            raise UserError(f"{path} {'was changed' if path.is_file() else 'is missing'}: it is not what {SUMS} lists")
    for name in LINKS:
        path = folder / name
        if not path.is_symlink() or path.readlink() != pathlib.Path("saved_model", name):
            raise UserError(f"{path} must be a link to saved_model/{name}")
    strangers = [name for name in _files(folder) if name not in sums]
    links = [
        path for path in folder.rglob("*") if path.is_symlink() and path.relative_to(folder).as_posix() not in LINKS
    ]
    if strangers or links:
        raise UserError(f"{links[0] if links else folder / strangers[0]} is not listed in {SUMS}, or is a link")


def _files(folder: pathlib.Path) -> list[str]:
    """Paths below an entry, sorted, of all files that `SHA256SUMS` is to list: all but itself and the links."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [name for name in names if name != SUMS and name.partition("/")[0] not in LINKS]
