"""A teacher of which an .npz file holds the images, and perhaps their latents."""

import pathlib
import zipfile

import numpy as np

from akdg_tf.data.images import to_uint8
from akdg_tf.errors import UserError
from akdg_tf.places import printable
from akdg_tf.teachers.images import ArrayImages, TeacherImages, TeacherPairs
from akdg_tf.teachers.saved_model import Range

ARRAYS = ("images", "latents")  # the second is optional
NUMBERS = "fiub"  # kinds of NumPy's dtypes
MOST_INFLATED, MOST_RATIO = 10**9, 100  # bytes of compressed arrays that may come of any file; beyond, per byte of it


def of_npz(path: pathlib.Path, output_range: Range, prior: str | None = None) -> TeacherImages:
    """The teacher whose images an .npz file holds: `images`, and `latents` if they are known.

    Args:
        path: the file. `images` is uint8 [n, height, width, 1 or 3], or float in `output_range`; `latents` is float
            [n, latent_dim].
        output_range: smallest and largest value of float images; default (0, 1).
        prior: what the latents were drawn from, "normal" (the default), "uniform", or "normal, 10 classes".

    Raises:
        UserError: the file cannot be read or holds something else, or an argument does not apply to what it holds.
    """
    arrays = _read(path)
    images, z = arrays.get("images"), arrays.get("latents")
    if images is None:
        raise UserError(f"{path} must hold an array 'images' [n, height, width, 1 or 3]")
    if images.ndim != 4 or not images.size or images.shape[3] not in (1, 3) or images.dtype.kind not in NUMBERS:
        held = f"{images.dtype} {images.shape}"
        raise UserError(f"{path} must hold 'images' [n, height, width, 1 or 3], numbers, not {held}")
    if images.dtype != np.uint8:
        images = _as_bytes(images, output_range, path)
    elif output_range is not None:
        raise UserError(
            f"load_teacher.output_range does not apply to the uint8 images in {path}: remove it, or bind None"
        )
    name = printable(path.stem)
    split = f"{len(images):,} of {printable(path.name)}"
    stored = ArrayImages(name, split, images, np.zeros(len(images), np.int64))
    if z is not None:
        return TeacherPairs(stored, name, _checked_latents(z, len(images), path), prior or "normal")
    if prior is not None:
        raise UserError(f"load_teacher.prior does not apply to {path}, which holds no latents: remove it, or bind None")
    return TeacherImages(stored, name)


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The arrays of the file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            raise ValueError("it holds one array without a name, as .npy files do")
        with found:
            _check_ratio(found.zip)
            return {name: found[name] for name in ARRAYS if name in found}
    except Exception as error:  # a damaged or foreign file may raise anything
        reason = "arrays of objects" if "allow_pickle" in str(error) else " ".join(str(error).split())[:200]
        raise UserError(f"{path} cannot be read ({reason}): it must be an .npz file with an array 'images'") from error


def _check_ratio(archive: zipfile.ZipFile) -> None:
    """Refuses an archive that a few bytes inflate to fill the memory. Real images do not compress that well.

    Raises:
        ValueError: it is one.
    """
    size = sum(member.file_size for member in archive.infolist())
    stored = sum(member.compress_size for member in archive.infolist())
    if size > MOST_INFLATED and size > MOST_RATIO * stored:
        raise ValueError(f"its {stored / 1e6:,.1f} MB would take {size / 1e9:,.1f} GB of memory")


def _checked_latents(z: np.ndarray, count: int, path: pathlib.Path) -> np.ndarray:
    """The latents as float32 [n, latent_dim].

    Raises:
        UserError: they are something else, or not finite.
    """
    if z.ndim != 2 or len(z) != count or not z.size or z.dtype.kind not in NUMBERS:
        raise UserError(
            f"{path} holds latents {z.dtype} {z.shape} for {count} images: they must be numbers [n, latent_dim]"
        )
    latents = z.astype(np.float32)
    if not np.isfinite(latents).all():
        raise UserError(f"{path} holds latents that are not finite")
    return latents


def _as_bytes(images: np.ndarray, output_range: Range, path: pathlib.Path) -> np.ndarray:
    """Float images as uint8.

    Raises:
        UserError: they are not finite, or outside their range.
    """
    low, high = output_range or (0.0, 1.0)
    least, most = float(images.min()), float(images.max())
    if not (low - 1e-3 <= least and most <= high + 1e-3):  # also if they are not finite
        raise UserError(
            f"{path} holds images from {least:.3g} to {most:.3g}, outside the range {(low, high)}: "
            "bind load_teacher.output_range"
        )
    return to_uint8((images - low) * (2.0 / (high - low)) - 1.0)
