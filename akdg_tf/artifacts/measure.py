"""Costs, speed, size and scores of a frozen generator, measured."""

import dataclasses
import pathlib
import statistics
import time
from collections.abc import Mapping

import tensorflow as tf

from akdg_tf.artifacts.counting import Cost, frozen_graph
from akdg_tf.artifacts.result import CALLABLE, Network, Score
from akdg_tf.teachers.frozen import FrozenGenerator

SPEED_BATCH, SPEED_REPEATS, SPEED_SECONDS = 64, 20, 3.0  # at least so many repeats, and at least so long
OPAQUE = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}  # operations that call Python, where nothing can be counted


def measure(generator: FrozenGenerator, scores: Mapping[str, Score], network: str | None = None) -> Network:
    """Costs, speed, size and scores of a frozen generator.

    Args:
        generator: from a SavedModel, or any callable.
        scores: its scores by name.
        network: name of the network's class, None of a network that is not one of ours.

    Returns:
        What the generator is, with its speed at batch 64 on this machine. A count is None where `counts` has none; the
        file size is None of a callable.
    """
    return Network(
        name=generator.name or CALLABLE,
        network=network,
        **counts(generator),
        file_size=folder_size(generator.folder) if generator.folder else None,
        images_per_second=round(_images_per_second(generator)),
        scores=dict(scores),
    )


def counts(generator: FrozenGenerator) -> dict[str, int | None]:
    """What `FrozenGenerator.describe` counts, each None but the latent's size where the generator is opaque.

    It is opaque if its graph calls Python, or if no variables of it are found: then what costs lies elsewhere.
    """
    operations = frozen_graph(generator, (generator.latent_dim,)).get_operations()
    if not any(operation.type in OPAQUE for operation in operations):
        found: dict[str, int | None] = {**generator.describe()}
        if found["bytes"]:
            return found
    unknown = dict.fromkeys(field.name for field in dataclasses.fields(Cost))
    return {**unknown, "latent_dim": generator.latent_dim}


def folder_size(folder: pathlib.Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _images_per_second(generator: FrozenGenerator) -> float:
    function = tf.function(generator)
    z = tf.random.stateless_normal((SPEED_BATCH, generator.latent_dim), (0, 0))
    function(z)
    seconds: list[float] = []
    while len(seconds) < SPEED_REPEATS or sum(seconds) < SPEED_SECONDS:
        start = time.perf_counter()
        function(z).numpy()
        seconds.append(time.perf_counter() - start)
    return SPEED_BATCH / statistics.median(seconds)
