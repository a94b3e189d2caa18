"""An adversary of a generator: a discriminator with its loss, its penalty, its optimizer and its weight."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from akdg_tf.methods.augmentations import Augmentation
from akdg_tf.methods.batch import Batch
from akdg_tf.methods.losses import AdversarialLoss
from akdg_tf.methods.optimizers import with_zeros
from akdg_tf.methods.penalties import Penalty
from akdg_tf.shares import share, share_of_mean

Weight = float | Callable[[tf.Tensor], tf.Tensor]  # a schedule of Keras is such a function of the step
Gradients = tuple[list[tf.Tensor], dict[str, tf.Tensor]]


class Adversary(keras.layers.Layer):
    """A discriminator that learns to distinguish reference images from generated ones.

    The references of D_S are real images. Those of D_KD are the teacher's images. A class-conditional discriminator has
    one logit per class. Only the logit of an image's label counts: D(x, y) = D(x)[y] (Mescheder et al. 2018).

    Args:
        name: name of the discriminator and prefix of its logs: "d_s" or "d_kd".
        discriminator: maps images [n, *sample_shape] to logits [n, 1], or [n, classes] if it is conditional. If it has
            a true attribute `uses_batch_statistics`, it sees reference and generated images in separate calls.
        loss: the losses of the discriminator and of the generator.
        penalty: gradient penalty of the discriminator, or None.
        weight: factor of this adversary's term in the generator's loss, or a schedule that gives it for each step. For
            D_KD it is AKDG's lambda.
        augmentation: changes all images before the discriminator sees them, or None. The penalty is computed at the
            changed images.

    Raises:
        ValueError: the weight is neither a number >= 0 nor a schedule.
    """

    LOGS = ("loss", "reference_logits", "generated_logits")

    def __init__(
        self,
        name: str,
        discriminator: keras.Model,
        loss: AdversarialLoss,
        penalty: Penalty | None,
        weight: Weight = 1.0,
        augmentation: Augmentation | None = None,
    ):
        super().__init__(name=name)
        if not callable(weight) and not (isinstance(weight, int | float) and weight >= 0):
            raise ValueError(f"the weight of {name} is {weight!r}: give a number >= 0, or a schedule")
        self.discriminator, self.loss, self.penalty, self.weight = discriminator, loss, penalty, weight
        self.augmentation = augmentation
        self.optimizer: keras.optimizers.Optimizer = None  # set by `compile`

    def build(self, input_shape):
        if not self.discriminator.built:
            self.discriminator(tf.zeros((1, *input_shape[1:])))

    def compile(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Sets the optimizer of the discriminator and creates the optimizer's variables."""
        self.optimizer = optimizer
        self.optimizer.build(self.discriminator.trainable_variables)

    @property
    def random_numbers(self) -> int:
        """Random numbers per image and discriminator step: one for the penalty, the others for the augmentation."""
        return bool(self.penalty) + (3 * self.augmentation.numbers if self.augmentation else 0)

    def _augmented(self, images, use, uniform):
        """The images as the discriminator sees them: the references (0), or the generated ones in its own step (1) or
        in the generator's (2). Each use has its own random numbers.
        """
        if self.augmentation is None:
            return images
        first = bool(self.penalty) + use * self.augmentation.numbers
        return self.augmentation(images, uniform[:, first : first + self.augmentation.numbers])

    def gradients(self, reference: Batch, generated: Batch, step: tf.Tensor, uniform: tf.Tensor) -> Gradients:
        """Computes the gradients of one discriminator step. `apply` applies them.

        Args:
            reference: n real or teacher images.
            generated: n of the generator's images; no gradient flows into them.
            step: int64 scalar, the number of this discriminator step. It decides whether the lazy penalty is due.
            uniform: float32 [n, random_numbers], random numbers in [0, 1) that follow from (seed, step).

        Returns:
            This share's summands of the gradients, one per trainable variable, and of the scalars to log, by name. The
            sum over the micro-batches is what a replica logs.
        """
        variables = self.discriminator.trainable_variables
        labels = reference.labels, generated.labels
        images = [self._augmented(each.images, use, uniform) for use, each in enumerate((reference, generated))]
        with tf.GradientTape() as tape:
            reference_logits, generated_logits = map(_of_labels, self._logits(*images), labels)
            losses = self.loss.discriminator(reference_logits, generated_logits)
            loss = share_of_mean(losses)
        gradients = with_zeros(tape.gradient(loss, variables), variables)
        if self.penalty:
            penalty_gradients = self._penalty_gradients(variables, images, reference.labels, step, uniform[:, 0])
            gradients = [a + b for a, b in zip(gradients, penalty_gradients, strict=True)]
        means = map(tf.reduce_mean, (losses, reference_logits, generated_logits))
        micro_batches = share()[0] // tf.distribute.get_strategy().num_replicas_in_sync
        logs = {f"{self.name}/{key}": mean / micro_batches for key, mean in zip(self.LOGS, means, strict=True)}
        return gradients, logs

    def _logits(self, reference, generated):
        """The logits of both kinds of images: in one call, unless a logit depends on the other images of a batch."""
        if getattr(self.discriminator, "uses_batch_statistics", False):
            return [self.discriminator(images, training=True) for images in (reference, generated)]
        return tf.split(self.discriminator(tf.concat([reference, generated], 0), training=True), 2)

    def no_gradients(self) -> Gradients:
        """Zeros in the structure of `gradients`."""
        zeros = [tf.zeros(variable.shape) for variable in self.discriminator.trainable_variables]
        return zeros, {f"{self.name}/{key}": tf.zeros(()) for key in self.LOGS}

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Takes one step of the discriminator's optimizer. It sums the gradients over the replicas."""
        self.optimizer.apply(gradients, self.discriminator.trainable_variables)

    def _penalty_gradients(self, variables, images, labels, step, uniform):
        """The gradients of `every` times the penalty if it is due, otherwise zeros. The labels are the references'."""

        def due():
            with tf.GradientTape() as tape:
                penalty = self.penalty(functools.partial(self.logits, labels=labels), *images, uniform)
                value = self.penalty.every * share_of_mean(penalty)
            return with_zeros(tape.gradient(value, variables), variables)  # the last bias has none

        def not_due():
            return [tf.zeros(v.shape) for v in variables]

        return tf.cond(tf.equal(step % self.penalty.every, 0), due, not_due)

    def logits(self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """The discriminator's logits of images and their labels, [n, 1]; see `Batch`."""
        return _of_labels(self.discriminator(images, training=training), labels)

    def generator_loss(self, generated: Batch, uniform: tf.Tensor) -> tf.Tensor:
        """The generator's loss against this adversary, [n], before `weight` is applied.

        Args:
            generated: n of the generator's images.
            uniform: see `gradients`.
        """
        return self.loss.generator(self.logits(self._augmented(generated.images, 2, uniform), generated.labels))

    def weight_at(self, step: tf.Tensor) -> tf.Tensor | float:
        """The weight in a generator step, a scalar."""
        return self.weight(step) if callable(self.weight) else self.weight


def _of_labels(logits: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
    """The logit of each image's label, [n, 1]; without labels, the logits as they are."""
    return logits if labels is None else tf.reduce_sum(logits * labels, 1, keepdims=True)
