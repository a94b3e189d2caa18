"""PGGAN's layers (Karras et al. 2018): equalized learning rate, pixel norm, minibatch standard deviation."""

import math

import keras
import tensorflow as tf
from keras import ops

from akdg_tf.models.layers import KernelConv2D, KernelConvPool2D, KernelDense, UpsampleConv2D

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")

RELU_GAIN = math.sqrt(2.0)  # He's constant for (leaky) ReLU
EPSILON = 1e-8


def pixel_norm(x: tf.Tensor) -> tf.Tensor:
    """Divides the channels of each pixel, or the values of each latent, by their root mean square (section 4.2)."""
    wide = ops.cast(x, "float32")
    return ops.cast(wide / tf.sqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + EPSILON), x.dtype)


def with_minibatch_stddev(x: tf.Tensor, group_size: int = 4) -> tf.Tensor:
    """Appends a channel that holds the standard deviation over the images of a group (section 3).

    Args:
        x: [n, height, width, channels]. Consecutive images form a group.
        group_size: images per group. If it does not divide n, the largest of its divisors that does takes its place.

    Returns:
        [n, height, width, channels + 1].
    """
    n, (height, width, channels) = tf.shape(x)[0], x.shape[1:]
    sizes = tf.constant([size for size in range(1, group_size + 1) if group_size % size == 0])
    size = tf.reduce_max(tf.where(n % sizes == 0, sizes, 1))
    groups = tf.reshape(ops.cast(x, "float32"), (-1, size, height, width, channels))
    stddev = tf.sqrt(tf.math.reduce_variance(groups, 1) + EPSILON)
    mean = tf.repeat(tf.reduce_mean(stddev, (1, 2, 3)), size)  # of all pixels and channels, for each image
    return tf.concat([x, ops.cast(tf.broadcast_to(mean[:, None, None, None], (n, height, width, 1)), x.dtype)], -1)


class _Equalized(keras.layers.Layer):
    """Weights from N(0, 1), multiplied by gain / sqrt(inputs) whenever they are used (section 4.1).

    Args:
        gain: He's constant, sqrt(2) before leaky ReLU, 1 before a linear output.
    """

    kernel: keras.Variable  # of the layer that uses the mixin

    def __init__(self, *args, gain: float = RELU_GAIN, **kwargs):
        super().__init__(*args, **{**kwargs, "kernel_initializer": keras.initializers.RandomNormal(stddev=1.0)})
        self.gain = gain

    def used_kernel(self, training: bool = False) -> tf.Tensor:
        """The scaled kernel."""
        return self.kernel * equalized_scale(self.kernel, self.gain)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


def equalized_scale(kernel: keras.Variable, gain: float) -> float:
    """The factor of a kernel [..., inputs, outputs] at run time."""
    return gain / math.sqrt(math.prod(kernel.shape[:-1]))


@_serializable
class EqualizedConv2D(_Equalized, KernelConv2D):
    """Conv2D with an equalized learning rate."""


@_serializable
class EqualizedConvPool2D(_Equalized, KernelConvPool2D):
    """A 3x3 convolution with an equalized learning rate, then 2x2 average pooling, as one; see `KernelConvPool2D`."""


@_serializable
class EqualizedDense(_Equalized, KernelDense):
    """Dense with an equalized learning rate."""


@_serializable
class EqualizedUpsampleConv2D(UpsampleConv2D):
    """Upsampling and a 3x3 convolution with an equalized learning rate, as one; see `UpsampleConv2D`."""

    @staticmethod
    def convolution(filters: int) -> EqualizedConv2D:
        """The layer that holds the weights."""
        return EqualizedConv2D(filters, 3, padding="same")

    def used_kernel(self, training: bool = False) -> tf.Tensor:
        """The scaled 3x3 kernel."""
        return self.conv.used_kernel(training)
