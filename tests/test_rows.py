"""Arrays on disk that are read and written by rows: they are NumPy's own files."""

import numpy as np
import pytest

from akdg_tf.rows import RowFile


@pytest.mark.parametrize(("shape", "dtype"), [((7, 3, 2, 1), np.uint8), ((5, 4), np.float32), ((3,), np.int64)])
def test_what_is_written_by_rows_is_numpys_file(shape, dtype, tmp_path):
    values = (np.arange(np.prod(shape)) % 200).reshape(shape).astype(dtype)
    made = RowFile.create(tmp_path / "x.npy", shape, dtype)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), np.zeros(shape, dtype))
    made.write(2, values[2:])
    made.write(0, values[:2])
    made.sync()
    made.close()
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), values)
    found = RowFile(tmp_path / "x.npy")
    assert (found.shape, found.dtype) == (shape, dtype)
    np.testing.assert_array_equal(found.read([2, 0, 2]), values[[2, 0, 2]])


@pytest.mark.parametrize("content", [b"", b"no array", lambda whole: whole[:-1], lambda whole: whole + b"x"])
def test_a_file_that_does_not_fit_its_header_is_refused(content, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 2)))
    whole = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content if isinstance(content, bytes) else content(whole))
    with pytest.raises(ValueError):
        RowFile(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [b"()    ", b"(3,   "])
def test_a_header_that_numpy_does_not_understand_is_refused_alike(shape, tmp_path):
    """NumPy takes a single number, and raises tokenize.TokenError for what is not closed."""
    RowFile.create(tmp_path / "x.npy", (3, 2), np.uint8)
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes().replace(b"(3, 2)", shape))
    with pytest.raises(ValueError, match=r"x\.npy has"):
        RowFile(tmp_path / "x.npy")
