"""AKDG (Tsunashima et al., ICPR 2020): a discriminator sees real images, a second one the teacher's."""

import keras
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.methods import checks
from akdg_tf.methods.adversary import Adversary
from akdg_tf.methods.losses import AdversarialLoss, NonSaturatingLoss
from akdg_tf.methods.penalties import Penalty, R1Penalty
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.teachers.sources import ImageSource, PairSource


class AKDG(GeneratorTrainer):
    """L(G_S) = L_adv(D_S) + lambda * L_adv(D_KD).

    D_S distinguishes real images from the student's, D_KD the teacher's images from the student's. Both see the same
    student images G_S(z). The teacher's latents z' are independent of z: the images are not paired. Without D_S the
    student needs no real images.

    Args:
        generator: the student G_S; maps latents to images.
        discriminator: D_S; None distills without real images, by D_KD alone.
        distillation_discriminator: D_KD.
        teacher: source of images of G_T: a frozen generator, or a bank of its images.
        distillation_weight: lambda; the paper's value is not known.
        loss: adversarial loss of both discriminators.
        penalty: gradient penalty of both discriminators, or None. Its references are real images for D_S, and teacher
            images for D_KD.
        d_steps: discriminator steps per generator step, for both discriminators.
        ema_decay: decay of the moving average of the student.
        seed: seed of z and z'.
    """

    teacher_role = ImageSource

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model | None,
        distillation_discriminator: keras.Model,
        teacher: ImageSource,
        distillation_weight: float = 1.0,
        loss: AdversarialLoss = NonSaturatingLoss(),
        penalty: Penalty | None = R1Penalty(),
        d_steps: int = 1,
        ema_decay: float = 0.999,
        seed: int = 0,
    ):
        checks.check_discriminator(distillation_discriminator, "the distillation discriminator")
        checks.check_teacher(teacher, ImageSource, "AKDG", generator)
        d_kd = Adversary("d_kd", distillation_discriminator, loss, penalty, distillation_weight)
        d_s = [] if discriminator is None else [Adversary("d_s", discriminator, loss, penalty)]
        super().__init__(generator, [*d_s, d_kd], d_steps, ema_decay, seed)
        self.teacher = teacher

    def references(self, real: tf.Tensor, step: tf.Tensor) -> list[tf.Tensor]:
        """Real images for D_S, teacher images G_T(z') for D_KD."""
        images = self.teacher.draw_images(tf.shape(real)[0], (self.seed, latents.TEACHER), step)
        return [images] if len(self.adversaries) == 1 else [real, images]

    def latents_by_network(self, count: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """The student's latents z, and the teacher's z' if its source has latents."""
        drawn = super().latents_by_network(count, step)
        if isinstance(self.teacher, PairSource):
            drawn["teacher"] = self.teacher.draw_latents(count, (self.seed, latents.TEACHER), step)
        return drawn
