"""What a network costs: layers, parameters, mult-adds, bytes; counted on its graph, so for any SavedModel too."""

import dataclasses
import math
from collections.abc import Callable, Iterable

import tensorflow as tf

from akdg_tf.compat import graph_with_constants
from akdg_tf.models.layers import UPSAMPLE_CONV_SCOPE


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a network costs for one sample.

    Attributes:
        layers: layers that multiply: convolutions and dense.
        params: trainable parameters, norm scales and offsets included.
        mult_adds: multiply-adds of convolutions and dense layers; nothing is counted for biases, norms, activations. An
            upsampling with its 3x3 convolution counts as these two, however it is computed: the convention of papers.
        executed_mult_adds: the same, with the fused `UpsampleConv2D` as it is computed: 16 for every 36.
        bytes: all variables, moving statistics included, as stored.
    """

    layers: int
    params: int
    mult_adds: int
    executed_mult_adds: int
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
    operations = graph_with_constants(concrete).get_operations()
    counts = [_mult_adds(operation) for operation in operations]
    return Cost(
        layers=sum(count > 0 for count in counts),
        params=sum(math.prod(v.shape) for v in trainable_variables),
        mult_adds=sum(_plain(operation, count) for operation, count in zip(operations, counts, strict=True)),
        executed_mult_adds=sum(counts),
        bytes=sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables),
    )


def frozen_graph(function: Callable[[tf.Tensor], tf.Tensor], input_shape: tuple[int, ...]) -> tf.Graph:
    """The graph of one sample, its calls inlined, its shapes static, its variables constants.

    Args:
        function: float32 [1, *input_shape] to anything.
        input_shape: shape of one input.
    """
    return graph_with_constants(_concrete(function, input_shape))


def _concrete(function, input_shape):
    return tf.function(function).get_concrete_function(tf.TensorSpec((1, *input_shape), tf.float32))


def _mult_adds(operation: tf.Operation) -> int:
    """Multiply-adds of a convolution or matrix product: outputs times the length of each inner product."""
    if operation.type in ("Conv2D", "DepthwiseConv2dNative"):
        height, width, channels, _ = operation.inputs[1].shape
        inner = height * width * (channels if operation.type == "Conv2D" else 1)
    elif operation.type == "Conv2DBackpropInput":  # transposed: each input value meets the whole kernel
        height, width, channels, _ = operation.inputs[1].shape
        return math.prod(operation.inputs[2].shape) * height * width * channels
    elif operation.type in ("MatMul", "BatchMatMulV2") and not _is_fused(operation):  # that one sums weights
        transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
        inner = operation.inputs[0].shape[-2 if transposed else -1]
    else:
        return 0
    return math.prod(operation.outputs[0].shape) * inner


def _is_fused(operation: tf.Operation) -> bool:
    return UPSAMPLE_CONV_SCOPE in operation.name


def _plain(operation: tf.Operation, executed: int) -> int:
    """The multiply-adds of the plain form: 9 for each of the 4 outputs of an input, where the fused form has 16."""
    return executed * 36 // 16 if _is_fused(operation) else executed
