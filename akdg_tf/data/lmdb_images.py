"""An LMDB environment of encoded images, as LSUN is distributed. Images are read only when they are needed."""

import hashlib
import logging
import pathlib
import time

import numpy as np

from akdg_tf.data import image_reader
from akdg_tf.data.image_reader import FORMATS, WHITE, Color, ImageReader
from akdg_tf.data.lmdb_file import LmdbFile
from akdg_tf.data.registry import register_dataset
from akdg_tf.data.streamed import CHECKED, StreamedImages
from akdg_tf.errors import UserError
from akdg_tf.places import printable

logger = logging.getLogger(__name__)

FILE = "data.mdb"


class LmdbImages(StreamedImages):
    """The images in the main database of an LMDB environment: each value is the content of an image file.

    How an image is read, and what happens to values that are not readable images, says `StreamedImages`. When the
    environment is opened, its keys are listed, and up to 500 images are tried. The file stays open, and nothing may
    write to it meanwhile.

    Args:
        folder: folder that holds `data.mdb`.
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.
        background: the color behind transparent pixels, (red, green, blue) from 0 to 255.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`. The size includes unreadable entries.
        unreadable: keys of the entries that could not be read so far.

    Raises:
        UserError: there is no `data.mdb`, it cannot be read, is cut or damaged, or holds no readable image or
            sub-databases, or the shape is not that of an image.
    """

    name, items = "lmdb", "entries"

    def __init__(self, folder: pathlib.Path, sample_shape: tuple[int, int, int], background: Color = WHITE):
        reader = ImageReader(sample_shape, background)
        if not (folder / FILE).is_file():
            raise UserError(_no_file(folder))
        start = time.monotonic()
        self._entries = LmdbFile(folder.resolve() / FILE)
        super().__init__(folder.resolve(), len(self._entries), reader)
        logger.info(
            "%s: listed %s keys in %.1f s", printable(str(self.folder)), f"{self.size:,}", time.monotonic() - start
        )
        self.split = f"{self.size:,} entries of {printable(self.folder.name)}"
        self._check(CHECKED)

    def digest(self) -> str:
        """SHA-256, in hex, of the entries and of how they are read: the sample shape, the background and the reader.

        An environment keeps its digest when it is moved, copied or compacted. See `LmdbFile.digest` for what it covers.
        """
        how = repr((self.sample_shape, self._reader.background, image_reader.VERSION))
        return hashlib.sha256(how.encode() + self._entries.digest()).hexdigest()

    def _read(self, number: int) -> np.ndarray:
        return self._reader.read(self._entries.value(number), f"entry {number:,}")

    def _name_of(self, number: int) -> str:
        return self._entries.key(number).decode(errors="backslashreplace")

    def _check_source(self) -> None:
        if not self._entries.is_whole():
            raise UserError(f"{self.folder / FILE} is gone or was cut: bring it back")

    def _none_readable(self) -> str:
        formats = ", ".join(FORMATS)
        return f"none of the {self.size:,} entries of {self.folder} can be read: they must be {formats} files"


def _no_file(folder: pathlib.Path) -> str:
    """Why a folder is not an LMDB environment."""
    below = sorted(path.parent for path in folder.glob(f"*/{FILE}"))
    hint = f"; give --data_dir={below[0]}" if below else ""
    return f"there is no {FILE} in {folder}: dataset 'lmdb' reads an LMDB environment, such as bedroom_train_lmdb{hint}"


@register_dataset("lmdb", options=("background",))
def load_lmdb(data_dir=None, sample_shape=None, background: Color = WHITE) -> LmdbImages:
    """The images of an LMDB environment, resized to the generator's sample shape, by default 32x32 RGB.

    Args:
        data_dir: folder that holds `data.mdb`.
        sample_shape: see `LmdbImages`.
        background: see `LmdbImages`.

    Raises:
        UserError: --data_dir is missing; for other errors see `LmdbImages`.
    """
    if data_dir is None:
        raise UserError("dataset 'lmdb' reads the LMDB environment in --data_dir: give --data_dir=FOLDER")
    return LmdbImages(pathlib.Path(data_dir), sample_shape or (32, 32, 3), background)
