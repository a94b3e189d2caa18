"""Images of a step and, for class-conditional generators, their labels."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Batch(NamedTuple):
    """Images and their labels.

    Attributes:
        images: float32 [n, *sample_shape].
        labels: one-hot, float32 [n, classes]; None if the generator is not class-conditional.
    """

    images: tf.Tensor
    labels: tf.Tensor | None = None

    @property
    def size(self) -> tf.Tensor:
        """Number of images, int32 scalar."""
        return tf.shape(self.images)[0]

    def rows(self, which: slice) -> "Batch":
        """Some of the images, with their labels."""
        return Batch(self.images[which], None if self.labels is None else self.labels[which])


def given(data: Any, classes: int) -> Batch:
    """What `fit` gives a step: images, or images and labels.

    Args:
        data: argument of `train_step`. Labels are int [n] in [0, classes), or [n, 1].
        classes: number of classes of the labels that the step uses; 0 if it uses none.

    Raises:
        ValueError: it uses labels, and there are none in the data.
    """
    images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    if not classes:
        return Batch(images)
    if labels is None:
        raise ValueError("a class-conditional generator is trained with labels: give fit (images, labels)")
    return Batch(images, tf.one_hot(tf.reshape(labels, [-1]), classes))


def best_of(candidates: list[Batch], logits: list[tf.Tensor]) -> Batch:
    """For each row the candidate of the highest logit.

    Args:
        candidates: k batches of n images.
        logits: theirs, each [n, 1].
    """
    best = tf.argmax(tf.concat(logits, 1), 1)

    def chosen(each):
        return tf.gather(tf.stack(each, 1), best, axis=1, batch_dims=1)

    labels = [each.labels for each in candidates if each.labels is not None]
    return Batch(chosen([each.images for each in candidates]), chosen(labels) if labels else None)
