"""Layers that several networks share."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from akdg_tf import compat

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


def upsample(x: tf.Tensor) -> tf.Tensor:
    """Nearest-neighbour upsampling x2, [n, h, w, c] to [n, 2h, 2w, c].

    UpSampling2D is slower, and LiteRT runs it as many operations instead of one.
    """
    _, height, width, _ = x.shape
    return ops.image.resize(x, (2 * height, 2 * width), "nearest")


UPSAMPLE_CONV_SCOPE = "fused_upsample_conv"  # name scope of the operations, by which `counting` recognizes them

# How a fused kernel sums the 3 weights of the plain kernel along one axis. For two axes: the Kronecker product [16, 9].
_SHIFTS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])  # 4 weights of the transposed convolution
_PHASES = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]])  # 2 weights of the even outputs, 2 of the odd ones


@_serializable
class UpsampleConv2D(keras.layers.Layer):
    """Nearest-neighbour upsampling x2, then a 3x3 convolution: [n, h, w, c] to [n, 2h, 2w, filters].

    The layer holds the 3x3 weights. It has three forms, which give the same result:

    - "transposed": both operations as one, with 16 mult-adds instead of 36: a transposed convolution of stride 2, whose
      4x4 kernel is the sum of the four shifts of the 3x3 kernel (the fused scale of PGGAN, Karras et al. 2018).
    - "phases": also as one, with 16 mult-adds: four 2x2 convolutions, one per parity of row and column.
    - "resized": two operations, one after the other. An export of this form stores 9 weights instead of 16.

    `benchmarks/upsample_conv.py` measures the forms. In TensorFlow the transposed convolution is the fastest, forward
    and backward. In LiteRT it is slow, and the phases are fast.

    Args:
        filters: output channels.

    Attributes:
        form: one of the above. The export to LiteRT sets it.
    """

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.form = filters, "transposed"
        self.conv = self.convolution(filters)

    @staticmethod
    def convolution(filters: int) -> keras.layers.Conv2D:
        """The layer that holds the weights."""
        return keras.layers.Conv2D(filters, 3, padding="same")

    def build(self, input_shape):
        n, h, w, c = input_shape
        self.conv.build((n, h and 2 * h, w and 2 * w, c))

    def compute_output_shape(self, input_shape):
        n, h, w, _ = input_shape
        return n, h and 2 * h, w and 2 * w, self.filters

    def call(self, inputs):
        with tf.name_scope(UPSAMPLE_CONV_SCOPE):
            forms = {"transposed": self._transposed, "phases": self._by_phases, "resized": self._resized}
            outputs = forms[self.form](inputs)
        return tf.nn.bias_add(outputs, self.conv.bias)

    def used_kernel(self, training: bool = False) -> tf.Tensor:
        """The 3x3 kernel, [3, 3, channels, filters]. A subclass may change it."""
        return self.conv.kernel

    def used_sums(self, sums: tf.Tensor, inputs: tuple[int, ...]) -> tf.Tensor:
        """The weights of the fused kernel, as the images are convolved with them. A subclass may change them.

        Args:
            sums: the weights of the four phases, whose axes are in any order, [2, 2, 2, 2, *, *].
            inputs: the axes over which an output is summed. The other axes are the phase and the filter.
        """
        return sums

    def _transposed(self, x):
        sums = _summed(ops.transpose(self.used_kernel(), (0, 1, 3, 2)), _SHIFTS)
        parities = ops.reshape(sums, (2, 2, 2, 2, *sums.shape[2:]))  # weights 0 and 2 meet odd outputs, 1 and 3 even
        kernel = ops.reshape(self.used_sums(parities, (0, 2, 5)), sums.shape)
        return ops.conv_transpose(x, kernel, strides=2, padding="same")

    def _by_phases(self, x):
        sums = tf.reshape(_summed(self.used_kernel(), _PHASES), (2, 2, 2, 2, x.shape[-1], self.filters))
        kernels = self.used_sums(sums, (1, 3, 4))
        parities = [(p, q) for p in (0, 1) for q in (0, 1)]
        phases = [tf.nn.conv2d(x, kernels[p, :, q], 1, [[0, 0], [1 - p, p], [1 - q, q], [0, 0]]) for p, q in parities]
        return tf.nn.depth_to_space(tf.concat(phases, -1), 2)

    def _resized(self, x):
        return tf.nn.conv2d(upsample(x), self.used_kernel(), 1, "SAME")

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


class KernelConv2D(keras.layers.Conv2D):
    """Conv2D whose subclass computes the kernel from its weights.

    Attributes:
        used_kernel: maps `training` to the kernel that the images are convolved with, [height, width, channels,
            filters].
    """

    used_kernel: Callable[[bool], tf.Tensor]

    def call(self, inputs, training=False):
        outputs = self.convolution_op(inputs, self.used_kernel(training))
        return self.activation(outputs if self.bias is None else tf.nn.bias_add(outputs, self.bias))


class KernelConvPool2D(KernelConv2D):
    """A 3x3 convolution, then 2x2 average pooling: [n, 2h, 2w, c] to [n, h, w, filters].

    The layer computes both operations as one, exactly, with 16 mult-adds instead of 36. It is a convolution of stride
    2, whose 4x4 kernel is the mean of the four shifts of the 3x3 kernel (the fused scale of PGGAN, Karras et al. 2018).

    Args:
        filters: output channels.

    Raises:
        ValueError: when it is built, the height or width of the input is odd.
    """

    def __init__(self, filters: int, **kwargs):
        super().__init__(filters, **{**kwargs, "kernel_size": 3, "padding": "same"})

    def build(self, input_shape):
        if any(side is not None and side % 2 for side in input_shape[1:3]):
            raise ValueError(f"2x2 pooling requires even sides: the input has the shape {tuple(input_shape)}")
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        n, height, width, _ = input_shape
        return n, height and height // 2, width and width // 2, self.filters

    def call(self, inputs, training=False):
        kernel = _summed(self.used_kernel(training), _SHIFTS[::-1]) / 4.0
        return tf.nn.bias_add(ops.conv(inputs, kernel, strides=2, padding="same"), self.bias)


class KernelDense(keras.layers.Dense):
    """Dense layer whose subclass computes the kernel from its weights.

    Attributes:
        used_kernel: maps `training` to the kernel that the inputs are multiplied with, [inputs, units].
    """

    used_kernel: Callable[[bool], tf.Tensor]

    def call(self, inputs, training=False):
        outputs = ops.matmul(inputs, self.used_kernel(training))
        return self.activation(outputs if self.bias is None else tf.nn.bias_add(outputs, self.bias))


def _summed(kernel: tf.Tensor, axis_sums: np.ndarray) -> tf.Tensor:
    """Sums weights of a 3x3 kernel, [3, 3, ...] to [4, 4, ...]; `axis_sums` [4, 3] says which, for each axis."""
    sums = ops.convert_to_tensor(np.kron(axis_sums, axis_sums), kernel.dtype)
    return ops.reshape(ops.matmul(sums, ops.reshape(kernel, (9, -1))), (4, 4, *kernel.shape[2:]))


@_serializable
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization by TensorFlow's fused kernel, [n, ..., c], float32 or bfloat16.

    Keras computes the statistics, the scale and the offset by separate operations. The kernel computes them in one pass
    and keeps the statistics in float32. It is used in training on one replica. Several replicas, and inference, use
    Keras' operations, because the kernel does not sum over replicas. Both forms give the same outputs, gradients and
    moving averages, up to rounding. `axis` is always the last.
    """

    def call(self, inputs, training=False, mask=None):
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if not training or not self.trainable or replicas > 1:
            return super().call(inputs, training=training, mask=mask)
        x = tf.convert_to_tensor(inputs)
        count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        outputs = tf.raw_ops.FusedBatchNormV3(
            x=x if len(x.shape) == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1])),
            scale=compat.stored_value(self.gamma),
            offset=compat.stored_value(self.beta),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
        )
        variance = outputs.batch_variance * (count - 1.0) / count  # the kernel gives the unbiased variance
        for average, value in ((self.moving_mean, outputs.batch_mean), (self.moving_variance, variance)):
            average.assign(self.momentum * compat.stored_value(average) + (1.0 - self.momentum) * value)
        return tf.reshape(outputs.y, tf.shape(x))


def batch_norm() -> keras.layers.BatchNormalization:
    """Batch normalization over the global batch, so that several replicas compute what one would."""
    return FusedBatchNormalization(epsilon=1e-5, momentum=0.99, synchronized=True)
