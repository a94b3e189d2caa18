"""Adversarial losses. Logits are float32 [n, 1]; every loss has one value per example, [n]."""

import dataclasses
from typing import Protocol

import tensorflow as tf


class AdversarialLoss(Protocol):
    """The losses of a discriminator and of the generator that it judges."""

    def discriminator(self, reference_logits: tf.Tensor, generated_logits: tf.Tensor) -> tf.Tensor:
        """Loss of the discriminator, [n]."""

    def generator(self, generated_logits: tf.Tensor) -> tf.Tensor:
        """Loss of the generator, [n]."""


@dataclasses.dataclass(frozen=True)
class NonSaturatingLoss:
    """Non-saturating logistic loss (Goodfellow et al. 2014), the loss of the paper's vanilla method."""

    def discriminator(self, reference_logits: tf.Tensor, generated_logits: tf.Tensor) -> tf.Tensor:
        """-log D(reference) - log(1 - D(generated)), [n]."""
        return tf.squeeze(tf.nn.softplus(-reference_logits) + tf.nn.softplus(generated_logits), -1)

    def generator(self, generated_logits: tf.Tensor) -> tf.Tensor:
        """-log D(generated), [n]."""
        return tf.squeeze(tf.nn.softplus(-generated_logits), -1)


@dataclasses.dataclass(frozen=True)
class HingeLoss:
    """Hinge loss (Miyato et al. 2018, eq. 16 and 17), the loss of the SNGAN teacher."""

    def discriminator(self, reference_logits: tf.Tensor, generated_logits: tf.Tensor) -> tf.Tensor:
        """max(0, 1 - D(reference)) + max(0, 1 + D(generated)), [n]."""
        return tf.squeeze(tf.nn.relu(1.0 - reference_logits) + tf.nn.relu(1.0 + generated_logits), -1)

    def generator(self, generated_logits: tf.Tensor) -> tf.Tensor:
        """-D(generated), [n]."""
        return tf.squeeze(-generated_logits, -1)


@dataclasses.dataclass(frozen=True)
class WassersteinLoss:
    """Wasserstein loss (Arjovsky et al. 2017) with the drift term of PGGAN (Karras et al. 2018, appendix A.1).

    It needs a `GradientPenalty`. The drift term keeps the reference logits near zero.

    Attributes:
        drift: weight of the squared reference logits, >= 0; PGGAN's is 0.001.

    Raises:
        ValueError: drift < 0.
    """

    drift: float = 1e-3

    def __post_init__(self):
        if self.drift < 0:
            raise ValueError(f"WassersteinLoss requires drift >= 0, not {self.drift}")

    def discriminator(self, reference_logits: tf.Tensor, generated_logits: tf.Tensor) -> tf.Tensor:
        """D(generated) - D(reference) + drift * D(reference)^2, [n]."""
        drift = self.drift * tf.square(reference_logits)
        return tf.squeeze(generated_logits - reference_logits + drift, -1)

    def generator(self, generated_logits: tf.Tensor) -> tf.Tensor:
        """-D(generated), [n]."""
        return tf.squeeze(-generated_logits, -1)
