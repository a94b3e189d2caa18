"""The MSE method (Aguinaldo et al. 2019): the student imitates the teacher's image of each latent."""

from typing import ClassVar

import keras
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.methods import checks
from akdg_tf.methods.batch import Batch
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.teachers.sources import PairSource


class MSEDistillation(GeneratorTrainer):
    """L(G_S) = E[mean over pixels of (G_S(z) - G_T(z))^2], the same z for both. There is no discriminator.

    `fit` takes a dataset of images like the other methods, but uses only its batch size.

    Args:
        generator: the student G_S. Its latent must have the size of the teacher's.
        teacher: source of pairs (z, G_T(z)): a frozen generator, or a bank of its pairs. Its prior must be the
            student's.
        ema_decay: decay of the moving average of the student.
        seed: seed of the latents.

    Raises:
        ValueError: the teacher gives no pairs, or its latents differ from the student's in size or prior.
    """

    name_in_messages = "MSE"
    teacher_role: ClassVar[type] = PairSource
    uses_real_images = False

    def __init__(self, generator: keras.Model, teacher: PairSource, ema_decay: float = 0.999, seed: int = 0):
        super().__init__(generator, [], 1, ema_decay, seed)
        checks.check_teacher(teacher, self.teacher_role, self.name_in_messages, generator)
        if (self.latent_dim, self.prior) != (teacher.latent_dim, teacher.prior):
            raise ValueError(
                f"{self.name_in_messages} requires that student and teacher have the same latents: "
                f"the student's are {self.prior} of size {self.latent_dim}, "
                f"the teacher's {teacher.prior} of size {teacher.latent_dim}"
            )
        self.teacher = teacher

    def references(self, real: Batch, step: tf.Tensor) -> list[Batch]:
        """An empty list: there is no adversary."""
        return []

    def draw_latents(self, count: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """The latents z of the teacher's pairs (z, G_T(z)) for `step`."""
        return self.teacher.draw_latents(count, (self.seed, latents.STUDENT), step)

    def latents_by_network(self, count: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same z for student and teacher."""
        drawn = super().latents_by_network(count, step)
        return drawn | {"teacher": drawn["student"]}

    def generator_loss(self, images: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Mean squared error per image, [n]."""
        _, targets = self.teacher.draw_pairs(tf.shape(images)[0], (self.seed, latents.STUDENT), step)
        return tf.reduce_mean(tf.square(images - targets), axis=list(range(1, len(images.shape))))
