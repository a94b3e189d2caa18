"""The image files below a folder."""

import os
import pathlib
from collections.abc import Iterator

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def find_images(folder: pathlib.Path) -> Iterator[str]:
    """Paths of the image files below a folder, relative to it. Each folder is entered once, even through links."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        base = os.path.relpath(parent, folder)
        yield from (os.path.normpath(os.path.join(base, name)) for name in names if name.lower().endswith(SUFFIXES))
