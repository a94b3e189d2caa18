"""CIFAR-10, from keras.datasets or from a folder in the official layout `cifar-10-batches-py`."""

import io
import pathlib
import pickle
import pickletools
import re

import keras
import numpy as np

from akdg_tf.data.images import ImageArrays
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError
from akdg_tf.files import read_small

FOLDER = "cifar-10-batches-py"
NAMES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
CLASSES = 10
MOST_BYTES = 10**8  # of a file; an official one has 31 MB
WAYS = (
    f"give --data_dir=FOLDER, where FOLDER holds {FOLDER}; or train on your own images with --data_dir=FOLDER and "
    "--gin_param=\"Data.name='folder'\"; or run once with a network, so that keras.datasets downloads CIFAR-10"
)


@register_dataset("cifar10")
def load_cifar10(data_dir=None, sample_shape=None) -> ImageArrays:
    """CIFAR-10: 50,000 training images, 32x32 RGB, and the 10,000 test images as `test`.

    Args:
        data_dir: `cifar-10-batches-py` or the folder that holds it. None: keras.datasets, which downloads it once.

    Raises:
        UserError: the folder does not hold CIFAR-10, the download fails, or a file is damaged.
    """
    return _download() if data_dir is None else _read_folder(pathlib.Path(data_dir).resolve())


def _download() -> ImageArrays:
    try:
        train, test = keras.datasets.cifar10.load_data()
    except Exception:  # without a network, Keras raises a bare Exception
        raise UserError(f"CIFAR-10 is not on this machine and cannot be downloaded: {WAYS}") from None
    return _split("train", train[0], train[1], "", _split("test", test[0], test[1], ""))


def _read_folder(data_dir: pathlib.Path) -> ImageArrays:
    folder = data_dir if data_dir.name == FOLDER else data_dir / FOLDER
    if not folder.is_dir():
        raise UserError(f"there is no {FOLDER} in {data_dir}: {WAYS}")
    *train, test = (read_batch(folder / name) for name in NAMES)
    images, labels, jpeg = (np.concatenate(parts) for parts in zip(*train, strict=True))
    variant = ", JPEG" if jpeg.any() or test[2].any() else ""
    return _split("train", images, labels, variant, _split("test", *test[:2], variant))


def _split(
    name: str, images: np.ndarray, labels: np.ndarray, variant: str, test: ImageArrays | None = None
) -> ImageArrays:
    return ImageArrays("cifar10", f"{name} ({len(images):,}{variant})", images, labels.ravel().astype(np.int64), test)


def read_batch(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reads one pickled batch without calling anything that it names.

    Args:
        path: a file of the official archive, under its official name.

    Returns:
        images, uint8 [n, 32, 32, 3]; labels, int64 [n]; bool [n], whether the image's file name ends in .jpg.

    Raises:
        UserError: the file is missing, truncated, renamed, or not a batch of CIFAR-10.
    """
    try:
        batch = _unpickle(read_small(path, MOST_BYTES))
        data, labels, names = _pixels(batch[b"data"]), batch[b"labels"], batch[b"filenames"]
        label = batch[b"batch_label"].decode()[:100]
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {FOLDER} must hold {', '.join(NAMES)}") from None
    except KeyError as error:
        raise UserError(f"{path} is not a batch of CIFAR-10: it lacks {error}") from None
    except Exception as error:  # a damaged or hostile pickle may raise any exception
        reason = str(getattr(error, "strerror", None) or error)[:200] or type(error).__name__
        raise UserError(f"{path} cannot be read: it is damaged or not a batch of CIFAR-10 ({reason})") from None
    if _number(label) != _number(path.name):
        raise UserError(f"{path} was renamed: its content is {label!r}; give the file its official name")
    if not _is_list_of(names, bytes, len(data)):
        raise UserError(f"{path} is not a batch of CIFAR-10: it must hold {len(data)} file names")
    if not _is_list_of(labels, int, len(data)) or min(labels) < 0 or max(labels) >= CLASSES:
        raise UserError(f"{path} is not a batch of CIFAR-10: it must hold {len(data)} labels from 0 to {CLASSES - 1}")
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, np.array(labels, np.int64), np.array([name.endswith(b".jpg") for name in names])


def _is_list_of(value, kind: type, count: int) -> bool:
    return type(value) is list and len(value) == count and all(type(item) is kind for item in value)


def _number(name: str) -> str:
    """The batch that a name means: "3" for "data_batch_3" and "training batch 3 of 5", "test" for both test names."""
    found = re.search(r"\d", name)
    return "test" if name.startswith("test") else found.group() if found else name


# A pickle is a program. The code below runs only those that build dicts, lists, tuples, numbers, byte strings and the
# arguments of an array. NumPy's own functions are not called: they trust the state that they are given, even pointers.


class _Dtype:
    """Replaces numpy.dtype; keeps the name."""

    def __init__(self, name, *_):
        self.name = name

    def __setstate__(self, state):
        """Ignores the state: the name of a plain dtype is enough."""


class _Array:
    """Replaces an array; keeps its state: (version, shape, dtype, Fortran order, bytes)."""

    def __init__(self, *_):
        self.state = None

    def __setstate__(self, state):
        self.state = state


GLOBALS = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
}
OPCODES = {
    *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "NONE"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS", "BININT", "BININT1", "BININT2"),
    *("EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE", "NEWTRUE", "NEWFALSE", "GLOBAL", "STACK_GLOBAL"),
    *("SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES", "SHORT_BINUNICODE", "BINUNICODE"),
    *("REDUCE", "BUILD"),
}
MOST_TUPLES = 100  # more could be nested until the stack overflows


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in GLOBALS:
            raise pickle.UnpicklingError(f"it names {f'{module}.{name}'!r}, which an array does not need")
        return GLOBALS[module, name]


def _unpickle(content: bytes) -> dict:
    """The dict in a pickle, with arrays as `_Array`."""
    tuples = 0
    for opcode, argument, _ in pickletools.genops(content):
        tuples += opcode.name.startswith("TUPLE")
        far = opcode.name == "LONG_BINPUT" and (argument or 0) > len(content)
        if opcode.name not in OPCODES or tuples > MOST_TUPLES or far:
            raise pickle.UnpicklingError(f"it uses {opcode.name}, which a batch does not need")
    loaded = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    if type(loaded) is not dict:
        raise pickle.UnpicklingError(f"it holds a {type(loaded).__name__}, not a dict")
    return loaded


def _pixels(array: _Array) -> np.ndarray:
    """The rows of a pickled uint8 array, [n, 3072]; n > 0."""
    _, shape, dtype, fortran_order, content = array.state
    rows, columns = shape
    if dtype.name not in (b"u1", "u1") or type(content) is not bytes or columns != 3072 or rows < 1:
        raise ValueError("its data must be uint8 [n, 3072]")
    return np.frombuffer(content, np.uint8).reshape(rows, columns, order="F" if fortran_order else "C")
