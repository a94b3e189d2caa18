"""The cost of a network: layers, parameters, mult-adds, bytes. Counting reads the graph of a callable."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping

import keras
import tensorflow as tf

from akdg_tf.compat import graph_with_constants
from akdg_tf.models.layers import UPSAMPLE_CONV_SCOPE

CALLS_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
CALLS = {"PartitionedCall", "StatefulPartitionedCall"}  # not inlined, as what Keras compiles with XLA
OTHER_PRODUCTS = {"BatchMatMul", "BatchMatMulV3", "Conv3D", "Conv3DBackpropInputV2", "Einsum"}
UNCOUNTED = CALLS_PYTHON | CALLS | OTHER_PRODUCTS  # operations whose cost is unknown
COMPARED = {"params": "params", "mult_adds": "mult-adds"}  # costs that a student should have less of than its teacher


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost of a network, for one sample.

    Attributes:
        layers: number of layers that multiply: convolutions and dense layers.
        params: trainable parameters, including the scales and offsets of norms.
        mult_adds: multiply-adds of convolutions and dense layers. Biases, norms and activations are not counted. An
            `UpsampleConv2D` counts as separate upsampling and 3x3 convolution, which is the convention of papers.
        executed_mult_adds: the same, but an `UpsampleConv2D` counts as it is computed: 16 instead of 36.
        bytes: size of all variables as stored, including moving statistics.
    """

    layers: int
    params: int
    mult_adds: int
    executed_mult_adds: int
    bytes: int

    def shared(self, samples: int) -> "Cost":
        """The cost for one sample of a network that always computes this number of samples."""
        executed = self.executed_mult_adds // samples
        return dataclasses.replace(self, mult_adds=self.mult_adds // samples, executed_mult_adds=executed)


def cost_of(generator: keras.Model) -> "Cost":
    """The cost of a generator in memory, which has a `latent_dim`."""
    return count_cost(generator, (generator.latent_dim,), generator.variables, generator.trainable_variables)


def count_cost(
    function: Callable[[tf.Tensor], tf.Tensor],
    input_shape: tuple[int, ...],
    variables: Iterable | None = None,
    trainable_variables: Iterable | None = None,
) -> Cost:
    """Counts the cost of a network, whose graph must be countable; see `is_countable`.

    Args:
        function: maps float32 [1, *input_shape] to anything.
        input_shape: shape of one input: (latent_dim,) for a generator.
        variables: all variables of the network; default: those that the call reads.
        trainable_variables: the variables that count as parameters; default: the trainable ones that the call reads.

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


def exceeded(student: Mapping[str, int | None], teacher: Mapping[str, int | None]) -> list[str]:
    """The costs in which a student exceeds its teacher: "params", "mult-adds".

    Args:
        student: its counts by the names in `Cost`. A count that is None is unknown, and exceeds nothing.
        teacher: the teacher's.
    """
    pairs = {label: (student[key], teacher[key]) for key, label in COMPARED.items()}
    return [label for label, (ours, its) in pairs.items() if ours is not None and its is not None and ours > its]


def frozen_graph(function: Callable[[tf.Tensor], tf.Tensor], input_shape: tuple[int, ...]) -> tf.Graph:
    """The graph for one sample, with inlined calls, static shapes, and variables as constants.

    Args:
        function: maps float32 [1, *input_shape] to anything.
        input_shape: shape of one input.
    """
    return graph_with_constants(_concrete(function, input_shape))


def is_countable(graph: tf.Graph, loops: int = 0) -> bool:
    """Whether the cost of a graph can be counted: no operation is `UNCOUNTED`, and all shapes of products are known.

    Args:
        graph: with inlined calls and lowered loops, as `frozen_graph` makes it.
        loops: number of loops that it may have. What they do is counted once.
    """
    operations = graph.get_operations()
    frames = {operation.get_attr("frame_name") for operation in operations if operation.type == "Enter"}
    if len(frames) > loops or any(operation.type in UNCOUNTED for operation in operations):
        return False
    try:
        return all(_mult_adds(operation) >= 0 for operation in operations)
    except (TypeError, ValueError):  # a dimension is None, or even their number is unknown
        return False


def _concrete(function, input_shape):
    return tf.function(function).get_concrete_function(tf.TensorSpec((1, *input_shape), tf.float32))


def _mult_adds(operation: tf.Operation) -> int:
    """Multiply-adds of a convolution or matrix product: outputs times the length of each inner product."""
    if operation.type in ("Conv2D", "DepthwiseConv2dNative"):
        height, width, channels, _ = operation.inputs[1].shape
        inner = height * width * (channels if operation.type == "Conv2D" else 1)
    elif operation.type == "Conv2DBackpropInput":  # transposed: each input value is multiplied by the whole kernel
        height, width, channels, _ = operation.inputs[1].shape
        return math.prod(operation.inputs[2].shape) * height * width * channels
    elif operation.type in ("MatMul", "BatchMatMulV2") and not _is_fused(operation):  # the fused one sums weights
        transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
        inner = operation.inputs[0].shape[-2 if transposed else -1]
    else:
        return 0
    return math.prod(operation.outputs[0].shape) * inner


def _is_fused(operation: tf.Operation) -> bool:
    return UPSAMPLE_CONV_SCOPE in operation.name


def _plain(operation: tf.Operation, executed: int) -> int:
    """The multiply-adds of the plain form: 36 per input (4 outputs of 9), where the fused form has 16."""
    return executed * 36 // 16 if _is_fused(operation) else executed
