"""The MSE method (Aguinaldo et al. 2019): the student imitates the teacher latent by latent, no discriminator."""

import keras
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.teachers.sources import PairSource


class MSEDistillation(GeneratorTrainer):
    """L(G_S) = E[mean over pixels of (G_S(z) - G_T(z))^2], the same z for both.

    `fit` takes a dataset of images as the other methods do, for its batch size alone.

    Args:
        generator: the student G_S; its latent has the teacher's size.
        teacher: gives pairs (z, G_T(z)): a frozen generator, or a bank of its pairs; its prior is normal.
        ema_decay: decay of the average of the student.
        seed: seed of the latents.

    Raises:
        ValueError: the student's latent is not the teacher's, or the teacher gives no pairs.
    """

    teacher_role = PairSource

    def __init__(self, generator: keras.Model, teacher: PairSource, ema_decay: float = 0.999, seed: int = 0):
        super().__init__(generator, [], 1, ema_decay, seed)
        if not isinstance(teacher, PairSource):
            raise ValueError(f"MSE pairs latents with teacher images: {type(teacher).__name__} gives images alone")
        if (self.latent_dim, "normal") != (teacher.latent_dim, teacher.prior):
            raise ValueError(
                f"MSE pairs latents: the student's is normal of {self.latent_dim}, "
                f"the teacher's is {teacher.prior} of {teacher.latent_dim}"
            )
        self.teacher = teacher

    def references(self, real: tf.Tensor, step: tf.Tensor) -> list[tf.Tensor]:
        """None: there is no adversary."""
        return []

    def draw_latents(self, count: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Those of the teacher's pairs (z, G_T(z)) of `step`."""
        return self.teacher.draw_latents(count, (self.seed, latents.STUDENT), step)

    def latents_by_network(self, count: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same z for student and teacher."""
        drawn = super().latents_by_network(count, step)
        return drawn | {"teacher": drawn["student"]}

    def generator_loss(self, images: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Mean squared error of each image, [n]."""
        _, targets = self.teacher.draw_pairs(tf.shape(images)[0], (self.seed, latents.STUDENT), step)
        return tf.reduce_mean(tf.square(images - targets), axis=list(range(1, len(images.shape))))
