"""CIFAR-10: through keras.datasets, or from a folder in the official layout `cifar-10-batches-py`."""

import pathlib
import pickle
import re

import keras
import numpy as np

from akdg_tf.data.images import ImageArrays
from akdg_tf.data.registry import register_dataset
from akdg_tf.errors import UserError

FOLDER = "cifar-10-batches-py"
NAMES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
CLASSES = 10
# What a pickled array is made of, and all that is admitted: a pickle may else name any function, and have it called.
GLOBALS = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
}
WAYS = (
    f"give --data_dir=FOLDER that holds {FOLDER}; or your own images, with --data_dir=FOLDER and "
    "--gin_param=\"GeneratorExperiment.dataset='folder'\"; or run once where keras.datasets.cifar10 can be downloaded"
)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads plain values and numpy arrays; anything else that a pickle names is refused."""

    def find_class(self, module, name):
        if (module, name) not in GLOBALS:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no array needs")
        return GLOBALS[module, name]


@register_dataset("cifar10")
def load_cifar10(data_dir=None, sample_shape=None) -> ImageArrays:
    """CIFAR-10: 50,000 training images 32x32 RGB, the 10,000 test images as `test`.

    Args:
        data_dir: `cifar-10-batches-py` or the folder that holds it; None: keras.datasets, which downloads it once.

    Raises:
        UserError: it is neither there nor can it be downloaded, or a file is not what it should be.
    """
    return _download() if data_dir is None else _read_folder(pathlib.Path(data_dir))


def _download() -> ImageArrays:
    try:
        train, test = keras.datasets.cifar10.load_data()
    except Exception:  # keras raises a bare Exception where there is no network
        raise UserError(f"CIFAR-10 is not here and cannot be downloaded: {WAYS}") from None
    return _split("train", *train, "", _split("test", *test, ""))


def _read_folder(data_dir: pathlib.Path) -> ImageArrays:
    folder = data_dir if data_dir.name == FOLDER else data_dir / FOLDER
    if not folder.is_dir():
        raise UserError(f"there is no {FOLDER} in {data_dir}: {WAYS}")
    *train, test = (read_batch(folder / name) for name in NAMES)
    images, labels, jpeg = (np.concatenate(parts) for parts in zip(*train, strict=True))
    variant = ", JPEG" if jpeg.any() else ""
    return _split("train", images, labels, variant, _split("test", *test[:2], variant))


def _split(
    name: str, images: np.ndarray, labels: np.ndarray, variant: str, test: ImageArrays | None = None
) -> ImageArrays:
    return ImageArrays("cifar10", f"{name} ({len(images):,}{variant})", images, labels.ravel().astype(np.int64), test)


def read_batch(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reads one pickled batch without running anything that it names.

    Args:
        path: a file of the official archive, by its official name.

    Returns:
        uint8 [n, 32, 32, 3]; int64 [n] labels; bool [n], whether an image was re-encoded as JPEG, by its file name.

    Raises:
        UserError: the file is missing, truncated, another one renamed, or not a batch of CIFAR-10.
    """
    try:
        with path.open("rb") as file:
            batch = _ArrayUnpickler(file, encoding="bytes").load()
        data, labels = batch[b"data"], np.asarray(batch[b"labels"])
        label, names = batch[b"batch_label"].decode(), batch[b"filenames"]
        jpeg = np.array([name.endswith(b".jpg") for name in names], bool)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {FOLDER} holds {', '.join(NAMES)}") from None
    except KeyError as error:
        raise UserError(f"{path} is no batch of CIFAR-10: it lacks {error}") from None
    except Exception as error:  # a damaged or hostile pickle may raise anything
        reason = str(error) or type(error).__name__
        raise UserError(f"{path} cannot be read, it is damaged or no batch of CIFAR-10 ({reason})") from None
    if _number(label) != _number(path.name):
        raise UserError(f"{path} says that it is {label!r}: it was renamed")
    fits = isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 2 and data.shape[1] == 3072
    if not fits or not len(data) or labels.shape != (len(data),) or len(jpeg) != len(data):
        raise UserError(f"{path} is no batch of CIFAR-10: its data must be uint8 [n, 3072], with n labels and names")
    if labels.dtype.kind != "i" or labels.min() < 0 or labels.max() >= CLASSES:
        raise UserError(f"{path} is no batch of CIFAR-10: its labels must be whole numbers from 0 to {CLASSES - 1}")
    return data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels, jpeg


def _number(name: str) -> str:
    """Which batch a name means: "3" of "data_batch_3" and of "training batch 3 of 5", "test" of both test names."""
    found = re.search(r"\d", name)
    return "test" if name.startswith("test") else found.group() if found else name
