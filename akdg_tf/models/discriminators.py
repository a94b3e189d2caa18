"""Discriminators: they map float32 samples [n, *sample_shape] to logits [n, 1]; a positive logit means "reference".

A class-conditional one has one logit per class, [n, classes]. That of the sample's label counts (Mescheder et al. 2018,
`methods.adversary`). The last layer computes in float32 under every dtype policy.
"""

from collections.abc import Sequence

import keras
from keras import layers

from akdg_tf.models.spectral import SpectralConv2D, SpectralConvPool2D, SpectralDense

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")


@_serializable
class MLPDiscriminator(keras.Model):
    """Multilayer perceptron for points: `depth` hidden layers of `width` units with leaky ReLU 0.2.

    Args:
        width: units of each hidden layer.
        depth: number of hidden layers.
        classes: of a class-conditional discriminator; 0: it does not see labels.
    """

    def __init__(self, width: int = 128, depth: int = 3, classes: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.width, self.depth, self.classes = width, depth, classes
        hidden = []
        for _ in range(depth):
            hidden += [layers.Dense(width), layers.LeakyReLU(0.2)]
        self.net = keras.Sequential([layers.Flatten(), *hidden, layers.Dense(classes or 1, dtype="float32")])

    def call(self, x, training=False):
        return self.net(x, training=training)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "depth": self.depth, "classes": self.classes}


@_serializable
class ConvDiscriminator(keras.Model):
    """DCGAN's discriminator without normalization: strided convolutions with leaky ReLU 0.2, then a dense layer.

    Args:
        widths: channels of each convolution. Each convolution halves the side.
        kernel_size: side of the kernels, in pixels.
        classes: of a class-conditional discriminator; 0: it does not see labels.
    """

    def __init__(self, widths: Sequence[int] = (64, 128, 256), kernel_size: int = 3, classes: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.widths, self.kernel_size, self.classes = tuple(widths), kernel_size, classes
        net = []
        for width in self.widths:
            net += [layers.Conv2D(width, kernel_size, strides=2, padding="same"), layers.LeakyReLU(0.2)]
        self.net = keras.Sequential([*net, layers.Flatten(), layers.Dense(classes or 1, dtype="float32")])

    def call(self, x, training=False):
        return self.net(x, training=training)

    def get_config(self):
        names = ("widths", "kernel_size", "classes")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@_serializable
class DownBlock(layers.Layer):
    """SNGAN's residual block for discriminators, spectrally normalized (Miyato et al. 2018, table 4b).

    Args:
        width: output channels.
        downsample: whether 2x2 average pooling ends the block.
        first: whether the block sees the image. Such a block has no activation before its first convolution.
    """

    def __init__(self, width: int, downsample: bool, first: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.width, self.downsample, self.first = width, downsample, first
        self.conv1 = SpectralConv2D(width, 3, padding="same")
        self.conv2 = SpectralConvPool2D(width) if downsample else SpectralConv2D(width, 3, padding="same")
        self.pool = layers.AveragePooling2D(2) if downsample else None
        self.shortcut = None

    def build(self, input_shape):
        self.conv1.build(input_shape)
        self.conv2.build((*input_shape[:-1], self.width))
        if self.downsample or input_shape[-1] != self.width:
            self.shortcut = SpectralConv2D(self.width, 1)
            self.shortcut.build(input_shape)

    def call(self, x, training=False):
        h = x if self.first else keras.ops.relu(x)
        h = self.conv1(h, training=training)
        h = self.conv2(keras.ops.relu(h), training=training)
        x = self.pool(x) if self.pool else x  # commutes with the 1x1 convolution, and is cheaper before it
        return h + (x if self.shortcut is None else self.shortcut(x, training=training))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "downsample": self.downsample, "first": self.first}


@_serializable
class ResNetDiscriminator(keras.Model):
    """SNGAN's ResNet discriminator with spectral normalization (Miyato et al. 2018, table 4b).

    Args:
        width: channels of every block.
        downsamples: whether each block halves the side; (True, True, False, False) for CIFAR-10.
        classes: of a class-conditional discriminator; 0: it does not see labels.
    """

    def __init__(
        self,
        width: int = 128,
        downsamples: Sequence[bool] = (True, True, False, False),
        classes: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.width, self.downsamples, self.classes = width, tuple(downsamples), classes
        self.blocks = [DownBlock(width, down, first=i == 0) for i, down in enumerate(self.downsamples)]
        self.head = SpectralDense(classes or 1, dtype="float32")

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(keras.ops.sum(keras.ops.relu(x), axis=(1, 2)), training=training)

    def get_config(self):
        names = ("width", "downsamples", "classes")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
