"""Generators: float32 latents [n, latent_dim] to float32 samples [n, *sample_shape], images NHWC in [-1, 1].

Each is built when it is made, so that its weights can be counted, copied and saved at once. The last layer computes in
float32 under any dtype policy, so that samples are not rounded. Parameter and mult-add counts of the paper's networks
are held by `tests/test_counting.py`.
"""

from collections.abc import Sequence

import keras
from keras import layers

from akdg_tf.models.layers import UpsampleConv2D, batch_norm, upsample

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


class Generator(keras.Model):
    """What all generators share.

    Attributes:
        latent_dim: size of the latent.
        sample_shape: shape of one sample: (height, width, channels) of an image, (2,) of a point.
        net: the layers, set by the subclass.
    """

    def __init__(self, latent_dim: int, sample_shape: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.sample_shape = tuple(sample_shape)
        self.net = None

    def build(self, input_shape):
        self.net.build(input_shape)

    def call(self, z, training=False):
        return self.net(z, training=training)

    def get_config(self):
        return {**super().get_config(), "latent_dim": self.latent_dim, "sample_shape": self.sample_shape}

    def _square_start(self, doublings: int) -> int:
        """Side of the first feature map of a network that doubles an image's side so many times."""
        height, width, _ = self.sample_shape
        if height != width or height % 2**doublings:
            raise ValueError(f"sample_shape {self.sample_shape} is not a square that halves {doublings} times")
        return height // 2**doublings


@_serializable
class MLPGenerator(Generator):
    """Multilayer perceptron: `depth` hidden layers of `width`, ReLU.

    Args:
        latent_dim: size of the latent.
        sample_shape: shape of one sample.
        width: units of each hidden layer.
        depth: hidden layers.
        use_batch_norm: batch normalization after each hidden layer.
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
    """DCGAN with resize-convolutions: dense to a small map, (nearest up x2, 3x3 conv) to each width, BN, ReLU each.

    Args:
        latent_dim: size of the latent.
        sample_shape: (height, width, channels); the side must halve len(widths) - 1 times.
        widths: channels of the first map and of each map after it; the paper's CIFAR student is 512, 256, 128, 64.
        use_batch_norm: batch normalization of each map, the first one too.
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
        side = self._square_start(len(self.widths) - 1)
        net = [layers.Dense(side * side * self.widths[0]), layers.Reshape((side, side, self.widths[0]))]
        for i, width in enumerate(self.widths):
            net += [UpsampleConv2D(width)] if i else []
            net += [batch_norm(), layers.ReLU()] if use_batch_norm else [layers.ReLU()]
        net.append(layers.Conv2D(self.sample_shape[-1], 3, padding="same", activation="tanh", dtype="float32"))
        self.net = keras.Sequential(net)
        self.build((None, latent_dim))

    def get_config(self):
        return {**super().get_config(), "widths": self.widths, "use_batch_norm": self.use_batch_norm}


@_serializable
class UpBlock(layers.Layer):
    """SNGAN's residual up-block (Miyato et al. 2018, figure 8) of one width; its skip is the bare upsampling.

    Args:
        width: channels, in and out.
        use_batch_norm: batch normalization before each convolution.
    """

    def __init__(self, width: int, use_batch_norm: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.width, self.use_batch_norm = width, use_batch_norm
        norm = [batch_norm()] if use_batch_norm else []
        norm2 = [batch_norm()] if use_batch_norm else []
        conv = layers.Conv2D(width, 3, padding="same")
        self.residual = keras.Sequential([*norm, layers.ReLU(), UpsampleConv2D(width), *norm2, layers.ReLU(), conv])

    def build(self, input_shape):
        self.residual.build(input_shape)

    def call(self, x, training=False):
        return upsample(x) + self.residual(x, training=training)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "use_batch_norm": self.use_batch_norm}


@_serializable
class SNGANGenerator(Generator):
    """SNGAN's ResNet generator (Miyato et al. 2018, table 4a), the paper's CIFAR-10 teacher at width 256.

    Args:
        latent_dim: size of the latent.
        sample_shape: (height, width, channels); the side must halve `blocks` times.
        width: channels of every block.
        blocks: residual up-blocks.
        use_batch_norm: batch normalization.
    """

    def __init__(
        self,
        latent_dim: int = 128,
        sample_shape: Sequence[int] = (32, 32, 3),
        width: int = 256,
        blocks: int = 3,
        use_batch_norm: bool = True,
        **kwargs,
    ):
        super().__init__(latent_dim, sample_shape, **kwargs)
        self.width, self.blocks, self.use_batch_norm = width, blocks, use_batch_norm
        side = self._square_start(blocks)
        net = [layers.Dense(side * side * width), layers.Reshape((side, side, width))]
        net += [UpBlock(width, use_batch_norm) for _ in range(blocks)]
        net += [*([batch_norm()] if use_batch_norm else []), layers.ReLU()]
        net.append(layers.Conv2D(self.sample_shape[-1], 3, padding="same", activation="tanh", dtype="float32"))
        self.net = keras.Sequential(net)
        self.build((None, latent_dim))

    def get_config(self):
        names = ("width", "blocks", "use_batch_norm")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
