"""The images of a TensorFlow Datasets (TFDS) dataset that is prepared on this machine. Nothing is downloaded."""

import os
import pathlib
from typing import Any

import numpy as np

from akdg_tf.data import image_reader
from akdg_tf.data.folder_digest import FolderDigest
from akdg_tf.data.image_reader import WHITE, Color, ImageReader
from akdg_tf.data.registry import register_dataset
from akdg_tf.data.streamed import CHECKED, StreamedImages
from akdg_tf.errors import UserError

SPLIT, FORMAT = "train", "array_record"  # the only format of TFDS in which one example can be read alone
IMAGE = "image"  # the feature that is read if there are several images
DTYPES = ("uint8", "uint16")  # others are stored bit by bit, in the colors of a PNG
PREPARES = 'python -c "import tensorflow_datasets as tfds; tfds.builder({arguments}).download_and_prepare()"'
NOT_LSUN = (
    "TFDS prepares LSUN only with tensorflow-io, which needs TensorFlow 2.16; "
    "Data.name='lmdb' reads the LMDB archives of LSUN themselves; or, in an environment with tensorflow-io, "
)


class TfdsImages(StreamedImages):
    """The images of the split "train" of a prepared TFDS dataset, in the format array_record.

    TFDS reads the examples, and `StreamedImages` says how an image is read and what happens to unreadable ones. When
    the dataset is opened, up to 500 images are tried.

    Args:
        tfds_name: name of the dataset, such as "lsun/bedroom" or "lsun/bedroom:3.1.0".
        data_dir: folder that holds TFDS's datasets; by default that of TFDS.
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.
        background: the color behind transparent pixels, (red, green, blue) from 0 to 255.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`. The size includes unreadable examples.
        unreadable: numbers of the examples that could not be read so far.

    Raises:
        UserError: TFDS is not installed, the dataset is not prepared in this format or is incomplete, or has no such
            split or no readable image; or the shape is not that of an image.
    """

    name, items = "tfds", "examples"

    def __init__(
        self,
        tfds_name: str,
        data_dir: pathlib.Path | None,
        sample_shape: tuple[int, int, int],
        background: Color = WHITE,
    ):
        reader = ImageReader(sample_shape, background)
        builder, self._examples = _opened(tfds_name, data_dir)
        self._feature = _image_feature(tfds_name, builder.info.features)
        super().__init__(pathlib.Path(builder.data_dir), len(self._examples), reader)
        self.split = f"{SPLIT} of {builder.info.full_name} ({self.size:,})"
        self._files = [os.path.basename(path) for path in builder.info.splits[SPLIT].filepaths]
        self._digest = FolderDigest(self.folder, self._files)
        self._check_source()
        self._check(CHECKED)

    def digest(self) -> str:
        """SHA-256, in hex, of the files and of how they are read: the feature, the shape, the background, the reader.

        The folder may be moved or copied. See `FolderDigest` for what it covers.
        """
        return self._digest.of(self._feature, self.sample_shape, self._reader.background, image_reader.VERSION)

    def _read(self, number: int) -> np.ndarray:
        (content,) = self._examples[number].features.feature[self._feature].bytes_list.value
        return self._reader.read(content, self._name_of(number))

    def _name_of(self, number: int) -> str:
        return f"example {number:,}"

    def _check_source(self) -> None:
        missing = sum(not (self.folder / file).is_file() for file in self._files)
        if missing:
            raise UserError(f"{missing} of the {len(self._files)} files in {self.folder} are missing: bring them back")

    def _none_readable(self) -> str:
        return f"none of the {self.size:,} images in {self.folder} can be read: prepare the dataset again"


def _opened(tfds_name: str, data_dir: pathlib.Path | None) -> tuple[Any, Any]:
    """TFDS's builder of a prepared dataset, and its examples by number, as protocol buffers."""
    try:
        from tensorflow_datasets import decode
        from tensorflow_datasets.core.read_only_builder import builder_from_files
    except ImportError as error:
        needed = "tensorflow-datasets array_record importlib_resources"
        raise UserError(f"dataset 'tfds' needs the extra 'tfds': pip install {needed} ({error})") from None
    try:
        builder = builder_from_files(tfds_name, data_dir=data_dir)
    except Exception as error:  # TFDS raises many classes
        how = _prepares(tfds_name, data_dir)
        raise UserError(f"TFDS dataset {tfds_name!r} is not prepared ({_first_line(error)}); {how}") from None
    formats = sorted(each.value for each in builder.info.available_file_formats())
    if FORMAT not in formats:
        how = _prepares(tfds_name, "ANOTHER_FOLDER")
        raise UserError(f"{builder.data_dir} has the format {formats[0]}, not {FORMAT}, which shuffling needs; {how}")
    if SPLIT not in builder.info.splits:
        raise UserError(f"{builder.data_dir} has no split {SPLIT!r}, only {', '.join(map(repr, builder.info.splits))}")
    method = decode.DeserializeMethod.DESERIALIZE_NO_DECODE
    return builder, builder.as_data_source(SPLIT, deserialize_method=method, file_format=FORMAT)


def _prepares(tfds_name: str, data_dir: str | os.PathLike | None) -> str:
    """How to prepare a dataset."""
    where = [] if data_dir is None else [f"data_dir={os.fspath(data_dir)!r}"]
    arguments = ", ".join([repr(tfds_name), *where, f"file_format={FORMAT!r}"])
    return f"{NOT_LSUN if tfds_name.startswith('lsun') else ''}prepare it: {PREPARES.format(arguments=arguments)}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _image_feature(tfds_name: str, features: Any) -> str:
    """The name of the feature to read: that named "image", or the only image.

    Raises:
        UserError: there is none, there are several, or its values are not those of an image file.
    """
    from tensorflow_datasets import features as kinds

    found = {name: each for name, each in features.items() if isinstance(each, kinds.Image)}
    if IMAGE not in found and len(found) != 1:
        raise UserError(f"TFDS dataset {tfds_name!r} must have one image, not {', '.join(sorted(found)) or 'none'}")
    name = IMAGE if IMAGE in found else next(iter(found))
    dtype = np.dtype(found[name].np_dtype).name
    if dtype not in DTYPES:
        raise UserError(f"the images of TFDS dataset {tfds_name!r} are {dtype}: they must be {' or '.join(DTYPES)}")
    return name


@register_dataset("tfds", options=("background", "tfds_name"))
def load_tfds(data_dir=None, sample_shape=None, background: Color = WHITE, tfds_name: str | None = None) -> TfdsImages:
    """The images of a prepared TFDS dataset, resized to the generator's sample shape, by default 32x32 RGB.

    Args:
        data_dir: folder that holds TFDS's datasets; by default that of TFDS.
        sample_shape: see `TfdsImages`.
        background: see `TfdsImages`.
        tfds_name: name of the dataset in TFDS.

    Raises:
        UserError: tfds_name is missing; for other errors see `TfdsImages`.
    """
    if tfds_name is None:
        raise UserError("dataset 'tfds' needs a name of TFDS: bind Data.tfds_name, such as 'lsun/bedroom'")
    return TfdsImages(tfds_name, data_dir and pathlib.Path(data_dir), sample_shape or (32, 32, 3), background)
