"""Layers that several networks share."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


UPSAMPLE_CONV_SCOPE = "fused_upsample_conv"  # the name of its operations in a graph, by which `counting` knows them

# One axis of the 4-wide kernel from the 3-wide one, rows by columns; two axes: their Kronecker product, [16, 9].
_SHIFTS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
_FUSE = np.kron(_SHIFTS, _SHIFTS)


@_serializable
class UpsampleConv2D(keras.layers.Layer):
    """Nearest-neighbour upsampling x2, then a 3x3 convolution: [n, h, w, c] to [n, 2h, 2w, filters].

    Holds the 3x3 weights, and computes both at once, exactly, as a transposed convolution of stride 2 whose 4x4 kernel
    is the 3x3 one summed over its four shifts (the fused scale of PGGAN, Karras et al. 2018): 16 mult-adds for
    every 36, forward and backward. `benchmarks/upsample_conv.py` measures both forms.

    Args:
        filters: output channels.
    """

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.conv = keras.layers.Conv2D(filters, 3, padding="same")

    def build(self, input_shape):
        n, h, w, c = input_shape
        self.conv.build((n, h and 2 * h, w and 2 * w, c))

    def call(self, inputs):
        with tf.name_scope(UPSAMPLE_CONV_SCOPE):
            outputs = ops.conv_transpose(inputs, self._fused_kernel(), strides=2, padding="same")
        return ops.add(outputs, self.conv.bias)

    def _fused_kernel(self) -> tf.Tensor:
        """The kernel of the transposed convolution, [4, 4, filters, c]."""
        kernel = ops.transpose(self.conv.kernel, (0, 1, 3, 2))
        fused = ops.matmul(ops.convert_to_tensor(_FUSE, kernel.dtype), ops.reshape(kernel, (9, -1)))
        return ops.reshape(fused, (4, 4, *kernel.shape[2:]))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


def batch_norm() -> keras.layers.BatchNormalization:
    """Batch normalization whose batch is the global one, so that replicas agree with a single device."""
    return keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.99, synchronized=True)


class _SpectralNorm:
    """Divides the kernel by its largest singular value (Miyato et al. 2018, algorithm 1).

    One power iteration a training call; the gradient flows through sigma. `u` is state, not a weight.
    """

    def _build_spectral_norm(self):
        self.u = self.add_weight(
            name="u", shape=(1, self.kernel.shape[-1]), initializer="random_normal", trainable=False
        )

    def _normalized_kernel(self, training: bool) -> tf.Tensor:
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = tf.convert_to_tensor(self.u)
        v = tf.stop_gradient(tf.math.l2_normalize(u @ tf.transpose(matrix)))
        u = tf.stop_gradient(tf.math.l2_normalize(v @ matrix))
        if training:
            self.u.assign(u)
        sigma = tf.reduce_sum((v @ matrix) * u)
        return self.kernel / sigma


@_serializable
class SpectralConv2D(_SpectralNorm, keras.layers.Conv2D):
    """Conv2D with a spectrally normalized kernel."""

    def build(self, input_shape):
        super().build(input_shape)
        self._build_spectral_norm()

    def call(self, inputs, training=False):
        return ops.add(self.convolution_op(inputs, self._normalized_kernel(training)), self.bias)


@_serializable
class SpectralDense(_SpectralNorm, keras.layers.Dense):
    """Dense with a spectrally normalized kernel."""

    def build(self, input_shape):
        super().build(input_shape)
        self._build_spectral_norm()

    def call(self, inputs, training=False):
        return ops.add(ops.matmul(inputs, self._normalized_kernel(training)), self.bias)
