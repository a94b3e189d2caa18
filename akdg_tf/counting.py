"""What a network costs: layers, parameters, mult-adds, bytes; counted on its graph, so for any SavedModel too."""

import dataclasses
import math
from collections.abc import Callable, Iterable

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants  # no public name; tf.lite uses it


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a network costs for one sample.

    Attributes:
        layers: layers that multiply: convolutions and dense.
        params: trainable parameters, norm scales and offsets included.
        mult_adds: multiply-adds of convolutions and dense layers; nothing is counted for biases, norms, activations.
        bytes: all variables, moving statistics included, as stored.
    """

    layers: int
    params: int
    mult_adds: int
    bytes: int


def count_cost(
    function: Callable[[tf.Tensor], tf.Tensor],
    input_shape: tuple[int, ...],
    variables: Iterable | None = None,
    trainable_variables: Iterable | None = None,
) -> Cost:
    """Counts a network.

    Args:
        function: float32 [1, *input_shape] to anything.
        input_shape: shape of one input: (latent_dim,) of a generator.
        variables: all its variables; by default those that the call reads.
        trainable_variables: those that count as parameters; by default the trainable ones that the call reads.

    Returns:
        Its cost.
    """
    concrete = _concrete(function, input_shape)
    variables = concrete.variables if variables is None else variables
    trainable_variables = concrete.trainable_variables if trainable_variables is None else trainable_variables
    counts = [_mult_adds(operation) for operation in _frozen(concrete).get_operations()]
    return Cost(
        layers=sum(count > 0 for count in counts),
        params=sum(math.prod(v.shape) for v in trainable_variables),
        mult_adds=sum(counts),
        bytes=sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables),
    )


def frozen_graph(function: Callable[[tf.Tensor], tf.Tensor], input_shape: tuple[int, ...]) -> tf.Graph:
    """The graph of one sample, its calls inlined, its shapes static, its variables constants.

    Args:
        function: float32 [1, *input_shape] to anything.
        input_shape: shape of one input.
    """
    return _frozen(_concrete(function, input_shape))


def _concrete(function, input_shape):
    return tf.function(function).get_concrete_function(tf.TensorSpec((1, *input_shape), tf.float32))


def _frozen(concrete) -> tf.Graph:
    return convert_to_constants.convert_variables_to_constants_v2(concrete).graph


def _mult_adds(operation: tf.Operation) -> int:
    """Multiply-adds of a convolution or matrix product: outputs times the length of each inner product."""
    if operation.type in ("Conv2D", "DepthwiseConv2dNative"):
        height, width, channels, _ = operation.inputs[1].shape
        inner = height * width * (channels if operation.type == "Conv2D" else 1)
    elif operation.type == "Conv2DBackpropInput":  # transposed: each input value meets the whole kernel
        height, width, channels, _ = operation.inputs[1].shape
        return math.prod(operation.inputs[2].shape) * height * width * channels
    elif operation.type in ("MatMul", "BatchMatMulV2"):
        transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
        inner = operation.inputs[0].shape[-2 if transposed else -1]
    else:
        return 0
    return math.prod(operation.outputs[0].shape) * inner
