"""Measures the costs, speed and size of a frozen generator."""

import pathlib
import statistics
import tempfile
import time
import zipfile
from collections.abc import Mapping

import tensorflow as tf

from akdg_tf.artifacts.result import CALLABLE, Network, Score
from akdg_tf.latents import NORMAL, batch_size
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.sources import Teacher

SPEED_BATCH, SPEED_REPEATS, SPEED_SECONDS = 64, 20, 3.0  # repeats and seconds are minima
SPEED_PIXELS = 2**22  # most pixels of a batch: of images that are larger than 256x256, fewer fit into memory


def measure(generator: Teacher, scores: Mapping[str, Score], network: str | None = None) -> Network:
    """Describes a generator: its costs, speed, size and scores.

    Args:
        generator: made from a SavedModel or from any callable; or only images, of which nothing is known.
        scores: its scores by name.
        network: class name of the network, None if it is not one of ours.

    Returns:
        The description, with the speed on this machine at batch 64, or less for images larger than 256x256. Counts may
        be None, see `FrozenGenerator.describe`. The sizes are None for a callable.
    """
    return Network(
        name=generator.name or CALLABLE,
        network=network,
        **generator.describe(),
        file_size=folder_size(generator.folder) if generator.folder else None,
        compressed_size=compressed_size(generator.folder) if generator.folder else None,
        images_per_second=round(_images_per_second(generator)) if isinstance(generator, FrozenGenerator) else None,
        scores=dict(scores),
        prior=getattr(generator, "prior", NORMAL),  # images without latents have none
    )


def folder_size(folder: pathlib.Path) -> int:
    """Size of all files below a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def compressed_size(folder: pathlib.Path) -> int:
    """Size of a zip file of a folder, in bytes. A network with many zero weights has a small one.

    It depends a little on the version of zlib.
    """
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(folder))
        return file.tell()


def _images_per_second(generator: FrozenGenerator) -> float:
    function = tf.function(generator)
    batch = batch_size(generator.sample_shape, SPEED_BATCH, SPEED_PIXELS)
    z = tf.random.stateless_normal((batch, generator.latent_dim), (0, 0))
    function(z)
    seconds: list[float] = []
    while len(seconds) < SPEED_REPEATS or sum(seconds) < SPEED_SECONDS:
        start = time.perf_counter()
        function(z).numpy()
        seconds.append(time.perf_counter() - start)
    return batch / statistics.median(seconds)
