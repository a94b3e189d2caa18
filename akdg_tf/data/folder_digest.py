"""A digest of the files in a folder that stays the same when the folder is moved or copied."""

import hashlib
import os
import pathlib
from collections.abc import Sequence

WHOLE_BYTES, WHOLE_FILES = 256 << 20, 100_000  # folders up to this size: all content
SOME_FILES, SOME_BYTES = 1000, 256 << 10  # larger ones: number of files, and of bytes of each


class FolderDigest:
    """Digests the names, the sizes and the content of files. Their times and the folder's path do not matter.

    Of folders up to 256 MB and 100,000 files, all content is read. Of larger ones, the first 256 KB of 1,000 files are
    read, spread evenly over the sorted names, so that a million files are digested within seconds. In a large folder,
    another file of the same name and the same size may therefore stay unnoticed; compressed images hardly ever have
    the same size. What was read once is read again only if a file's size or time has changed.

    Args:
        folder: the folder.
        paths: relative paths of its files, sorted.
    """

    def __init__(self, folder: pathlib.Path, paths: Sequence[str]):
        self.folder, self.paths = folder, paths
        self._known: dict[str, tuple[tuple, str]] = {}  # path: (size, time and limit; digest of the content)

    def of(self, *parts: object) -> str:
        """SHA-256, in hex, of the files as they are now, and of the `repr` of each of `parts`."""
        states = [self._state(path) for path in self.paths]
        total = sum(size for size, _ in states)
        whole = total <= WHOLE_BYTES and len(states) <= WHOLE_FILES
        step = 1 if whole else -(-len(states) // SOME_FILES)
        digest = hashlib.sha256(repr(parts).encode())
        for number, (path, state) in enumerate(zip(self.paths, states, strict=True)):
            content = self._content(path, state, None if whole else SOME_BYTES) if number % step == 0 else ""
            digest.update(os.fsencode(path) + f"\0{state[0]} {content}\n".encode())
        return digest.hexdigest()

    def _state(self, path: str) -> tuple[int, int]:
        """Size and time of a file; (-1, -1) if it is gone."""
        try:
            status = os.stat(os.path.join(self.folder, path))
            return status.st_size, status.st_mtime_ns
        except OSError:
            return -1, -1

    def _content(self, path: str, state: tuple[int, int], limit: int | None) -> str:
        """Digest of the first `limit` bytes of a file, "" if it cannot be read."""
        if path not in self._known or self._known[path][0] != (state, limit):
            self._known[path] = (state, limit), _digest_of(self.folder / path, limit)
        return self._known[path][1]


def _digest_of(path: pathlib.Path, limit: int | None) -> str:
    if not path.is_file():  # opening a pipe would block forever
        return ""
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(limit)) if limit else hashlib.file_digest(file, "sha256")
            return digest.hexdigest()
    except OSError:
        return ""
