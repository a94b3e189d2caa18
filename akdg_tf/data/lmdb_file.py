"""The entries of an LMDB file, by number.

They are read without LMDB's own library. That maps the file into memory and trusts it, so that a file that is cut or
damaged ends the process. Its Python package also touches every value when it lists the keys. The bedrooms of LSUN are
46 GB, and the pages that hold their keys about 0.2 GB.
"""

import hashlib
import pathlib

import numpy as np

from akdg_tf.data.lmdb_pages import NODE_BYTES, LmdbPages
from akdg_tf.errors import UserError

SAMPLED = 1000  # values of which the digest covers the content


class LmdbFile:
    """The entries of the main database of an LMDB file, sorted by key as LMDB sorts them.

    An entry takes 20 bytes of memory. The methods may be called by several threads at once. Nothing may write to the
    file meanwhile.

    Args:
        path: the file, usually named `data.mdb`.

    Raises:
        UserError: the file cannot be read, is not an LMDB file, is cut or damaged, holds no entries, or holds
            sub-databases.
    """

    def __init__(self, path: pathlib.Path):
        try:
            self._pages = LmdbPages(path)
            self._list()
        except OSError as error:
            raise UserError(_unreadable(path, error)) from None

    def _list(self) -> None:
        """Finds all entries."""
        keys, shapes, found = hashlib.sha256(), hashlib.sha256(), []
        for leaf in self._pages.leaves():
            keys.update(leaf.keys)
            shapes.update(np.stack([leaf.key_sizes, leaf.sizes], 1).astype("<i8").tobytes())
            found.append((leaf.nodes, leaf.places, leaf.sizes.astype(np.uint32)))
        if not found:
            raise UserError(f"{self._pages.path} is an empty LMDB file")
        self._nodes, self._places, self._sizes = map(np.concatenate, zip(*found, strict=True))
        self._listed = hashlib.sha256(keys.digest() + shapes.digest())

    def __len__(self) -> int:
        return len(self._sizes)

    def key(self, number: int) -> bytes:
        """The key of an entry."""
        node = int(self._nodes[number])
        size = int.from_bytes(self._pages.read(node + NODE_BYTES - 2, 2), "little")
        return self._pages.read(node + NODE_BYTES, size)

    def value(self, number: int) -> bytes:
        """The value of an entry; shorter than it was if the file was cut meanwhile.

        Raises:
            OSError: the system cannot read it.
        """
        return self._pages.read(int(self._places[number]), int(self._sizes[number]))

    def is_whole(self) -> bool:
        """Whether the file can be read and is still as long as it was."""
        return self._pages.is_whole()

    def digest(self) -> bytes:
        """SHA-256 of all keys, of the sizes of all values, and of the content of 1,000 values, spread evenly.

        It does not depend on where the entries lie in the file, so that a compacted copy has the same digest. Of more
        than 1,000 entries, another value of the same size may stay unnoticed; compressed images hardly ever have the
        same size.

        Raises:
            UserError: the system cannot read the file.
        """
        digest = self._listed.copy()
        try:
            for number in range(0, len(self), -(-len(self) // SAMPLED)):
                digest.update(hashlib.sha256(self.value(number)).digest())
        except OSError as error:
            raise UserError(_unreadable(self._pages.path, error)) from None
        return digest.digest()


def _unreadable(path: pathlib.Path, error: OSError) -> str:
    return f"{path} cannot be read ({error.strerror})"
