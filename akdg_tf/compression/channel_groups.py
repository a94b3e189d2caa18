"""The channels of a generator, in groups of layers that can only lose them together."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import cast

import keras
import numpy as np
from keras import layers

from akdg_tf.errors import UserError
from akdg_tf.models.generators import Generator
from akdg_tf.models.layered import BLOCKS, LayeredGenerator, Residual, doubles
from akdg_tf.models.layers import UpsampleConv2D

SIZES = {layers.Dense: "units", layers.Conv2D: "filters", UpsampleConv2D: "filters"}  # name of the number of outputs
POINTWISE = (layers.ReLU, layers.LeakyReLU, layers.Activation)


@dataclasses.dataclass(eq=False)
class Group:
    """Channels that several variables hold. A channel is removed from all of them or from none.

    Attributes:
        size: number of channels.
        slices: the variables, each with the axis along which it holds the channels. Index i along the axis belongs to
            channel i % size: a dense layer whose outputs become maps has one unit per pixel and channel.
        readers: the layers that multiply the channels by weights.
    """

    size: int
    slices: list[tuple[keras.Variable, int]] = dataclasses.field(default_factory=list)
    readers: list[keras.layers.Layer] = dataclasses.field(default_factory=list)

    def take(self, other: "Group") -> None:
        """Takes over the channels of a group that are added to these."""
        self.slices += other.slices
        self.readers += other.readers


def groups_of(generator: Generator) -> list[Group]:
    """The groups of all channels between the latent and the sample, from the first to the last.

    All blocks of a residual generator add to the same channels: these are one group.

    Raises:
        UserError: the generator has a layer of another kind.
    """
    found: list[Group] = []
    last = _after(sequence_of(generator), Group(generator.latent_dim), found)
    return [group for group in found if group is not last]


def sequence_of(generator: Generator) -> list[keras.layers.Layer]:
    """The layers of a generator, from the latent to the sample."""
    return cast(keras.Sequential, generator.net).layers


def weights_of(layer: keras.layers.Layer) -> keras.layers.Layer:
    """The layer that holds the kernel and the bias of a layer of `SIZES`."""
    return layer.conv if isinstance(layer, UpsampleConv2D) else layer


def _after(sequence: Sequence[keras.layers.Layer], group: Group, found: list[Group]) -> Group:
    """Adds layers to the group of their input, and new groups to `found`; returns the group of their output."""
    for layer in sequence:
        if isinstance(layer, BLOCKS):
            end = _after(layer.residual.layers, group, found)
            if end is not group:
                group.take(end)
                found.remove(end)
        elif type(layer) in SIZES:
            held = weights_of(layer)
            group.slices.append((held.kernel, held.kernel.ndim - 2))
            group.readers.append(layer)
            outputs = [(held.kernel, held.kernel.ndim - 1), *([(held.bias, 0)] if held.use_bias else [])]
            group = Group(held.kernel.shape[-1], outputs)
            found.append(group)
        elif isinstance(layer, layers.BatchNormalization):
            group.slices += [(variable, 0) for variable in layer.variables]
        elif isinstance(layer, layers.Reshape) and len(layer.input.shape) == 2:
            group.size = layer.target_shape[-1]
        elif not isinstance(layer, POINTWISE):
            raise UserError(
                f"PruneChannels takes MLP, DCGAN and SNGAN generators: it cannot prune a layer {type(layer).__name__}"
            )
    return group


def without(generator: Generator, removed: Mapping[Group, np.ndarray]) -> LayeredGenerator:
    """The network without some channels; the weights of all others are kept.

    Args:
        generator: it is not changed.
        removed: numbers of the channels to remove, by group of `groups_of(generator)`.
    """
    values = {id(variable): variable.numpy() for variable in generator.variables}
    for group, channels in removed.items():
        for variable, axis in group.slices:
            left = ~np.isin(np.arange(variable.shape[axis]) % group.size, channels)
            values[id(variable)] = np.compress(left, values[id(variable)], axis)
    net = keras.Sequential(_narrowed(sequence_of(generator), values))
    smaller = LayeredGenerator(net, generator.latent_dim, generator.sample_shape, classes=generator.classes)
    smaller.set_weights([values[id(variable)] for variable in generator.variables])
    return smaller


def _narrowed(sequence: Sequence[keras.layers.Layer], values: Mapping[int, np.ndarray]) -> list[keras.layers.Layer]:
    """New layers of the same kinds for weights of other shapes.

    Args:
        sequence: the layers.
        values: their new weights, by id of the variable.
    """
    made, size = [], 0
    for layer in sequence:
        config = layer.get_config()
        if isinstance(layer, BLOCKS):
            residual = keras.Sequential(_narrowed(layer.residual.layers, values))
            made.append(Residual(residual, doubles(layer), dtype=layer.dtype_policy))
            continue
        if type(layer) in SIZES:
            size = values[id(weights_of(layer).kernel)].shape[-1]
            config[SIZES[type(layer)]] = size
        elif isinstance(layer, layers.Reshape):
            *sides, _ = layer.target_shape
            config["target_shape"] = (*sides, size // math.prod(sides))
        made.append(type(layer).from_config(config))
    return made
