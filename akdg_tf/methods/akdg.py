"""AKDG (Tsunashima et al., ICPR 2020): a discriminator sees real images, a second one the teacher's."""

import functools
from typing import cast

import keras
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.data.images import shifted_and_flipped
from akdg_tf.methods import checks
from akdg_tf.methods.adversary import Adversary, Weight
from akdg_tf.methods.augmentations import Augmentation
from akdg_tf.methods.batch import Batch, best_of
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
        distillation_weight: lambda, or a schedule that gives it for each step, such as one that falls to 0. The paper's
            value is not known.
        loss: adversarial loss of both discriminators.
        penalty: gradient penalty of both discriminators, or None. Its references are real images for D_S, and teacher
            images for D_KD.
        augmentation: changes what both discriminators see, or None.
        teacher_candidates: teacher images of which D_S chooses one, for each one that D_KD sees: that of the highest
            logit (after discriminator rejection sampling, Azadi et al. 2019). Each candidate is drawn and seen by D_S.
        flip_teacher: whether to mirror half of the teacher's images left to right, as `Data.flip` does with real ones.
        d_steps: discriminator steps per generator step, for both discriminators.
        ema_decay: decay of the moving average of the student.
        seed: seed of z and z'.

    Raises:
        ValueError: an argument has no meaning, such as several candidates without D_S.
    """

    teacher_role = ImageSource

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model | None,
        distillation_discriminator: keras.Model,
        teacher: ImageSource,
        distillation_weight: Weight = 1.0,
        loss: AdversarialLoss = NonSaturatingLoss(),
        penalty: Penalty | None = R1Penalty(),
        augmentation: Augmentation | None = None,
        teacher_candidates: int = 1,
        flip_teacher: bool = False,
        d_steps: int = 1,
        ema_decay: float = 0.999,
        seed: int = 0,
    ):
        checks.check_discriminator(distillation_discriminator, "the distillation discriminator", generator)
        checks.check_teacher(teacher, ImageSource, "AKDG", generator)
        checks.check_labels(teacher, generator)
        if teacher_candidates < 1 or (teacher_candidates > 1 and discriminator is None):
            raise ValueError(f"teacher_candidates must be at least 1, and 1 without D_S, not {teacher_candidates}")
        if flip_teacher and len(latents.sample_shape_of(generator)) != 3:
            raise ValueError("flip_teacher mirrors images, but these samples are points")
        adversary = functools.partial(Adversary, loss=loss, penalty=penalty, augmentation=augmentation)
        d_kd = adversary("d_kd", distillation_discriminator, weight=distillation_weight)
        d_s = [] if discriminator is None else [adversary("d_s", discriminator)]
        super().__init__(generator, [*d_s, d_kd], d_steps, ema_decay, seed)
        self.teacher, self.teacher_candidates, self.flip_teacher = teacher, teacher_candidates, flip_teacher

    def references(self, real: Batch, step: tf.Tensor) -> list[Batch]:
        """Real images for D_S, teacher images G_T(z') for D_KD."""
        images = self._teacher_images(real.size, step)
        return [images] if len(self.adversaries) == 1 else [real, images]

    def _teacher_images(self, count, step):
        """For each of `count` images the best of `teacher_candidates`, by the logit of D_S."""
        first = step * self.teacher_candidates
        candidates = [self._drawn(count, first + i) for i in range(self.teacher_candidates)]
        if self.teacher_candidates == 1:
            return candidates[0]
        return best_of(candidates, [self.adversaries[0].logits(*each) for each in candidates])

    def _drawn(self, count, step):
        """Teacher images, with the labels that are part of their latents if the student is conditional."""
        seed, labels = (self.seed, latents.TEACHER), None
        if latents.classes_in(self.prior):
            z, images = cast(PairSource, self.teacher).draw_pairs(count, seed, step)
            labels = latents.labels_in(z, self.teacher.prior)
        else:
            images = self.teacher.draw_images(count, seed, step)
        if self.flip_teacher:
            images = shifted_and_flipped(images, 0, self.seed, step, latents.FLIPS)
        return Batch(images, labels)

    def latents_by_network(self, count: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """The student's latents z, and the teacher's z' if its source has latents: those of the first candidates."""
        drawn = super().latents_by_network(count, step)
        if isinstance(self.teacher, PairSource):
            first = step * self.teacher_candidates
            drawn["teacher"] = self.teacher.draw_latents(count, (self.seed, latents.TEACHER), first)
        return drawn
