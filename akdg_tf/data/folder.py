"""A folder of images, at any depth. Files are read only when they are needed, so that a million files work."""

import pathlib
from collections.abc import Sequence

import numpy as np

from akdg_tf.data import image_reader
from akdg_tf.data.folder_digest import FolderDigest
from akdg_tf.data.image_files import SUFFIXES, ImageFiles, find_images
from akdg_tf.data.image_reader import FORMATS, WHITE, Color, ImageReader
from akdg_tf.data.registry import register_dataset
from akdg_tf.data.streamed import CHECKED, StreamedImages
from akdg_tf.errors import UserError
from akdg_tf.places import printable


class ImageFolder(StreamedImages):
    """The image files below a folder: PNG, JPEG, WebP, TIFF, BMP, and the first frame of GIF.

    Hidden files and run folders are left out; see `find_images`. How an image is read, and what happens to files that
    cannot be read, says `StreamedImages`. When the folder is opened, up to 500 files are tried.

    Args:
        folder: folder that holds the files, at any depth.
        sample_shape: (height, width, channels) of the images that are returned, with 1 or 3 channels.
        background: the color behind transparent pixels, (red, green, blue) from 0 to 255.

    Attributes:
        name, split, sample_shape, size: see `ImageDataset`. The size includes unreadable files.
        paths: relative paths of the files, sorted.
        unreadable: relative paths of the files that could not be read so far.

    Raises:
        UserError: the folder does not exist or holds no readable image, or the shape is not that of an image.
    """

    name, items = "folder", "files"

    def __init__(self, folder: pathlib.Path, sample_shape: Sequence[int], background: Color = WHITE):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: give --data_dir=FOLDER")
        reader, found = ImageReader(sample_shape, background), find_images(folder)
        found.log(folder.resolve())
        if not found.paths:
            raise UserError(_no_image(folder, found))
        super().__init__(folder.resolve(), len(found.paths), reader)
        self.paths = found.paths
        self.split = f"{self.size:,} files of {printable(self.folder.name)}"
        self._digest = FolderDigest(self.folder, self.paths)
        self._check(CHECKED)

    def digest(self) -> str:
        """SHA-256, in hex, of the files and of how they are read: the sample shape, the background and the reader.

        A folder keeps its digest when it is moved or copied. See `FolderDigest` for what it covers.
        """
        return self._digest.of(self.sample_shape, self._reader.background, image_reader.VERSION)

    def _read(self, number: int) -> np.ndarray:
        return self._reader.read(self.folder / self.paths[number])

    def _name_of(self, number: int) -> str:
        return self.paths[number]

    def _check_source(self) -> None:
        if not self.folder.is_dir():
            raise UserError(f"the data folder {self.folder} is gone: bring it back")

    def _none_readable(self) -> str:
        formats = ", ".join(FORMATS)
        return f"none of the {self.size:,} images in {self.folder} can be read: bring back intact {formats} files"


def _no_image(folder: pathlib.Path, files: ImageFiles) -> str:
    """Why a folder holds no image."""
    if (folder / "data.mdb").is_file():
        return f"{folder} is an LMDB environment: bind Data.name='lmdb'"
    others = [
        *([files.others()] if files.not_read else []),
        *([f"{files.left_out} left out"] if files.left_out else []),
    ]
    found = f" (found {', '.join(others)})" if others else ""
    return f"there is no image in {folder}: it must hold {', '.join(SUFFIXES)} files, at any depth{found}"


@register_dataset("folder", options=("background",))
def load_folder(data_dir=None, sample_shape=None, background: Color = WHITE) -> ImageFolder:
    """The images below --data_dir, resized to the generator's sample shape, by default 32x32 RGB.

    Args:
        data_dir: folder that holds the images.
        sample_shape: see `ImageFolder`.
        background: see `ImageFolder`.

    Raises:
        UserError: --data_dir is missing; for other errors see `ImageFolder`.
    """
    if data_dir is None:
        raise UserError("dataset 'folder' reads the images in --data_dir: give --data_dir=FOLDER")
    return ImageFolder(pathlib.Path(data_dir), sample_shape or (32, 32, 3), background)
