"""Constants for the inputs of a foreign generator other than the latent, such as a truncation or a class."""

import math
import re
from typing import Any

import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError

ONE_HOT = re.compile(r"one-hot (\d+)")  # stands for the vector of a class


class Constant:
    """The value of one input, the same for all samples.

    Args:
        name: of the input.
        value: a number, a string, or an array. "one-hot 3" is the vector of class 3.
        spec: the input. It takes one value per sample if its first dimension is free or the fixed batch.
        batch: the generator's fixed batch, None if it has none.

    Raises:
        UserError: the value does not fit the input.
    """

    def __init__(self, name: str, value: Any, spec: tf.TensorSpec, batch: int | None):
        self.name, self.value, self.spec = name, value, spec
        self._shape = None if spec.shape.rank is None else spec.shape.as_list()
        self._is_per_sample = self._shape is not None and self._shape[:1] in ([None], [batch])
        self._values = self._fitted(self._array())

    def __call__(self, count: tf.Tensor) -> tf.Tensor:
        """What the input is fed for `count` samples. A constant of the graph, so that digests contain it."""
        values = tf.constant(self._values, self.spec.dtype)
        return tf.repeat(values[None], count, 0) if self._is_per_sample else values

    def _array(self) -> np.ndarray:
        one_hot = ONE_HOT.fullmatch(self.value) if isinstance(self.value, str) else None
        if one_hot and self.spec.dtype != tf.string:
            return self._one_hot(int(one_hot[1]))
        try:
            return np.asarray(tf.constant(self.value, self.spec.dtype).numpy())  # a string gives bytes
        except (TypeError, ValueError) as error:
            raise self._refused() from error

    def _one_hot(self, index: int) -> np.ndarray:
        size = self._shape[-1] if self._shape else None
        if size is None or index >= size:
            raise self._refused()
        return tf.one_hot(index, size, dtype=self.spec.dtype).numpy()

    def _fitted(self, array: np.ndarray) -> np.ndarray:
        """The value in the shape of the input, for one sample if the input takes one value per sample."""
        if self._shape is None:
            return array
        shape = self._shape[1:] if self._is_per_sample else self._shape
        if self._is_per_sample and array.ndim > len(shape) and len(array) == 1:
            array = array[0]
        if tf.TensorShape(shape).is_compatible_with(array.shape):
            return array
        sizes = [size for size in shape if size is not None]
        if len(sizes) == len(shape) and array.size == math.prod(sizes):
            return array.reshape(sizes)
        raise self._refused()

    def _refused(self) -> UserError:
        kind = f"{self.spec.dtype.name} {self.spec.shape}"
        return UserError(
            f"the input {self.name} is {kind}, and cannot be {self.value!r:.60}: bind one image's value in "
            "load_teacher.inputs; 'one-hot 3' is the vector of class 3"
        )
