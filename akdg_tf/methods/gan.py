"""The vanilla method: a generator against one discriminator, without a teacher (Mescheder et al. 2018)."""

import keras

from akdg_tf.methods.adversary import Adversary
from akdg_tf.methods.augmentations import Augmentation
from akdg_tf.methods.losses import AdversarialLoss, NonSaturatingLoss
from akdg_tf.methods.penalties import Penalty, R1Penalty
from akdg_tf.methods.trainer import GeneratorTrainer


class GAN(GeneratorTrainer):
    """L(G) = L_adv(D), where D distinguishes real images from generated ones.

    Args:
        generator: maps latents to images.
        discriminator: D (AKDG's D_S); maps images to logits.
        loss: adversarial loss.
        penalty: gradient penalty of the discriminator, or None.
        augmentation: changes what the discriminator sees, or None.
        d_steps: discriminator steps per generator step.
        ema_decay: decay of the moving average of the generator.
        seed: seed of the latents.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        loss: AdversarialLoss = NonSaturatingLoss(),
        penalty: Penalty | None = R1Penalty(),
        augmentation: Augmentation | None = None,
        d_steps: int = 1,
        ema_decay: float = 0.999,
        seed: int = 0,
    ):
        adversary = Adversary("d_s", discriminator, loss, penalty, augmentation=augmentation)
        super().__init__(generator, [adversary], d_steps, ema_decay, seed)
