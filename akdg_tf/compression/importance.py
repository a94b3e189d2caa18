"""How important each channel of a generator is, by its weights or by what it adds to the diversity of the images."""

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.compression.channel_groups import BLOCKS, SIZES, Group, sequence_of
from akdg_tf.models.generators import Generator
from akdg_tf.models.layered import doubles
from akdg_tf.models.layers import upsample

PAIRS = 128  # pairs of latents
DISTANCE = 0.5  # standard deviation of the difference of the two latents of a pair
IMAGES, PIXELS = 64, 2**19  # most images per pass, and their pixels: all maps of a pass are kept for the gradient

Importance = Callable[[Generator, Sequence[Group]], list[np.ndarray]]


def magnitude(generator: Generator, groups: Sequence[Group]) -> list[np.ndarray]:
    """The L2 norm of all weights that write or read a channel.

    Li et al. (2017) rank by the weights that write a channel. Fang et al. (2023, "DepGraph") take the norm over all
    weights that are removed together. Only kernels are taken: biases and norms are of another scale.

    Args:
        generator: the generator.
        groups: its groups of channels.

    Returns:
        One value >= 0 per channel, float64 [size] per group.
    """
    return [np.sqrt(sum(_squares(*each, group.size) for each in group.slices)) for group in groups]


def diversity(generator: Generator, groups: Sequence[Group]) -> list[np.ndarray]:
    """How much a channel contributes to the difference of the images of two neighbouring latents.

    After DCP-GAN (Chung et al. 2024), which keeps the channels that are sensitive to the latent. For the latents z and
    z' = z + 0.5 n, with n from N(0, I), the difference of their images is d = sum |G(z) - G(z')|. If a channel is
    removed, d becomes smaller by t = sum a * dd/da, to first order. The sum is over the channel's activations a for
    both latents, at the input of each layer that reads them. The importance is the mean of |t| over 128 pairs.

    Args:
        generator: the generator.
        groups: its groups of channels.

    Returns:
        One value >= 0 per channel, float64 [size] per group.
    """
    passes = [_contributions(generator, groups, z, near) for z, near in _pairs(generator)]
    return [np.abs(np.concatenate(of_group)).mean(0, dtype=np.float64) for of_group in zip(*passes, strict=True)]


IMPORTANCES: dict[str, Importance] = {"magnitude": magnitude, "diversity": diversity}


def _squares(variable: keras.Variable, axis: int, size: int) -> np.ndarray:
    """Sum of the squares of a kernel's weights for each channel along an axis, [size]; 0 of other variables."""
    if variable.ndim < 2:
        return np.zeros(size)
    others = tuple(each for each in range(variable.ndim) if each != axis)
    sums = np.sum(variable.numpy().astype(np.float64) ** 2, others)
    return np.sum(sums.reshape(-1, size), 0)  # of a dense layer before maps: over the pixels


def _pairs(generator: Generator) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """The pairs of latents, pass by pass, each [n, latent_dim]."""
    prior, dim = latents.prior_of(generator), generator.latent_dim
    z, noise = tf.split(latents.draw(prior, 2 * PAIRS, dim, (0, latents.PROBE), tf.constant(0, tf.int64)), 2)
    noise *= tf.cast(tf.range(dim) < dim - latents.classes_in(prior), tf.float32)  # labels are no distance apart
    count = max(1, latents.batch_size(generator.sample_shape, IMAGES, PIXELS) // 2)
    for start in range(0, PAIRS, count):
        part = slice(start, start + count)
        yield z[part], z[part] + DISTANCE * noise[part]


def _contributions(generator: Generator, groups: Sequence[Group], z: tf.Tensor, near: tf.Tensor) -> list[np.ndarray]:
    """The t of `diversity`: one array [pairs, size] per group."""
    read: dict[int, tf.Tensor] = {}
    with tf.GradientTape() as tape:
        images, others = tf.split(_run(sequence_of(generator), tf.concat([z, near], 0), read, tape), 2)
        difference = tf.reduce_sum(tf.abs(images - others))
    slopes = tape.gradient(difference, read)
    products = {key: (read[key] * slopes[key]).numpy() for key in read}
    found = []
    for group in groups:
        shape = (2, len(z), -1, group.size)
        found.append(sum(products[id(reader)].reshape(shape).sum((0, 2)) for reader in group.readers))
    return found


def _run(
    sequence: Sequence[keras.layers.Layer], x: tf.Tensor, read: dict[int, tf.Tensor], tape: tf.GradientTape
) -> tf.Tensor:
    """Calls layers one after the other; notes the inputs of those with weights in `read`, by the layer's id."""
    for layer in sequence:
        if isinstance(layer, BLOCKS):
            x = (upsample(x) if doubles(layer) else x) + _run(layer.residual.layers, x, read, tape)
            continue
        if type(layer) in SIZES:
            x = tf.identity(x)
            tape.watch(x)
            read[id(layer)] = x
        x = layer(x)
    return x
