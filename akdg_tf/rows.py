"""Arrays in .npy files, read and written by rows. They are not mapped, so that memory does not grow with them."""

import os
import pathlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from akdg_tf.files import create, open_regular


class RowFile:
    """An .npy file of an array in C order.

    Args:
        path: an existing file.
        writable: whether `write` is used.

    Attributes:
        shape, dtype: of the array.

    Raises:
        OSError: it is missing or not a regular file; a link, if it is to be written.
        ValueError: it is not an .npy file of such an array, or its size does not fit its header.
    """

    def __init__(self, path: pathlib.Path, writable: bool = False):
        self._file = open_regular(path, to_write=writable)
        try:
            self.shape, in_fortran_order, self.dtype = _header(self._file, path)
            self._start = self._file.tell()
            self._row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
            if in_fortran_order or path.stat().st_size != self._start + self.shape[0] * self._row_bytes:
                raise ValueError(f"{path} is cut or in another order")
        except BaseException:
            self._file.close()
            raise

    @classmethod
    def create(cls, path: pathlib.Path, shape: tuple[int, ...], dtype: np.dtype | type) -> "RowFile":
        """Makes a file of zeros, and takes its whole space on the disk at once.

        Raises:
            OSError: the disk is full; the error names the file.
        """
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        with create(path) as file:
            np.lib.format.write_array_header_1_0(file, header)
            size = file.tell() + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            file.flush()
            try:
                _take_space(file.fileno(), size)
            except OSError as error:  # which names no file
                raise OSError(error.errno, error.strerror, str(path)) from error
        return cls(path, writable=True)

    def read(self, index: Sequence[int]) -> np.ndarray:
        """The rows with these numbers, [n, *shape[1:]]."""
        rows = np.empty((len(index), *self.shape[1:]), self.dtype)
        for place, number in enumerate(index):
            content = os.pread(self._file.fileno(), self._row_bytes, self._start + int(number) * self._row_bytes)
            rows[place] = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        return rows

    def write(self, first: int, rows: np.ndarray) -> None:
        """Writes rows from the number `first` on."""
        content = np.ascontiguousarray(rows, self.dtype).tobytes()
        os.pwrite(self._file.fileno(), content, self._start + first * self._row_bytes)

    def sync(self) -> None:
        """Brings everything to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _header(file: BinaryIO, path: pathlib.Path) -> tuple[tuple[int, ...], bool, np.dtype]:
    """The shape, whether the order is Fortran's, and the dtype.

    Raises:
        ValueError: the header is damaged, or of another format.
    """
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, in_fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
            if shape:
                return shape, in_fortran_order, dtype
    except Exception as error:  # of a damaged header NumPy may raise anything
        raise ValueError(f"{path} has a damaged header") from error
    raise ValueError(f"{path} has the format {version}, or holds a single number")


def _take_space(file: int, size: int) -> None:
    """Makes a file as long as this; where the system can, a full disk shows here, and not when rows are written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)
