"""Adversarial losses and the R1 penalty. Logits are float32 [n, 1]; every function gives one value an example, [n]."""

import dataclasses

import gin
import tensorflow as tf


@gin.register
@dataclasses.dataclass(frozen=True)
class NonSaturatingLoss:
    """Non-saturating logistic loss (Goodfellow et al. 2014), the loss of the paper's vanilla method."""

    def discriminator(self, reference_logits: tf.Tensor, generated_logits: tf.Tensor) -> tf.Tensor:
        """-log D(reference) - log(1 - D(generated)), [n]."""
        return tf.squeeze(tf.nn.softplus(-reference_logits) + tf.nn.softplus(generated_logits), -1)

    def generator(self, generated_logits: tf.Tensor) -> tf.Tensor:
        """-log D(generated), [n]."""
        return tf.squeeze(tf.nn.softplus(-generated_logits), -1)


@gin.register
@dataclasses.dataclass(frozen=True)
class HingeLoss:
    """Hinge loss (Miyato et al. 2018, eq. 16 and 17), the loss of the SNGAN teacher."""

    def discriminator(self, reference_logits: tf.Tensor, generated_logits: tf.Tensor) -> tf.Tensor:
        """max(0, 1 - D(reference)) + max(0, 1 + D(generated)), [n]."""
        return tf.squeeze(tf.nn.relu(1.0 - reference_logits) + tf.nn.relu(1.0 + generated_logits), -1)

    def generator(self, generated_logits: tf.Tensor) -> tf.Tensor:
        """-D(generated), [n]."""
        return tf.squeeze(-generated_logits, -1)


AdversarialLoss = NonSaturatingLoss | HingeLoss


@gin.register
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


def replica_mean(per_example: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the global batch: Keras 3 *sums* gradients over replicas.

    Args:
        per_example: float32 [n], one value for each example of this replica.

    Returns:
        Scalar: the local mean divided by the number of replicas.
    """
    return tf.reduce_mean(per_example) / tf.distribute.get_strategy().num_replicas_in_sync
