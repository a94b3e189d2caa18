"""Gradient penalties of discriminators."""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class R1Penalty:
    """R1 (Mescheder et al. 2018, eq. 9): gamma/2 * E[|grad_x D(x)|^2] on the reference images only.

    The half is part of the convention here. Mescheder's code leaves it out: its weight 10 is gamma = 20.

    Attributes:
        gamma: weight, >= 0.
        every: the penalty is taken every so many discriminator steps, times `every` (lazy, Karras et al. 2020).

    Raises:
        ValueError: gamma < 0 or every < 1.
    """

    gamma: float = 10.0
    every: int = 1

    def __post_init__(self):
        if self.gamma < 0 or self.every < 1:
            raise ValueError(f"R1 wants gamma >= 0 and every >= 1, not {self.gamma} and {self.every}")

    def __call__(self, discriminator, images: tf.Tensor) -> tf.Tensor:
        """gamma/2 * |grad_x D(x)|^2 of each image, [n], not yet multiplied by `every`."""
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = tf.reduce_sum(discriminator(images, training=False))
        gradient = tape.gradient(logits, images)
        axes = list(range(1, len(images.shape)))
        return 0.5 * self.gamma * tf.reduce_sum(tf.square(gradient), axes)
