"""Gradient penalties of discriminators."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import tensorflow as tf


class Penalty(Protocol):
    """A term that is added to a discriminator's loss, computed on the images that the discriminator sees.

    It is computed at every `every`-th discriminator step and multiplied by `every` (lazy regularization, Karras et al.
    2020).
    """

    @property
    def every(self) -> int:
        """Discriminator steps from one penalty to the next."""

    def __call__(
        self,
        discriminator: Callable[..., tf.Tensor],
        reference: tf.Tensor,
        generated: tf.Tensor,
        uniform: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """The penalty per pair of a reference image and a generated image.

        Args:
            discriminator: maps images to logits [n, 1].
            reference: float32 [n, *sample_shape], real or teacher images.
            generated: float32 [n, *sample_shape], the generator's images.
            uniform: float32 [n], random numbers in [0, 1) that follow from (seed, step); None if the penalty uses none.

        Returns:
            float32 [n], not yet multiplied by `every`.
        """


@dataclasses.dataclass(frozen=True)
class R1Penalty:
    """R1 (Mescheder et al. 2018, eq. 9): gamma/2 * E[|grad_x D(x)|^2], on the reference images only.

    The factor 1/2 is part of the convention here. Mescheder's code omits it: its weight 10 corresponds to gamma = 20.

    Attributes:
        gamma: weight, >= 0.
        every: discriminator steps from one penalty to the next.

    Raises:
        ValueError: gamma < 0 or every < 1.
    """

    gamma: float = 10.0
    every: int = 1

    def __post_init__(self):
        if self.gamma < 0 or self.every < 1:
            raise ValueError(f"R1Penalty requires gamma >= 0 and every >= 1, not {self.gamma} and {self.every}")

    def __call__(self, discriminator, reference, generated, uniform=None) -> tf.Tensor:
        """gamma/2 * |grad_x D(x)|^2 per reference image, float32 [n]; the generated images are not used."""
        return 0.5 * self.gamma * _squared_gradient(discriminator, reference)


@dataclasses.dataclass(frozen=True)
class GradientPenalty:
    """WGAN-GP (Gulrajani et al. 2017, eq. 3): weight * E[(|grad_x D(x)| - 1)^2], x between reference and generated.

    Each x is at a random place on the line between a reference image and a generated one.

    Attributes:
        weight: lambda in the paper, >= 0.
        every: discriminator steps from one penalty to the next.

    Raises:
        ValueError: weight < 0 or every < 1.
    """

    weight: float = 10.0
    every: int = 1

    def __post_init__(self):
        if self.weight < 0 or self.every < 1:
            raise ValueError(f"GradientPenalty requires weight >= 0 and every >= 1, not {self.weight} and {self.every}")

    def __call__(self, discriminator, reference, generated, uniform=None) -> tf.Tensor:
        """The penalty, weight * (|grad_x D(x)| - 1)^2, at x = reference + uniform * (generated - reference), [n]."""
        place = tf.reshape(uniform, (-1, *([1] * (len(reference.shape) - 1))))
        images = reference + place * (generated - reference)
        norm = tf.sqrt(_squared_gradient(discriminator, images) + 1e-12)  # at 0 the square root has no gradient
        return self.weight * tf.square(norm - 1.0)


def _squared_gradient(discriminator: Callable[..., tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    """|grad_x D(x)|^2 per image, float32 [n]."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = tf.reduce_sum(discriminator(images, training=False))
    return tf.reduce_sum(tf.square(tape.gradient(logits, images)), list(range(1, len(images.shape))))
