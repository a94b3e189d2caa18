"""A generator that is given as its layers. Compression makes it from other generators."""

from collections.abc import Sequence

import keras

from akdg_tf.models.generators import Generator, ResidualBlock, UpBlock
from akdg_tf.models.layers import upsample

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


@_serializable
class Residual(keras.layers.Layer):
    """A residual block that is given as the layers of its residual.

    Args:
        residual: maps [n, h, w, c] to the same shape, or to [n, 2h, 2w, c].
        upsampled: whether it maps to twice the sides: then the input is upsampled before the residual is added.
    """

    def __init__(self, residual: keras.Sequential, upsampled: bool, **kwargs):
        super().__init__(**kwargs)
        self.residual, self.upsampled = residual, upsampled

    def build(self, input_shape):
        self.residual.build(input_shape)

    def call(self, x, training=False):
        return (upsample(x) if self.upsampled else x) + self.residual(x, training=training)

    def get_config(self):
        residual = keras.saving.serialize_keras_object(self.residual)
        return {**super().get_config(), "residual": residual, "upsampled": self.upsampled}

    @classmethod
    def from_config(cls, config):
        config = dict(config)  # the caller's stays as it is
        return cls(keras.saving.deserialize_keras_object(config.pop("residual")), **config)


BLOCKS = (ResidualBlock, Residual)  # layers that hold the layers of a residual


def doubles(block: keras.layers.Layer) -> bool:
    """Whether a residual block, one of `BLOCKS`, doubles the sides."""
    return block.upsampled if isinstance(block, Residual) else isinstance(block, UpBlock)


@_serializable
class LayeredGenerator(Generator):
    """A generator of any layers in sequence.

    Args:
        net: maps latents [n, latent_dim] to samples [n, *sample_shape].
        latent_dim: size of the latent.
        sample_shape: shape of one sample.

    Raises:
        ValueError: the layers make samples of another shape.
    """

    def __init__(self, net: keras.Sequential, latent_dim: int, sample_shape: Sequence[int], **kwargs):
        super().__init__(latent_dim, sample_shape, **kwargs)
        self.net = net
        self.build((None, latent_dim))
        if tuple(net.output_shape[1:]) != self.sample_shape:
            raise ValueError(f"the layers make samples of shape {net.output_shape[1:]}, not {self.sample_shape}")

    def get_config(self):
        return {**super().get_config(), "net": keras.saving.serialize_keras_object(self.net)}

    @classmethod
    def from_config(cls, config):
        config = dict(config)  # the caller's stays as it is
        return cls(keras.saving.deserialize_keras_object(config.pop("net")), **config)
