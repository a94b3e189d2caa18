"""The pages of an LMDB file: where its entries lie.

Branch pages of a B+ tree lead to leaf pages. These hold nodes: a key, and a value or the first page of a value.
"""

import dataclasses
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from akdg_tf.data.lmdb_meta import PAGE, read_meta
from akdg_tf.errors import UserError

NODE_BYTES = 8  # before its key: the size of the value, or a page in 6 bytes; flags; the size of the key
BRANCH, LEAF, KINDS = 1, 2, 15  # flags of a page: two kinds of it, and those of all kinds
BIG, NESTED = 1, 6  # flags of a node: its value lies on pages of its own; it is a database, or there are several values
FIRST_PAGE = 2  # after the meta pages
DEEPEST = 32  # levels of the tree that LMDB itself follows


@dataclasses.dataclass(frozen=True)
class Leaf:
    """The entries of one leaf page, in the order of their keys.

    Attributes:
        keys: the keys, one after the other.
        key_sizes: int64 [n].
        nodes: where the nodes lie in the file, int64 [n].
        places: where the values lie in the file, int64 [n].
        sizes: of the values, int64 [n].
    """

    keys: bytes
    key_sizes: np.ndarray
    nodes: np.ndarray
    places: np.ndarray
    sizes: np.ndarray


class LmdbPages:
    """An LMDB file that is read page by page. Nothing may write to it meanwhile.

    Args:
        path: the file.

    Attributes:
        path: the file.
        meta: what its meta page says.

    Raises:
        OSError: the system cannot read it.
        UserError: it is not an LMDB file of a format that is read, or is damaged.
    """

    def __init__(self, path: pathlib.Path):
        self.path, self._file = path, path.open("rb")
        self._bytes = os.fstat(self._file.fileno()).st_size
        self._advise(0, 0, "POSIX_FADV_RANDOM")  # the neighbours of a page or a value are not wanted
        self.meta = read_meta(path, self.read)

    def read(self, start: int, size: int) -> bytes:
        """Bytes of the file; fewer if it ends before."""
        return os.pread(self._file.fileno(), size, start)

    def is_whole(self) -> bool:
        """Whether the file is still as long as it was."""
        try:
            return os.fstat(self._file.fileno()).st_size >= self._bytes
        except OSError:
            return False

    def leaves(self) -> Iterator[Leaf]:
        """The leaf pages of the main database, in the order of their keys.

        Raises:
            OSError: the system cannot read the file.
            UserError: the file is cut or damaged, or holds sub-databases.
        """
        meta, found = self.meta, 0
        if meta.depth > DEEPEST or meta.entries > self._bytes // NODE_BYTES:
            raise self._damaged(f"{meta.entries:,} entries in {meta.depth} levels")
        pending = [(meta.root, 1)] if meta.root is not None else []
        while pending:
            number, level = pending.pop()
            page, nodes = self._page(number, LEAF if level == meta.depth else BRANCH)
            if level < meta.depth:
                pending += [(child, level + 1) for child in reversed(self._children(page, nodes))]
                continue
            found += len(nodes)
            if found > meta.entries:  # branch pages may lead in circles
                break
            yield self._leaf(number, page, nodes)
        if found != meta.entries:
            raise self._damaged("its pages hold another number of entries than it says")

    def _damaged(self, what: str) -> UserError:
        """The error of a file that is damaged."""
        return UserError(f"{self.path} is damaged ({what}): copy or download it again")

    def _advise(self, start: int, size: int, advice: str) -> None:
        """Tells the system how a part of the file will be read, where it can be told."""
        if hasattr(os, "posix_fadvise") and start < self._bytes:
            os.posix_fadvise(self._file.fileno(), start, size, getattr(os, advice))

    def _page(self, number: int, kind: int) -> tuple[bytes, np.ndarray]:
        """A page of the tree, and where its nodes begin in it, int64 [n]."""
        size = self.meta.page_bytes
        self._check_extent(np.array([number]), np.array([size - PAGE.itemsize]))
        page = self.read(number * size, size)
        head = np.frombuffer(page, PAGE, 1)[0]
        count = (int(head["lower"]) - PAGE.itemsize) // 2
        if head["number"] == number and head["flags"] & KINDS == kind and 0 < count <= (size - PAGE.itemsize) // 2:
            nodes = np.frombuffer(page, "<u2", count, PAGE.itemsize).astype(np.int64)
            if nodes.max() <= size - NODE_BYTES:
                return page, nodes
        raise self._damaged(f"page {number}")

    def _check_extent(self, first: np.ndarray, sizes: np.ndarray) -> None:
        """Checks that what has these first pages, and these sizes without the head of a page, lies in the file."""
        ends = first * self.meta.page_bytes + PAGE.itemsize + sizes
        if first.min() < FIRST_PAGE or first.max() > self.meta.last_page or ends.max() > self.meta.file_bytes:
            raise self._damaged("pages that do not exist")
        if ends.max() > self._bytes:
            raise UserError(
                f"{self.path} is cut: it holds {self._bytes:,} of {self.meta.file_bytes:,} bytes; "
                "copy or download it again"
            )

    def _children(self, page: bytes, nodes: np.ndarray) -> list[int]:
        """The pages that a branch page leads to. The system begins to read them all."""
        low, middle, high, _ = _heads(page, nodes).T
        children = (low | middle << 16 | high << 32).tolist()
        for child in children:
            self._advise(child * self.meta.page_bytes, self.meta.page_bytes, "POSIX_FADV_WILLNEED")
        return children

    def _leaf(self, number: int, page: bytes, nodes: np.ndarray) -> Leaf:
        low, high, flags, key_sizes = _heads(page, nodes).T
        starts, sizes, is_big = nodes + NODE_BYTES, low | high << 16, (flags & BIG) != 0
        ends = starts + key_sizes
        inside = np.where(is_big, 8, sizes)
        if (ends + inside).max() > self.meta.page_bytes or (ends + inside - nodes).sum() > self.meta.page_bytes:
            raise self._damaged(f"page {number}")
        keys = [page[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        if (flags & NESTED).any():
            name = keys[int(np.argmax(flags & NESTED))].decode(errors="backslashreplace")
            raise UserError(
                f"{self.path} holds sub-databases, such as {name!r}: only images in its main database are read"
            )
        begin = number * self.meta.page_bytes
        places = begin + ends
        if is_big.any():
            first = _at(page, ends[is_big], 8).view("<i8")[:, 0]
            self._check_extent(first, sizes[is_big])
            places[is_big] = first * self.meta.page_bytes + PAGE.itemsize
        return Leaf(b"".join(keys), key_sizes, begin + nodes, places, sizes)


def _heads(page: bytes, nodes: np.ndarray) -> np.ndarray:
    """The heads of nodes, four numbers of 16 bits each, int64 [n, 4]."""
    return _at(page, nodes, NODE_BYTES).view("<u2").astype(np.int64)


def _at(page: bytes, starts: np.ndarray, size: int) -> np.ndarray:
    """The bytes from each of these places on, uint8 [n, size]."""
    return np.frombuffer(page, np.uint8)[starts[:, None] + np.arange(size)]
