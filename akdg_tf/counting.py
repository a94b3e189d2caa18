"""What a generator costs: layers, parameters, mult-adds, bytes; counted on its graph, so for any SavedModel too."""

import dataclasses
import math
from collections.abc import Callable, Iterable

import keras
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants  # no public name; tf.lite uses it

from akdg_tf.latents import latent_dim_of


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a network costs for one sample.

    Attributes:
        layers: layers that multiply: convolutions and dense.
        params: trainable parameters, norm scales and offsets included.
        mult_adds: multiply-adds of convolutions and dense layers; nothing is counted for biases, norms, activations.
        bytes: all variables, moving statistics included, as stored.
        latent_dim: size of the latent.
    """

    layers: int
    params: int
    mult_adds: int
    bytes: int
    latent_dim: int


def count_cost(
    function: Callable[[tf.Tensor], tf.Tensor],
    latent_dim: int,
    variables: Iterable,
    trainable_variables: Iterable,
) -> Cost:
    """Counts a generator.

    Args:
        function: float32 [1, latent_dim] to a sample.
        latent_dim: size of the latent.
        variables: all its variables.
        trainable_variables: those that count as parameters.

    Returns:
        Its cost.
    """
    layers = mult_adds = 0
    for operation in _operations(function, latent_dim):
        count = _mult_adds(operation)
        layers, mult_adds = layers + (count > 0), mult_adds + count
    return Cost(
        layers=layers,
        params=sum(math.prod(v.shape) for v in trainable_variables),
        mult_adds=mult_adds,
        bytes=sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables),
        latent_dim=latent_dim,
    )


def count_model(generator: keras.Model) -> Cost:
    """Counts a built Keras generator."""
    variables, trainable = generator.variables, generator.trainable_variables
    return count_cost(generator, latent_dim_of(generator), variables, trainable)


def _operations(function, latent_dim: int) -> list[tf.Operation]:
    """Operations of the function for one sample, calls inlined, with static shapes."""
    concrete = tf.function(function).get_concrete_function(tf.TensorSpec((1, latent_dim), tf.float32))
    frozen = convert_to_constants.convert_variables_to_constants_v2(concrete)
    return frozen.graph.get_operations()


def _mult_adds(operation: tf.Operation) -> int:
    """Multiply-adds of a convolution or matrix product: outputs times the length of each inner product."""
    if operation.type in ("Conv2D", "DepthwiseConv2dNative"):
        height, width, channels, _ = operation.inputs[1].shape
        inner = height * width * (channels if operation.type == "Conv2D" else 1)
    elif operation.type in ("MatMul", "BatchMatMulV2"):
        transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
        inner = operation.inputs[0].shape[-2 if transposed else -1]
    else:
        return 0
    return math.prod(operation.outputs[0].shape) * inner
