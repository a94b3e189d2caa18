"""Differentiable augmentations of what a discriminator sees."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import tensorflow as tf


class Augmentation(Protocol):
    """Changes the images before a discriminator sees them, reference and generated images alike.

    It must be differentiable, because the generator learns through it.

    Attributes:
        numbers: how many random numbers it uses per image.
    """

    @property
    def numbers(self) -> int: ...

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """The augmented images.

        Args:
            images: float32 [n, height, width, channels] in [-1, 1].
            uniform: float32 [n, numbers], random numbers in [0, 1) that follow from (seed, step).

        Returns:
            float32, with the same shape; the values may leave [-1, 1].
        """


@dataclasses.dataclass(frozen=True)
class DiffAugment:
    """DiffAugment (Zhao et al. 2020, section 3.2): random color, translation and cutout, in this order.

    - color: brightness by up to ±0.5, saturation by a factor up to 2, contrast by a factor of 0.5 to 1.5.
    - translation: by up to an eighth of the sides; what is uncovered becomes middle gray, 0.
    - cutout: a rectangle of half the sides becomes middle gray, 0. It may lie partly outside.

    Attributes:
        policy: which of "color", "translation" and "cutout" are used.

    Raises:
        ValueError: the policy is empty, or names another change.
    """

    policy: tuple[str, ...] = ("color", "translation", "cutout")

    def __post_init__(self):
        if isinstance(self.policy, str) or not self.policy or not set(self.policy) <= set(_CHANGES):
            raise ValueError(f"DiffAugment.policy is {self.policy!r}: give a tuple of {', '.join(_CHANGES)}")

    @property
    def numbers(self) -> int:
        """Random numbers per image."""
        return sum(_CHANGES[name][1] for name in self.policy)

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """The augmented images; see `Augmentation`.

        Raises:
            ValueError: the samples are points.
        """
        if len(images.shape) != 4:
            raise ValueError(f"DiffAugment takes images, not samples of shape {tuple(images.shape[1:])}")
        first = 0
        for name, (change, numbers) in _CHANGES.items():
            if name in self.policy:
                images = change(images, *tf.unstack(uniform[:, first : first + numbers], axis=1))
                first += numbers
        return images


def _color(images, brightness, saturation, contrast):
    brightness, saturation, contrast = (each[:, None, None, None] for each in (brightness, saturation, contrast))
    images = images + brightness - 0.5
    gray = tf.reduce_mean(images, 3, keepdims=True)
    images = gray + 2.0 * saturation * (images - gray)
    mean = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    return mean + (contrast + 0.5) * (images - mean)


def _translation(images, down, right):
    for axis, place in ((1, down), (2, right)):
        side = images.shape[axis]
        most = int(side / 8 + 0.5)
        first = tf.cast(place * (2 * most + 1), tf.int32)
        border = [(most, most) if each == axis else (0, 0) for each in range(4)]
        images = tf.gather(tf.pad(images, border), first[:, None] + tf.range(side), axis=axis, batch_dims=1)
    return images


def _cutout(images, down, right):
    rows, columns = (_half(place, side) for place, side in zip((down, right), images.shape[1:3], strict=True))
    return tf.where((rows[:, :, None] & columns[:, None, :])[..., None], 0.0, images)


def _half(place, side):
    """Which of `side` pixels lie in a window of half as many, whose middle is at a random place, bool [n, side]."""
    size = int(side / 2 + 0.5)
    first = tf.cast(place * (side + 1 - size % 2), tf.int32)[:, None] - size // 2
    pixels = tf.range(side)
    return (first <= pixels) & (pixels < first + size)


# Each change, and how many random numbers it uses per image.
_CHANGES: dict[str, tuple[Callable[..., tf.Tensor], int]] = {
    "color": (_color, 3),
    "translation": (_translation, 2),
    "cutout": (_cutout, 2),
}
