"""PGGAN (Karras et al. 2018): a generator and a discriminator that grow while they are trained.

Both work on images of the full size at all times. While they grow, a weight says how far: `growth` 0 is the first map
(4x4), 1 the second one (8x8); in between, the second map fades in. The generator computes the maps up to there, and
enlarges the image by repeating pixels. The discriminator averages the image down to that size. So data, penalties and
pictures need no other size, and a checkpoint holds the state of the growth.
"""

import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf
from keras import layers, ops

from akdg_tf.models.equalized import (
    RELU_GAIN,
    EqualizedConv2D,
    EqualizedConvPool2D,
    EqualizedDense,
    EqualizedUpsampleConv2D,
    pixel_norm,
    with_minibatch_stddev,
)
from akdg_tf.models.generators import Generator
from akdg_tf.models.layers import upsample

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")

LSUN_WIDTHS = (512, 512, 512, 256, 128, 64, 32)  # of the paper's teacher, from 4x4 to 256x256


class _Growing(keras.Model):
    """A network whose maps are added one by one."""

    growth: keras.Variable
    growing: bool

    def _add_growth(self, maps: int) -> None:
        self.maps = maps
        if self.growing:
            self.growth = self.add_weight(name="growth", shape=(), initializer="zeros", trainable=False, autocast=False)

    @property
    def grown(self) -> bool:
        """Whether all maps are in use."""
        return not self.growing or float(ops.convert_to_numpy(self.growth)) == self.maps - 1

    def _at_growth(self, function: Callable[[int, tf.Tensor | None], tf.Tensor]) -> tf.Tensor:
        """`function(last, fade)`: the number of the last map in use, and its share in (0, 1], or None for all of it."""
        if not self.growing:
            return function(self.maps - 1, None)
        growth = tf.convert_to_tensor(self.growth)
        last = tf.math.ceil(growth)
        fade = growth - last + 1.0
        return tf.switch_case(
            tf.cast(last, tf.int32), [functools.partial(function, i, fade if i else None) for i in range(self.maps)]
        )


def _faded(before: tf.Tensor, after: tf.Tensor, fade: tf.Tensor) -> tf.Tensor:
    return before + ops.cast(fade, before.dtype) * (after - before)


@_serializable
class PGGANGenerator(_Growing, Generator):
    """PGGAN's generator (Karras et al. 2018, table 2), the paper's LSUN teacher by default.

    A dense layer makes the first map from the normalized latent; a 3x3 convolution follows. Nearest-neighbour
    upsampling x2 and two 3x3 convolutions make each further map. Leaky ReLU 0.2 and pixel norm follow each convolution.
    A 1x1 convolution without activation makes the image. Outside of training, it is clipped to [-1, 1].

    Args:
        latent_dim: size of the latent.
        sample_shape: (height, width, channels). Both sides must be divisible by 2**(len(widths) - 1).
        widths: channels of each map, from the first to the last.
        growing: whether the maps are added during the training, see `Growth`. An exported generator does not grow.

    Raises:
        ValueError: sample_shape is not such a shape.
    """

    def __init__(
        self,
        latent_dim: int = 512,
        sample_shape: Sequence[int] = (256, 256, 3),
        widths: Sequence[int] = LSUN_WIDTHS,
        growing: bool = False,
        **kwargs,
    ):
        super().__init__(latent_dim, sample_shape, **kwargs)
        self.widths, self.growing = tuple(widths), growing
        rows, columns = self._start(len(self.widths) - 1)
        first = [_Start(rows, columns, self.widths[0]), _convolution(self.widths[0])]
        others = [[EqualizedUpsampleConv2D(width), _convolution(width)] for width in self.widths[1:]]
        self.blocks: list[list[layers.Layer]] = [first, *others]
        used = range(len(self.widths)) if growing else [len(self.widths) - 1]
        self.to_images = {str(i): EqualizedConv2D(self.sample_shape[-1], 1, gain=1.0, dtype="float32") for i in used}
        self.build((None, latent_dim))

    def build(self, input_shape):
        shape = input_shape
        for i, (first, second) in enumerate(self.blocks):
            for layer in (first, second):
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
            if str(i) in self.to_images:
                self.to_images[str(i)].build(shape)
        self._add_growth(len(self.widths))

    def call(self, z, training=False):
        images = self._at_growth(functools.partial(self._images, z))
        return images if training else tf.clip_by_value(images, -1.0, 1.0)

    def _images(self, z, last, fade):
        """Images of the full size, in the detail of map number `last`."""
        x = pixel_norm(z)
        for i, block in enumerate(self.blocks[: last + 1]):
            if i == last and fade is not None:
                before = upsample(self.to_images[str(i - 1)](x))
            for layer in block:
                x = pixel_norm(ops.leaky_relu(layer(x), 0.2))
        images = self.to_images[str(last)](x)
        images = images if fade is None else _faded(before, images, fade)
        return ops.image.resize(images, self.sample_shape[:2], "nearest") if last < self.maps - 1 else images

    def full_size(self) -> "PGGANGenerator":
        """A copy with all maps and the same weights that does not grow."""
        copy = PGGANGenerator(self.latent_dim, self.sample_shape, self.widths, dtype=self.dtype_policy)
        for block, source in zip(copy.blocks, self.blocks, strict=True):
            for layer, of_source in zip(block, source, strict=True):
                layer.set_weights(of_source.get_weights())
        last = str(self.maps - 1)
        copy.to_images[last].set_weights(self.to_images[last].get_weights())
        return copy

    def get_config(self):
        return {**super().get_config(), "widths": self.widths, "growing": self.growing}


def _convolution(width: int) -> EqualizedConv2D:
    return EqualizedConv2D(width, 3, padding="same")


@_serializable
class _Start(layers.Layer):
    """The generator's first layer: latents [n, latent_dim] to maps [n, rows, columns, width], one bias per channel."""

    def __init__(self, rows: int, columns: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.shape = (rows, columns, width)
        self.dense = EqualizedDense(rows * columns * width, use_bias=False, gain=RELU_GAIN / 4)  # as in PGGAN's code

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.bias = self.add_weight(name="bias", shape=self.shape[-1:], initializer="zeros")

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.shape

    def call(self, z):
        return tf.nn.bias_add(ops.reshape(self.dense(z), (-1, *self.shape)), ops.cast(self.bias, self.compute_dtype))

    def get_config(self):
        rows, columns, width = self.shape
        return {**super().get_config(), "rows": rows, "columns": columns, "width": width}


@_serializable
class PGGANDiscriminator(_Growing):
    """PGGAN's discriminator (Karras et al. 2018, table 2), the mirror image of its generator.

    It maps images, float32 [n, height, width, channels] in [-1, 1], to logits, float32 [n, 1]. A 1x1 convolution makes
    the first map from the image. A 3x3 convolution, and another one with 2x2 average pooling, make each further map. At
    the last one, the standard deviation over the minibatch is appended; a 3x3 convolution and two dense layers follow.
    Leaky ReLU 0.2 follows each layer but the last.

    Args:
        widths: channels of each map, from the smallest (4x4) to that of the image; as many as the generator's.
        growing: whether the maps are added during the training, see `Growth`.
        group_size: images per group of the minibatch standard deviation.

    Attributes:
        uses_batch_statistics: a discriminator of which each logit depends on other images of the batch. It sees
            reference and generated images in separate batches.
    """

    uses_batch_statistics = True

    def __init__(self, widths: Sequence[int] = LSUN_WIDTHS, growing: bool = False, group_size: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.widths, self.growing, self.group_size = tuple(widths), growing, group_size
        count = len(self.widths)
        used = range(count) if growing else [count - 1]
        self.from_images = {str(i): EqualizedConv2D(self.widths[i], 1) for i in used}
        pairs = zip(self.widths[1:], self.widths, strict=False)
        self.blocks = [[_convolution(width), EqualizedConvPool2D(smaller)] for width, smaller in pairs]
        self.last_convolution = _convolution(self.widths[0])
        self.head = [EqualizedDense(self.widths[0]), EqualizedDense(1, gain=1.0, dtype="float32")]

    def build(self, input_shape):
        n, height, width, channels = input_shape
        for layer in self.from_images.values():
            layer.build((n, None, None, channels))
        for i, (first, second) in enumerate(self.blocks):
            for layer in (first, second):
                layer.build((n, None, None, self.widths[i + 1]))
        self.last_convolution.build((n, None, None, self.widths[0] + 1))
        factor = 2 ** len(self.blocks)
        self.head[0].build((n, height // factor * (width // factor) * self.widths[0]))
        self.head[1].build((n, self.widths[0]))
        self._add_growth(len(self.widths))
        self.built = True

    def call(self, images, training=False):
        return self._at_growth(functools.partial(self._logits, images))

    def _logits(self, images, last, fade):
        """Logits from the images, averaged down to the size of map number `last`."""
        for _ in range(self.maps - 1 - last):
            images = _halved(images)
        x = self._map_of(images, last)
        for i in reversed(range(last)):
            for layer in self.blocks[i]:
                x = ops.leaky_relu(layer(x), 0.2)
            if i == last - 1 and fade is not None:
                x = _faded(self._map_of(_halved(images), i), x, fade)
        x = ops.leaky_relu(self.last_convolution(with_minibatch_stddev(x, self.group_size)), 0.2)
        x = ops.leaky_relu(self.head[0](ops.reshape(x, (-1, self.head[0].kernel.shape[0]))), 0.2)
        return self.head[1](x)

    def _map_of(self, images, i):
        return ops.leaky_relu(self.from_images[str(i)](images), 0.2)

    def get_config(self):
        return {
            **super().get_config(),
            "widths": self.widths,
            "growing": self.growing,
            "group_size": self.group_size,
        }


def _halved(images: tf.Tensor) -> tf.Tensor:
    """Images of half the height and width: the means of 2x2 pixels."""
    return tf.nn.avg_pool2d(images, 2, 2, "VALID")


def at_full_size(generator: keras.Model) -> keras.Model:
    """A generator as it is when it has grown: a copy of a growing one, or the generator itself."""
    return generator.full_size() if getattr(generator, "growing", False) else generator
