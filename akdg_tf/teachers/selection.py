"""A bank of which only the teacher images most like real ones are drawn: instance selection.

See DeVries et al., "Instance Selection for GANs", NeurIPS 2020, who select real images in the same way.
"""

import dataclasses
import io
import logging
import pathlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np

from akdg_tf.data import ImageDataset
from akdg_tf.data.images import to_float
from akdg_tf.errors import UserError
from akdg_tf.files import locked, read_small, write_bytes
from akdg_tf.teachers.bank import BankedTeacher, TeacherBank
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.sources import ImageSource, Teacher, required

logger = logging.getLogger(__name__)

READ_AT_ONCE = 250  # images of the bank
MOST_BESIDE = 10_000  # bytes of a file of ranks besides these: its headers


class Ranking(Protocol):
    """Ranks images by how much they are like real ones; bound as `SelectedBank.ranking`."""

    def digest(self, reals: ImageDataset) -> str:
        """SHA-256, in hex, of all that determines the ranks besides the images and their number.

        Raises:
            UserError: images of this dataset cannot be ranked.
        """

    def ranks(self, batches: Iterable[np.ndarray], count: int, reals: ImageDataset) -> np.ndarray:
        """The rank of each image.

        Args:
            batches: the images, float32 [any, height, width, channels] in [-1, 1].
            count: number of images in all batches together.
            reals: the real images.

        Returns:
            float64 [count] in [0, 1): the share of the images that are to be kept before this one.
        """


@dataclasses.dataclass(frozen=True)
class SelectedBank:
    """A bank of the teacher's images, see `BankedTeacher`, of which only the share most like real images is drawn.

    The ranks are kept in the folder of the bank, whatever the share.

    Attributes:
        ranking: ranks the images.
        images: number of images in the bank.
        kept: share of the images that is drawn, above 0 and at most 1; at least one image is drawn.
    """

    ranking: Ranking
    images: int = 50_000
    kept: float = 0.8

    def open(self, teacher: Teacher | None, smoke: bool, reals: Callable[[], ImageDataset]) -> ImageSource:
        """Opens the bank and selects its images. At the first time, the bank is made and its images are ranked.

        Raises:
            UserError: `kept` is out of range, there are no real images, the ranking does not take them, or the teacher
                is not a generator. See also `make_bank`.
        """
        if not 0 < self.kept <= 1:
            raise UserError(f"SelectedBank.kept is {self.kept}: bind a share above 0 and at most 1")
        given = required(teacher)
        if not isinstance(given, FrozenGenerator):
            raise UserError(f"{given.name} is no generator, and SelectedBank needs one: bind @OnlineTeacher()")
        dataset = reals()
        digest = self.ranking.digest(dataset)  # before a bank is made, which takes longer and may be in vain
        bank = BankedTeacher(self.images).bank(given, smoke)
        ranks = self._ranks(bank, digest, dataset)
        rows = np.sort(np.argsort(ranks, kind="stable")[: max(1, round(self.kept * len(ranks)))])
        logger.info("teacher bank: %d of %d images are kept", len(rows), len(ranks))
        return bank.selected(rows)

    def _ranks(self, bank: TeacherBank, digest: str, reals: ImageDataset) -> np.ndarray:
        """The ranks of the bank's images, read from its folder if they are there and whole."""
        path = bank.folder / f"ranks-{digest[:16]}.npz"
        with locked(bank.folder.with_name(f".lock-{bank.folder.name}")):
            ranks = _read(path, len(bank.images))
            if ranks is None:
                ranks = self.ranking.ranks(_batches(bank), len(bank.images), reals)
                content = io.BytesIO()
                np.savez(content, ranks=ranks)
                write_bytes(path, content.getvalue())
        return ranks


def _read(path: pathlib.Path, count: int) -> np.ndarray | None:
    """The ranks of this number of images in a file, which is a zip archive and so has checksums.

    Returns:
        float64 [count]; None if the file is missing or damaged.
    """
    if not path.exists():
        return None
    try:
        content = io.BytesIO(read_small(path, count * np.dtype(np.float64).itemsize + MOST_BESIDE))
        if any(each.compress_type != zipfile.ZIP_STORED for each in zipfile.ZipFile(content).infolist()):
            raise ValueError("a compressed archive, which may expand to any size")
        with np.load(content) as arrays:
            ranks = arrays["ranks"]
        if ranks.shape != (count,) or ranks.dtype != np.float64 or not np.isfinite(ranks).all():
            raise ValueError("not a rank for each image")
        return ranks
    except Exception:  # a damaged file may raise anything
        logger.warning("%s is damaged: the images are ranked again", path)
        return None


def _batches(bank: TeacherBank) -> Iterator[np.ndarray]:
    """All images of a bank in the order of its rows, float32 [any, height, width, channels] in [-1, 1]."""
    for start in range(0, len(bank.images), READ_AT_ONCE):
        yield to_float(bank.images[start : start + READ_AT_ONCE]).numpy()
