"""A copy of a generator in which single layers are replaced by others."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np

from akdg_tf.errors import UserError
from akdg_tf.models.generators import Generator
from akdg_tf.models.layered import BLOCKS, LayeredGenerator, Residual, doubles


@dataclasses.dataclass(frozen=True)
class Replacement:
    """A layer in the place of another one, or one of several in a row.

    Attributes:
        layer: not yet built.
        weights: its values in the order of `get_weights`; None: it keeps those that it is built with.
    """

    layer: keras.layers.Layer
    weights: Sequence[np.ndarray] | None


def in_sequence(generator: keras.Model, name: str = "the network") -> Generator:
    """The generator, if its layers can be compressed.

    Args:
        generator: any network.
        name: names it in the message.

    Raises:
        UserError: it is another kind of network, or its layers are not in sequence.
    """
    if not isinstance(generator, Generator) or not isinstance(generator.net, keras.Sequential):
        raise UserError(
            f"{name} is a {type(generator).__name__}: only generators whose layers are in sequence can be compressed "
            "(MLP, DCGAN, SNGAN)"
        )
    return generator


def layers_in(net: keras.Sequential) -> Iterator[keras.layers.Layer]:
    """The layers of a sequence; in the place of residual blocks, the layers of the residuals."""
    for layer in net.layers:
        if isinstance(layer, BLOCKS):
            yield from layers_in(layer.residual)
        else:
            yield layer


def replaced(
    generator: Generator, replace: Callable[[keras.layers.Layer], Sequence[Replacement] | None]
) -> LayeredGenerator:
    """Copies a generator and replaces some of its layers.

    Args:
        generator: its layers are in sequence. It is not changed.
        replace: is called with each layer, also with those of residual blocks, in their order. It returns what is put
            in the layer's place, or None for a copy of the layer with its weights.
    """
    net, made = _replaced_in(generator.net, replace)
    copy = LayeredGenerator(net, generator.latent_dim, generator.sample_shape, classes=generator.classes)
    for each in made:
        if each.weights is not None:
            each.layer.set_weights(each.weights)
    return copy


def _replaced_in(net: keras.Sequential, replace) -> tuple[keras.Sequential, list[Replacement]]:
    """The copy of a sequence, not yet built, and the layers whose weights are set once it is."""
    layers: list[keras.layers.Layer] = []
    made: list[Replacement] = []
    for layer in net.layers:
        if isinstance(layer, BLOCKS):
            residual, inner = _replaced_in(layer.residual, replace)
            layers.append(Residual(residual, doubles(layer), dtype=layer.dtype_policy))
        else:
            inner = list(replace(layer) or [Replacement(like(layer, type(layer)), layer.get_weights())])
            layers += [each.layer for each in inner]
        made += inner
    return keras.Sequential(layers), made


def like(layer: keras.layers.Layer, kind: type[keras.layers.Layer], **settings) -> keras.layers.Layer:
    """A new layer of some kind with the configuration of another one, but for its name and for what is given.

    Args:
        layer: the other one.
        kind: its class, or one that takes the same configuration.
        settings: what differs.
    """
    config = layer.get_config()
    del config["name"]  # names that are made anew differ from each other
    return kind.from_config({**config, **settings})
