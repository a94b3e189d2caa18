"""A teacher whose layers are read: the activations between the chunks of its residual blocks, which LIT needs."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable

import keras
import tensorflow as tf

from akdg_tf.artifacts.network import load_network
from akdg_tf.data import ImageDataset
from akdg_tf.errors import UserError
from akdg_tf.latents import latent_dim_of, prior_of
from akdg_tf.models.chunks import chunks_of, output_of
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.sources import Teacher, required


class FrozenChunks(FrozenGenerator):
    """A frozen generator with residual blocks, whose activations can be drawn; a `sources.ChunkSource`.

    Args:
        network: Keras generator, such as `load_network` gives; maps latents of its prior to images in [-1, 1].
        folder: the SavedModel that it was loaded from; None for a network in memory.

    Raises:
        ValueError: the network has no residual blocks.
    """

    def __init__(self, network: keras.Model, folder: pathlib.Path | None = None):
        self.chunks = chunks_of(network)
        call = functools.partial(network, training=False)
        super().__init__(call, latent_dim_of(network), prior_of(network), module=network, folder=folder)

    def draw_activations(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> list[tf.Tensor]:
        """The latents of `draw_pairs`, then the output of each chunk; see `sources.ChunkSource`."""
        activations = [self.draw_latents(count, seed, step)]
        for chunk in self.chunks:
            activations.append(tf.stop_gradient(tf.cast(output_of(chunk, activations[-1]), tf.float32)))
        return activations


@dataclasses.dataclass(frozen=True)
class ChunkedTeacher:
    """The teacher's Keras network, computed chunk by chunk inside the training step. LIT needs it."""

    def open(self, teacher: Teacher | None, smoke: bool, reals: Callable[[], ImageDataset]) -> FrozenChunks:
        """Loads the network of the teacher.

        Raises:
            UserError: there is no teacher, akdg_tf did not export it, or it has no residual blocks.
        """
        given = required(teacher)
        name = given.name or type(given).__name__
        if given.folder is None:
            raise UserError(f"@ChunkedTeacher() reads the layers of a run or entry of akdg_tf, and {name!r} is neither")
        try:
            return FrozenChunks(load_network(os.fspath(given.folder)), given.folder)
        except ValueError as error:
            raise UserError(f"the teacher {name!r} has no chunks to imitate: {error}") from error
