"""Layers whose kernels are rounded as a quantized export stores them, so that the training sees the rounding."""

import keras
import tensorflow as tf
from keras import ops

from akdg_tf.models.layers import KernelConv2D, KernelDense, UpsampleConv2D

INT4_BITS = 4  # up to so many bits, a weight is stored as int4

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


def levels(bits: int) -> int:
    """Number of steps from zero to the largest weight. Weights of few levels fit a file whose levels they divide."""
    return 2 ** (bits - 1) - 1


def fake_quantized(kernel: tf.Tensor, bits: int, inputs: tuple[int, ...]) -> tf.Tensor:
    """A kernel whose weights are rounded to whole multiples of a step: symmetric, in the narrow range, per output.

    There are 2^bits - 1 multiples, from -(2^(bits - 1) - 1) to 2^(bits - 1) - 1. The largest weight of an output is the
    last one. The converters of LiteRT round in the same way. The gradient passes straight through (Bengio et al. 2013).

    Args:
        kernel: weights.
        bits: of a stored weight, at least 2.
        inputs: the axes over which an output is summed. Each position on the other axes has its own step.
    """
    wide = ops.cast(kernel, "float32")
    step = tf.reduce_max(tf.abs(wide), inputs, keepdims=True) / float(levels(bits))
    rounded = tf.round(tf.math.divide_no_nan(wide, step)) * step
    return ops.cast(wide + tf.stop_gradient(rounded - wide), kernel.dtype)


class _FakeQuant(keras.layers.Layer):
    """Rounds the kernel whenever it is used. The weights that are trained and saved are not rounded.

    Args:
        bits: of a stored weight.
    """

    kernel: keras.Variable  # of the layer that uses the mixin

    def __init__(self, *args, bits: int = 8, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def used_kernel(self, training: bool = False) -> tf.Tensor:
        """The rounded kernel."""
        return fake_quantized(self.kernel, self.bits, tuple(range(len(self.kernel.shape) - 1)))

    def get_config(self):
        return {**super().get_config(), "bits": self.bits}


@_serializable
class FakeQuantDense(_FakeQuant, KernelDense):
    """Dense with a rounded kernel."""


@_serializable
class FakeQuantConv2D(_FakeQuant, KernelConv2D):
    """Conv2D with a rounded kernel."""


@_serializable
class FakeQuantUpsampleConv2D(UpsampleConv2D):
    """Upsampling and a 3x3 convolution as one, with a rounded kernel; see `UpsampleConv2D`.

    What is rounded is what the export to LiteRT stores: the 3x3 kernel in int4, and the four 2x2 kernels in int8.

    Args:
        filters: output channels.
        bits: of a stored weight.
    """

    def __init__(self, filters: int, bits: int = 8, **kwargs):
        super().__init__(filters, **kwargs)
        self.bits = bits

    def used_kernel(self, training: bool = False) -> tf.Tensor:
        """The 3x3 kernel, rounded if it is stored."""
        kernel = super().used_kernel(training)
        return fake_quantized(kernel, self.bits, (0, 1, 2)) if self.bits <= INT4_BITS else kernel

    def used_sums(self, sums: tf.Tensor, inputs: tuple[int, ...]) -> tf.Tensor:
        """The weights of the fused kernel, rounded if they are stored."""
        return sums if self.bits <= INT4_BITS else fake_quantized(sums, self.bits, inputs)

    def get_config(self):
        return {**super().get_config(), "bits": self.bits}
