"""Which files below a folder are images, and what is left out."""

import dataclasses
import logging
import os
import pathlib
from collections import Counter
from collections.abc import Iterator

from akdg_tf.places import printable

logger = logging.getLogger(__name__)

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif")
NOT_READ = {  # suffixes of other images, which are counted
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".psd", ".xcf", ".svg", ".svgz", ".eps", ".ai", ".ico"),
    *(".tga", ".dds", ".exr", ".hdr", ".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".dng", ".cr2", ".cr3", ".nef", ".arw"),
}
OF_SYSTEMS = {"__MACOSX", "@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN"}  # folders with copies and thumbnails
RUN, RUNS = "config.gin", "runs"  # what a run folder or zoo entry holds; the name of the folder of all runs


@dataclasses.dataclass
class ImageFiles:
    """The image files below a folder.

    Attributes:
        paths: their paths relative to the folder, sorted.
        left_out: number of image files that are hidden, belong to the system, or lie in a run folder.
        not_read: number of other files that look like images, by their suffix.
    """

    paths: list[str] = dataclasses.field(default_factory=list)
    left_out: int = 0
    not_read: Counter[str] = dataclasses.field(default_factory=Counter)

    def log(self, folder: pathlib.Path) -> None:
        """Logs what is not in `paths`: one line for what is left out, and one for what cannot be read."""
        name = printable(str(folder))
        if self.left_out:
            logger.info(
                "%s: %d image files are left out: they are hidden, were made by the system, or lie in a run folder",
                name,
                self.left_out,
            )
        if self.not_read:
            logger.warning("%s: not read, because only %s are: %s", name, ", ".join(SUFFIXES), self.others())

    def others(self) -> str:
        """The number of files of each suffix that looks like an image and is not read: "2 .heic, 1 .svg"."""
        return ", ".join(f"{count} {suffix}" for suffix, count in sorted(self.not_read.items()))


def find_images(folder: pathlib.Path) -> ImageFiles:
    """Finds the image files below a folder, at any depth. Each folder is entered once, even through links.

    Left out are files and folders whose name begins with a dot, folders that systems fill with copies (`__MACOSX`,
    `@eaDir`, recycle bins), and run folders, whose pictures are no data. How they are left out does not depend on where
    `folder` itself lies.
    """
    found = ImageFiles()
    for base, names, is_data in _walk(folder):
        for name in names:
            suffix = os.path.splitext(name)[1].lower()
            if suffix in SUFFIXES and is_data and not name.startswith("."):
                found.paths.append(os.path.normpath(os.path.join(base, name)))
            elif suffix in SUFFIXES:
                found.left_out += 1
            elif suffix in NOT_READ and is_data and not name.startswith("."):
                found.not_read[suffix] += 1
    found.paths.sort()
    return found


def _walk(folder: pathlib.Path) -> Iterator[tuple[str, list[str], bool]]:
    """Path relative to `folder`, names of the files, and whether they may be data, for each folder below it.

    What is left out is not followed through links, so that it never hides what is data.
    """
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_cannot_enter):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        left_out = [name for name in folders if _is_left_out(parent, name)]
        folders[:] = sorted(set(folders) - set(left_out))  # sorted: of two links, every machine takes the same one
        yield os.path.relpath(parent, folder), names, True
        for name in left_out:
            yield from ((below, files, False) for below, _, files in os.walk(os.path.join(parent, name)))


def _is_left_out(parent: str, name: str) -> bool:
    path = os.path.join(parent, name)
    return name.startswith(".") or name in OF_SYSTEMS or _is_run(path) or (name == RUNS and _holds_runs(path))


def _is_run(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, RUN))


def _holds_runs(folder: str) -> bool:
    """Whether a folder holds run folders. Reports, which are pictures, lie beside these."""
    try:
        return any(_is_run(os.path.join(folder, name)) for name in os.listdir(folder))
    except OSError:  # `_walk` will name it
        return False


def _cannot_enter(error: OSError) -> None:
    logger.warning("skipping a folder: %s", error)
