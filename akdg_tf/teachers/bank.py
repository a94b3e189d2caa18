"""A bank of teacher images, which is made once and replaces the teacher in training.

AKDG's z' is independent of the student's z, so the teacher's images can be made before the training. So can the pairs
(z, G_T(z)) of the MSE method. A bank draws without replacement, in a new order for each pass.
"""

import copy
import dataclasses
import functools
import json
import logging
import os
import pathlib
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.data import ImageDataset
from akdg_tf.data.images import to_float, to_uint8
from akdg_tf.errors import UserError
from akdg_tf.files import locked, part_of, read_small, sha256, write_json, write_text
from akdg_tf.progress import Progress
from akdg_tf.rows import RowFile
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.sources import ImageSource, OnlineTeacher, Teacher, required

logger = logging.getLogger(__name__)

BANKS, SEED = pathlib.Path("runs", "banks"), 0  # runs of all seeds share one bank per teacher and size
SMOKE_IMAGES = 500
IN_MEMORY = 10**9  # bytes of images up to which a bank is held in memory; images of a larger one are read by rows
DONE = "done"  # file of an unfinished bank with the number of batches on disk
ARRAYS = ("images", "latents")  # files of a bank, without .npy


@dataclasses.dataclass(frozen=True)
class BankedTeacher:
    """A bank of the teacher's images in `runs/banks/`. It is made when it is first needed.

    Attributes:
        images: number of images in the bank.
    """

    images: int = 50_000

    def open(self, teacher: Teacher | None, smoke: bool, reals: Callable[[], ImageDataset]) -> ImageSource:
        """Opens the bank, and makes it first if it does not exist; for errors see `make_bank`.

        A teacher of which only images are there needs no bank, and is returned itself.
        """
        given = required(teacher)
        return (
            self.bank(given, smoke) if isinstance(given, FrozenGenerator) else OnlineTeacher().open(given, smoke, reals)
        )

    def bank(self, teacher: FrozenGenerator, smoke: bool) -> "TeacherBank":
        """Opens the bank of a generator, small in a smoke run; for errors see `make_bank`."""
        return make_bank(teacher, min(self.images, SMOKE_IMAGES) if smoke else self.images, SEED, BANKS)


class TeacherBank:
    """A teacher's images with their latents, memory-mapped from a folder; a `sources.PairSource`.

    Args:
        folder: a folder that `make_bank` wrote.

    Attributes:
        prior, latent_dim: the teacher's.
        images: uint8 [n, height, width, channels], or float16 [n, 2] for points.
        latents: float32 [n, latent_dim].
        rows: int64 [k], the rows that are drawn; None: all. See `selected`.

    Raises:
        UserError: a file of the bank is missing, truncated or changed.
    """

    rows: np.ndarray | None = None

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.prior, self.latent_dim, count, sums = _read_meta(folder)
        self.images, self.latents = (_verified(folder, name, sums[name]) for name in ARRAYS)
        if not _fit(self.images, self.latents, count, self.latent_dim):
            raise UserError(_damaged(folder, "the shape or type of its arrays"))

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.images.shape[1:]

    def selected(self, rows: np.ndarray) -> "TeacherBank":
        """The same bank, of which only these rows are drawn: int64 [k], each once."""
        selection = copy.copy(self)
        selection.rows = rows
        return selection

    @functools.cached_property
    def _images(self) -> tf.Tensor | RowFile:
        """The images as a tensor in host memory, for training steps to capture; those of a large bank as a file."""
        if self.images.nbytes > IN_MEMORY:
            return RowFile(self.folder / "images.npy")
        with tf.init_scope(), tf.device("CPU"):
            return tf.constant(self.images)

    @functools.cached_property
    def _latents(self) -> tf.Tensor:
        """The latents as a tensor in host memory."""
        with tf.init_scope(), tf.device("CPU"):
            return tf.constant(self.latents)

    def draw_images(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """This replica's rows of the global draw of `step`; see `sources.ImageSource`. The seed sets the order."""
        return self._gather_images(self._rows(count, seed, step))

    def draw_latents(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """The latents of `draw_pairs`, float32 [count, latent_dim]."""
        return tf.gather(self._latents, self._rows(count, seed, step))

    def draw_pairs(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Latents z, float32 [count, latent_dim], and the images G_T(z)."""
        rows = self._rows(count, seed, step)
        return tf.gather(self._latents, rows), self._gather_images(rows)

    def _gather_images(self, rows):
        images = self._images
        if isinstance(images, RowFile):
            drawn = tf.numpy_function(images.read, [rows], self.images.dtype, stateful=False)
            drawn = tf.ensure_shape(drawn, (rows.shape[0], *self.sample_shape))
        else:
            drawn = tf.gather(images, rows)
        return to_float(drawn) if drawn.dtype == tf.uint8 else tf.cast(drawn, tf.float32)

    def _rows(self, count, seed, step):
        size = len(self.images) if self.rows is None else len(self.rows)
        numbers = latents.shuffled(latents.positions(count, step), size, seed)
        return numbers if self.rows is None else tf.gather(self.rows, numbers)


def make_bank(teacher: FrozenGenerator, count: int, seed: int, root: pathlib.Path) -> TeacherBank:
    """Opens the bank of a teacher, and makes it first if `root` does not hold it.

    The folder is named by a digest of the teacher, the count and the seed, so that every later run finds the right
    bank. If making it is interrupted, the next call continues. The bank appears under its name once it is complete.

    Args:
        teacher: G_T.
        count: number of images.
        seed: seed of the latents.
        root: folder of all banks.

    Returns:
        The bank.

    Raises:
        UserError: count < 1, or the existing bank is damaged.
    """
    if count < 1:
        raise UserError(f"a teacher bank must hold at least 1 image, not {count}: bind more `images`")
    folder = root / f"{teacher.digest()[:16]}-{count}-{seed}"
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / f".lock-{folder.name}"):
        if not folder.exists():
            part_of(folder).mkdir(exist_ok=True)
            _fill(part_of(folder), teacher, count, seed)
            os.replace(part_of(folder), folder)
    logger.info("teacher bank: %d images in %s", count, folder)
    bank = TeacherBank(folder)
    found = (len(bank.images), bank.sample_shape, bank.prior, bank.latent_dim)
    if found != (count, tuple(teacher.sample_shape), teacher.prior, teacher.latent_dim):
        raise UserError(_damaged(folder, "it is the bank of another teacher, or of another size"))
    return bank


def _fill(part: pathlib.Path, teacher: FrozenGenerator, count: int, seed: int) -> None:
    """Draws the images that the unfinished bank in `part` lacks, then writes its checksums."""
    function, sample_shape = tf.function(teacher), teacher.sample_shape
    dtype = np.uint8 if len(sample_shape) == 3 else np.float16
    shapes = {"images": ((count, *sample_shape), dtype), "latents": ((count, teacher.latent_dim), np.float32)}
    size = teacher.sampling_batch
    files, first = _unfinished(part, shapes, -(-count // size))
    progress = Progress("teacher bank", count, first * size)
    for batch in range(first, -(-count // size)):
        z = latents.draw(teacher.prior, size, teacher.latent_dim, (seed, latents.BANK), tf.constant(batch, tf.int64))
        rows = slice(batch * size, min((batch + 1) * size, count))
        drawn = function(z).numpy()[: rows.stop - rows.start]
        files["images"].write(rows.start, to_uint8(drawn) if dtype == np.uint8 else drawn)
        files["latents"].write(rows.start, z.numpy()[: rows.stop - rows.start])
        if progress.report(rows.stop):
            for file in files.values():
                file.sync()
            write_text(part / DONE, str(batch + 1))
    for file in files.values():
        file.close()
    sums = {name: sha256(part / f"{name}.npy") for name in ARRAYS}
    meta = {"prior": teacher.prior, "latent_dim": teacher.latent_dim, "count": count, "seed": seed, "sha256": sums}
    write_json(part / "bank.json", meta)


def _unfinished(part: pathlib.Path, shapes: Mapping, batches: int) -> tuple[dict[str, RowFile], int]:
    """The files of an unfinished bank and the number of batches in them; new files if they cannot be continued.

    Args:
        part: folder of the unfinished bank.
        shapes: shape and dtype of each array.
        batches: number of batches of the whole bank.
    """
    files = {}
    try:
        done = int(read_small(part / DONE))
        for name, (shape, dtype) in shapes.items():
            files[name] = RowFile(part / f"{name}.npy", writable=True)
            if files[name].shape != shape or files[name].dtype != dtype:
                raise ValueError(f"{name} has another shape")
        if not 0 <= done <= batches:
            raise ValueError(f"{DONE} holds {done}")
        return files, done
    except (OSError, ValueError):
        for file in files.values():
            file.close()
    (part / DONE).unlink(missing_ok=True)
    return {name: RowFile.create(part / f"{name}.npy", *each) for name, each in shapes.items()}, 0


def _damaged(folder: pathlib.Path, what: str) -> str:
    return f"the teacher bank in {folder} is damaged ({what}): remove the folder, and the next run makes it again"


def _read_meta(folder: pathlib.Path) -> tuple[str, int, int, dict[str, str]]:
    """Prior, size of the latent, number of images, and the checksums of the arrays by name."""
    try:
        meta = json.loads(read_small(folder / "bank.json"))
        sums = {name: meta["sha256"][name] for name in ARRAYS}
        prior, dim, count = meta["prior"], meta["latent_dim"], meta["count"]
        if not latents.is_prior(prior) or not all(type(size) is int and size > 0 for size in (dim, count)):
            raise ValueError("prior, latent_dim or count")
        return prior, dim, count, sums
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UserError(_damaged(folder, "bank.json")) from None


def _verified(folder: pathlib.Path, name: str, expected: str) -> np.memmap:
    path = folder / f"{name}.npy"
    try:
        if sha256(path) == expected:
            return np.lib.format.open_memmap(path, mode="r")  # reads .npy only: no pickles, no archives
    except Exception as error:  # it is missing, or its header is damaged, of which NumPy may raise anything
        raise UserError(_damaged(folder, path.name)) from error
    raise UserError(_damaged(folder, path.name))


def _fit(images: np.ndarray, z: np.ndarray, count: int, dim: int) -> bool:
    """Whether arrays are the images or points of a bank of this size, and their latents."""
    kinds = {(np.dtype(np.uint8), 4), (np.dtype(np.float16), 2)}
    same = images.size > 0 and images.shape[:1] == (count,) and z.shape == (count, dim)
    return same and (images.dtype, images.ndim) in kinds and z.dtype == np.float32
