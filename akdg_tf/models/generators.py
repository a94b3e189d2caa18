"""Generators: they map float32 latents [n, latent_dim] to float32 samples [n, *sample_shape].

Images are NHWC in [-1, 1]. The constructor builds the network, so that its weights can be counted, copied and saved at
once. The last layer computes in float32 under every dtype policy, so that samples are not rounded.
`tests/models/test_counting.py` checks the parameter and mult-add counts of the paper's networks.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers

from akdg_tf.models.layers import UpsampleConv2D, batch_norm, upsample

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


class Generator(keras.Model):
    """The base class of the generators.

    Args:
        latent_dim: size of the latent.
        sample_shape: shape of one sample: (height, width, channels) for images, (2,) for points.
        classes: of a class-conditional generator, the number of classes: the last `classes` entries of its latent are
            the label, one-hot. 0: its latents hold no label.

    Attributes:
        net: the layers, set by the subclass.

    Raises:
        ValueError: the latent has no room for anything but the label.
    """

    def __init__(self, latent_dim: int, sample_shape: Sequence[int], classes: int = 0, **kwargs):
        super().__init__(**kwargs)
        if type(classes) is not int or classes < 0 or (classes and latent_dim <= classes):
            raise ValueError(f"classes is {classes!r}: it must be a whole number, at least 0 and below {latent_dim=}")
        self.latent_dim, self.classes = latent_dim, classes
        self.sample_shape = tuple(sample_shape)
        self.net: keras.Sequential = None

    def build(self, input_shape):
        self.net.build(input_shape)

    def call(self, z, training=False):
        return self.net(z, training=training)

    def get_config(self):
        conditional = {"classes": self.classes} if self.classes else {}
        return {**super().get_config(), "latent_dim": self.latent_dim, "sample_shape": self.sample_shape, **conditional}

    def _start(self, doublings: int) -> tuple[int, int]:
        """Height and width of the first feature map of a network that doubles both `doublings` times."""
        shape, factor = self.sample_shape, 2**doublings
        if len(shape) != 3 or shape[0] % factor or shape[1] % factor:
            raise ValueError(f"sample_shape {shape} must be that of an image whose sides are divisible by {factor}")
        return shape[0] // factor, shape[1] // factor


@_serializable
class MLPGenerator(Generator):
    """Multilayer perceptron: `depth` hidden layers of `width` units with ReLU.

    Args:
        latent_dim: size of the latent.
        sample_shape: shape of one sample.
        width: units of each hidden layer.
        depth: number of hidden layers.
        use_batch_norm: whether each hidden layer has batch normalization.
        output_activation: "tanh" for images, "linear" for points.
    """

    def __init__(
        self,
        latent_dim: int = 128,
        sample_shape: Sequence[int] = (32, 32, 3),
        width: int = 512,
        depth: int = 3,
        use_batch_norm: bool = False,
        output_activation: str = "tanh",
        **kwargs,
    ):
        super().__init__(latent_dim, sample_shape, **kwargs)
        self.width, self.depth = width, depth
        self.use_batch_norm, self.output_activation = use_batch_norm, output_activation
        hidden = []
        for _ in range(depth):
            hidden += [layers.Dense(width), *([batch_norm()] if use_batch_norm else []), layers.ReLU()]
        size = 1
        for side in self.sample_shape:
            size *= side
        head = layers.Dense(size, activation=output_activation, dtype="float32")
        self.net = keras.Sequential([*hidden, head, layers.Reshape(self.sample_shape, dtype="float32")])
        self.build((None, latent_dim))

    def get_config(self):
        names = ("width", "depth", "use_batch_norm", "output_activation")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@_serializable
class DCGANGenerator(Generator):
    """DCGAN with resize-convolutions.

    A dense layer makes the first feature map. Nearest-neighbour upsampling x2 and a 3x3 convolution make each further
    one. BN and ReLU follow each map. A 3x3 convolution with tanh makes the image.

    Args:
        latent_dim: size of the latent.
        sample_shape: (height, width, channels). Both sides must be divisible by 2**(len(widths) - 1).
        widths: channels of each map, from the first to the last. The paper's CIFAR-10 student is 512, 256, 128, 64.
        use_batch_norm: whether each map, including the first, has batch normalization.

    Raises:
        ValueError: sample_shape is not such a shape.
    """

    def __init__(
        self,
        latent_dim: int = 128,
        sample_shape: Sequence[int] = (32, 32, 3),
        widths: Sequence[int] = (512, 256, 128, 64),
        use_batch_norm: bool = True,
        **kwargs,
    ):
        super().__init__(latent_dim, sample_shape, **kwargs)
        self.widths, self.use_batch_norm = tuple(widths), use_batch_norm
        height, width = self._start(len(self.widths) - 1)
        net = [layers.Dense(height * width * self.widths[0]), layers.Reshape((height, width, self.widths[0]))]
        for i, channels in enumerate(self.widths):
            net += [UpsampleConv2D(channels)] if i else []
            net += [batch_norm(), layers.ReLU()] if use_batch_norm else [layers.ReLU()]
        net.append(layers.Conv2D(self.sample_shape[-1], 3, padding="same", activation="tanh", dtype="float32"))
        self.net = keras.Sequential(net)
        self.build((None, latent_dim))

    def get_config(self):
        return {**super().get_config(), "widths": self.widths, "use_batch_norm": self.use_batch_norm}


@_serializable
class ResidualBlock(layers.Layer):
    """Pre-activation residual block of constant width (He et al. 2016). Its shortcut is the identity.

    Args:
        width: channels of the input and of the output.
        use_batch_norm: whether batch normalization precedes each convolution.
    """

    def __init__(self, width: int, use_batch_norm: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.width, self.use_batch_norm = width, use_batch_norm
        norm = [batch_norm()] if use_batch_norm else []
        norm2 = [batch_norm()] if use_batch_norm else []
        conv = layers.Conv2D(width, 3, padding="same")
        self.residual = keras.Sequential([*norm, layers.ReLU(), self.first_conv(width), *norm2, layers.ReLU(), conv])

    @staticmethod
    def first_conv(width: int) -> layers.Layer:
        """The first convolution."""
        return layers.Conv2D(width, 3, padding="same")

    @staticmethod
    def shortcut(x: tf.Tensor) -> tf.Tensor:
        """What the residual is added to."""
        return x

    def build(self, input_shape):
        self.residual.build(input_shape)

    def call(self, x, training=False):
        return self.shortcut(x) + self.residual(x, training=training)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "use_batch_norm": self.use_batch_norm}


@_serializable
class UpBlock(ResidualBlock):
    """SNGAN's residual up-block (Miyato et al. 2018, figure 8). Its first convolution and its shortcut upsample x2."""

    @staticmethod
    def first_conv(width: int) -> layers.Layer:
        """The first convolution, after upsampling."""
        return UpsampleConv2D(width)

    @staticmethod
    def shortcut(x: tf.Tensor) -> tf.Tensor:
        """What the residual is added to: the upsampled input."""
        return upsample(x)


@_serializable
class SNGANGenerator(Generator):
    """SNGAN's ResNet generator (Miyato et al. 2018, table 4a), the paper's CIFAR-10 teacher at width 256.

    Args:
        latent_dim: size of the latent.
        sample_shape: (height, width, channels). Both sides must be divisible by 2**blocks.
        width: channels of every block.
        blocks: number of residual up-blocks.
        use_batch_norm: whether the network has batch normalization.
        blocks_per_resolution: residual blocks per resolution: the up-block, and those that keep the size. SNGAN has 1.
            A deeper network is a teacher for LIT.

    Raises:
        ValueError: sample_shape is not such a shape, or blocks_per_resolution < 1.
    """

    def __init__(
        self,
        latent_dim: int = 128,
        sample_shape: Sequence[int] = (32, 32, 3),
        width: int = 256,
        blocks: int = 3,
        use_batch_norm: bool = True,
        blocks_per_resolution: int = 1,
        **kwargs,
    ):
        super().__init__(latent_dim, sample_shape, **kwargs)
        if blocks_per_resolution < 1:
            raise ValueError(f"blocks_per_resolution must be at least 1, not {blocks_per_resolution}")
        self.width, self.blocks, self.use_batch_norm = width, blocks, use_batch_norm
        self.blocks_per_resolution = blocks_per_resolution
        rows, columns = self._start(blocks)
        net = [layers.Dense(rows * columns * width), layers.Reshape((rows, columns, width))]
        for _ in range(blocks):
            net += [UpBlock(width, use_batch_norm)]
            net += [ResidualBlock(width, use_batch_norm) for _ in range(blocks_per_resolution - 1)]
        net += [*([batch_norm()] if use_batch_norm else []), layers.ReLU()]
        net.append(layers.Conv2D(self.sample_shape[-1], 3, padding="same", activation="tanh", dtype="float32"))
        self.net = keras.Sequential(net)
        self.build((None, latent_dim))

    @property
    def chunks(self) -> list[list[layers.Layer]]:
        """The layers in chunks, in order: those before the first block, the blocks of each resolution, those after."""
        net, size = self.net.layers, self.blocks_per_resolution
        first, last = 2, 2 + self.blocks * size
        return [net[:first], *(net[i : i + size] for i in range(first, last, size)), net[last:]]

    def get_config(self):
        names = ("width", "blocks", "use_batch_norm", "blocks_per_resolution")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
