"""2-D mixtures of Gaussians: the ring of 8 modes and the grid of 25, scaled into [-1, 1]."""

import dataclasses

import numpy as np
import tensorflow as tf

from akdg_tf.data.registry import register_dataset
from akdg_tf.shares import rows_of_share, share


@dataclasses.dataclass(frozen=True)
class GaussianMixture:
    """A mixture of isotropic Gaussians with equal weights; an endless dataset.

    Attributes:
        name: registered name.
        centers: float32 [modes, 2].
        stddev: standard deviation of each mode, per axis.
        split, sample_shape: see `Dataset`.
    """

    name: str
    centers: np.ndarray
    stddev: float
    split: str = "endless"
    sample_shape: tuple[int, ...] = (2,)

    def batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tf.Tensor:
        """Batch number `step`, float32 [size, 2]."""
        key = tf.random.fold_in(tf.constant([seed, 0], tf.int64), step)
        total = size * share()[0]
        mode = tf.random.stateless_uniform([total], key, 0, len(self.centers), tf.int32)
        noise = tf.random.stateless_normal([total, 2], tf.random.fold_in(key, 1), stddev=self.stddev)
        return rows_of_share(tf.gather(tf.constant(self.centers, tf.float32), mode) + noise, size)

    def reals(self, count: int, seed: int) -> np.ndarray:
        """`count` samples, float32 [count, 2]."""
        return self.batch(tf.constant(0, tf.int64), count, seed).numpy()

    def digest(self) -> None:
        """None: the dataset is endless, and its name identifies it."""


@register_dataset("ring", reads_folder=False)
def load_ring(data_dir=None, sample_shape=None) -> GaussianMixture:
    """8 modes on a circle of radius 0.8, standard deviation 0.02."""
    angle = np.arange(8) * (2 * np.pi / 8)
    return GaussianMixture("ring", 0.8 * np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32), 0.02)


@register_dataset("grid", reads_folder=False)
def load_grid(data_dir=None, sample_shape=None) -> GaussianMixture:
    """25 modes on a 5x5 grid with spacing 0.4, standard deviation 0.02."""
    side = np.linspace(-0.8, 0.8, 5)
    return GaussianMixture("grid", np.stack(np.meshgrid(side, side), -1).reshape(-1, 2).astype(np.float32), 0.02)
