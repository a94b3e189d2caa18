"""The MSE method (Aguinaldo et al. 2019): the student imitates the teacher latent by latent, no discriminator."""

import gin
import keras
import tensorflow as tf

from akdg_tf.methods.base import GeneratorTrainer
from akdg_tf.teachers import Teacher


@gin.register(denylist=["student", "seed"])  # the experiment gives them
class MSEDistillation(GeneratorTrainer):
    """L(G_S) = E[mean over pixels of (G_S(z) - G_T(z))^2], the same z for both.

    `fit` takes a dataset of images as the other methods do, for its batch size alone.

    Args:
        student: G_S; its latent has the teacher's size.
        teacher: G_T, frozen; its prior is normal.
        ema_decay: decay of the average of the student.
        seed: seed of the latents.

    Raises:
        ValueError: the student's latent is not the teacher's.
    """

    def __init__(self, student: keras.Model, teacher: Teacher, ema_decay: float = 0.999, seed: int = 0):
        super().__init__(student, [], 1, ema_decay, seed)
        if (self.latent_dim, "normal") != (teacher.latent_dim, teacher.prior):
            raise ValueError(
                f"MSE pairs latents: the student's is normal of {self.latent_dim}, "
                f"the teacher's is {teacher.prior} of {teacher.latent_dim}"
            )
        self.teacher = teacher

    def references(self, real: tf.Tensor, step: tf.Tensor) -> list[tf.Tensor]:
        """None: there is no adversary."""
        return []

    def generator_loss(self, images: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        """Mean squared error of each image, [n]."""
        return tf.reduce_mean(tf.square(images - self.teacher(z)), axis=list(range(1, len(images.shape))))
