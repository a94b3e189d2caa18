"""Layers with spectral normalization."""

import keras
import tensorflow as tf
from keras import ops

from akdg_tf.models.layers import KernelConv2D, KernelConvPool2D, KernelDense

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


class _SpectralNorm(keras.layers.Layer):
    """Divides the kernel by its largest singular value (Miyato et al. 2018, algorithm 1).

    Each training call takes one power iteration. The gradient flows through sigma. `u` is state and is not trained.
    """

    kernel: keras.Variable  # of the layer that uses the mixin

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u", shape=(1, self.kernel.shape[-1]), initializer="random_normal", trainable=False
        )

    def used_kernel(self, training: bool) -> tf.Tensor:
        """The kernel, divided by its largest singular value."""
        kernel = ops.cast(self.kernel, "float32")  # bfloat16 is not precise enough for sigma
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = ops.cast(self.u, "float32")
        v = tf.stop_gradient(tf.math.l2_normalize(u @ tf.transpose(matrix)))
        u = tf.stop_gradient(tf.math.l2_normalize(v @ matrix))
        if training:
            self.u.assign(u)
        sigma = tf.reduce_sum((v @ matrix) * u)
        return ops.cast(kernel / sigma, self.compute_dtype)


@_serializable
class SpectralConv2D(_SpectralNorm, KernelConv2D):
    """Conv2D with a spectrally normalized kernel."""


@_serializable
class SpectralConvPool2D(_SpectralNorm, KernelConvPool2D):
    """A spectrally normalized 3x3 convolution, then 2x2 average pooling, as one; see `KernelConvPool2D`."""


@_serializable
class SpectralDense(_SpectralNorm, KernelDense):
    """Dense with a spectrally normalized kernel."""
