"""The chunks of a generator with residual blocks: LIT compares those of two generators of one width."""

import inspect
from collections.abc import Sequence

import keras
import tensorflow as tf

from akdg_tf.models.layered import LayeredGenerator

Chunk = Sequence[keras.layers.Layer]


def chunks_of(generator: keras.Model) -> list[Chunk]:
    """The layers of a generator in chunks: those before the first block, the blocks of each resolution, those after.

    Raises:
        ValueError: the generator has no residual blocks, or compressions have changed it.
    """
    chunks = getattr(generator, "chunks", None)
    if chunks is None:
        kind = type(generator).__name__
        if isinstance(generator, LayeredGenerator):
            raise ValueError(f"{kind}, a compressed generator, has no chunks of residual blocks; an SNGANGenerator has")
        raise ValueError(f"{kind} has no residual blocks; an SNGANGenerator has")
    return chunks


def output_of(chunk: Chunk, x: tf.Tensor, training: bool = False) -> tf.Tensor:
    """What a chunk makes of its input.

    Args:
        chunk: layers in sequence.
        x: latents, or the output of the chunk before.
        training: whether batch normalization uses the statistics of the batch.
    """
    for layer in chunk:
        knows = "training" in inspect.signature(layer.call).parameters
        x = layer(x, training=training) if knows else layer(x)
    return x
