"""The meta pages of an LMDB file: how large its pages are, and where the tree of its entries begins.

Two meta pages come first, of which the one of the later transaction counts. The format is 1, that of LMDB 0.9, as
machines write it that are little-endian and have 64 bits.
"""

import dataclasses
import os
from collections.abc import Callable

import numpy as np

from akdg_tf.errors import UserError

MAGIC, FORMAT = 0xBEEFC0DE, 1
PAGE_SIZES = [1 << power for power in range(8, 17)]
PAGE = np.dtype([("number", "<u8"), ("pad", "<u2"), ("flags", "<u2"), ("lower", "<u2"), ("upper", "<u2")])
TREE = np.dtype(
    [
        *(("page_bytes", "<u4"), ("flags", "<u2"), ("depth", "<u2")),
        *(("pages", "<u8", 3), ("entries", "<u8"), ("root", "<u8")),
    ]
)
META = np.dtype(
    [
        *(("magic", "<u4"), ("format", "<u4"), ("map", "<u8", 2), ("free", TREE), ("main", TREE)),
        *(("last_page", "<u8"), ("transaction", "<u8")),
    ]
)
NO_ROOT = 2**64 - 1  # of an empty tree


@dataclasses.dataclass(frozen=True)
class Meta:
    """What the meta page says.

    Attributes:
        page_bytes: size of a page.
        last_page: number of the last page in use.
        root: page at which the tree of the main database begins, None if it is empty.
        depth: levels of that tree.
        entries: entries of the main database.
    """

    page_bytes: int
    last_page: int
    root: int | None
    depth: int
    entries: int

    @property
    def file_bytes(self) -> int:
        """Size of the whole file."""
        return (self.last_page + 1) * self.page_bytes


def read_meta(path: os.PathLike, read: Callable[[int, int], bytes]) -> Meta:
    """The meta page that counts.

    Args:
        path: the file, for messages.
        read: (start, size) to the bytes of the file.

    Raises:
        UserError: it is not an LMDB file of this format, or is damaged.
    """
    first = _meta_at(0, read)
    if first is None:
        raise UserError(f"{path} is not a file of LMDB 0.9 that a little-endian machine of 64 bits has written")
    page_bytes = int(first["free"]["page_bytes"])
    if page_bytes not in PAGE_SIZES:
        raise UserError(f"{path} is damaged (pages of {page_bytes} bytes): copy or download it again")
    second = _meta_at(page_bytes, read)
    if second is None:
        raise UserError(f"{path} is damaged (no second meta page): copy or download it again")
    newer = max(first, second, key=lambda meta: meta["transaction"])
    tree = newer["main"]
    root = None if int(tree["root"]) == NO_ROOT else int(tree["root"])
    return Meta(page_bytes, int(newer["last_page"]), root, int(tree["depth"]), int(tree["entries"]))


def _meta_at(start: int, read: Callable[[int, int], bytes]) -> np.void | None:
    """The meta page that begins there, None if there is none."""
    content = read(start + PAGE.itemsize, META.itemsize)
    meta = np.frombuffer(content, META)[0] if len(content) == META.itemsize else None
    return meta if meta is not None and (meta["magic"], meta["format"]) == (MAGIC, FORMAT) else None
