"""Costs, speed and size of a frozen generator, measured."""

import os
import pathlib
import statistics
import time

import tensorflow as tf

from akdg_tf.teachers.frozen import FrozenGenerator

SPEED_BATCH, SPEED_REPEATS, SPEED_SECONDS = 64, 20, 3.0  # repeated so often, and so long, at least


def measure(generator: FrozenGenerator, metrics: dict[str, dict]) -> dict:
    """Costs, speed and size of a frozen generator.

    Args:
        generator: from a SavedModel.
        metrics: its scores, carried along.

    Returns:
        `describe()`'s counts, "file_size" of the SavedModel in bytes (absent for a callable), "images_per_second" at
        batch 64 on this machine, and "metrics".
    """
    measures = {**generator.describe(), "images_per_second": round(_images_per_second(generator))}
    if generator.folder:
        measures["saved_model"] = os.fspath(generator.folder)
        measures["file_size"] = folder_size(generator.folder)
    return {**measures, "metrics": metrics}


def folder_size(folder: pathlib.Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _images_per_second(generator: FrozenGenerator) -> float:
    function = tf.function(generator)
    z = tf.random.stateless_normal((SPEED_BATCH, generator.latent_dim), (0, 0))
    function(z)
    seconds = []
    while len(seconds) < SPEED_REPEATS or sum(seconds) < SPEED_SECONDS:
        start = time.perf_counter()
        function(z).numpy()
        seconds.append(time.perf_counter() - start)
    return SPEED_BATCH / statistics.median(seconds)
