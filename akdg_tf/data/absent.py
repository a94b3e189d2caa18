"""No images, in the place of real ones that nothing in an experiment reads."""

import numpy as np
import tensorflow as tf

NAME = "none"


class NoImages:
    """A dataset without samples, for a method that uses only their number.

    Args:
        sample_shape: shape of one sample.

    Attributes:
        name, split, sample_shape: see `Dataset`.
    """

    name = NAME
    split = "no real images were read"

    def __init__(self, sample_shape: tuple[int, ...]):
        self.sample_shape = tuple(sample_shape)

    def batch(self, step: tf.Tensor, size: int | tf.Tensor, seed: int) -> tf.Tensor:
        """Zeros, float32 [size, *sample_shape]."""
        return tf.zeros((size, *self.sample_shape))

    def reals(self, count: int, seed: int) -> np.ndarray:
        """No samples, float32 [0, *sample_shape]."""
        return np.zeros((0, *self.sample_shape), np.float32)

    def digest(self) -> None:
        """None: there is nothing to identify."""
