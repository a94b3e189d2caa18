"""The quantized `model.tflite` of a run. It is scored beside the SavedModel, because its images are others."""

import pathlib
from collections.abc import Mapping

import numpy as np

from akdg_tf.artifacts.litert import FILE
from akdg_tf.artifacts.quantization import weights_in
from akdg_tf.artifacts.result import QUANTIZED, ExportedModel, Score
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.litert import of_litert

COMPARED = 64  # images that are compared with the SavedModel's


def quantized_generator(folder: pathlib.Path, network: FrozenGenerator) -> dict[str, FrozenGenerator]:
    """The generator in the `model.tflite` of a folder, by its file's name; {} if its weights are not quantized.

    Args:
        folder: a run folder, or an entry.
        network: the generator in its SavedModel.

    Raises:
        UserError: the file cannot be loaded.
    """
    path = folder / FILE
    if not path.exists() or weights_in(path) not in QUANTIZED:
        return {}
    return {FILE: of_litert(path, prior=network.prior, output_range=network.output_range)}


def record(
    folder: pathlib.Path,
    network: FrozenGenerator,
    quantized: Mapping[str, FrozenGenerator],
    scores: Mapping[str, dict[str, Score]],
    seed: int,
) -> ExportedModel | None:
    """What a result states of the quantized `model.tflite`, None if there is none.

    Args:
        folder: a run folder, or an entry.
        network: the generator in its SavedModel.
        quantized: what `quantized_generator` returned.
        scores: the scores by name, for each generator by its name.
        seed: seed of the latents whose images are compared.
    """
    if FILE not in quantized:
        return None
    low, high = network.output_range
    images = (each.samples(COMPARED, seed) for each in (network, quantized[FILE]))
    apart = np.abs(np.subtract(*images)) * (high - low) / 2.0  # samples are in [-1, 1]
    path = folder / FILE
    largest, mean = float(apart.max()), float(apart.mean())
    return ExportedModel(path.stat().st_size, weights_in(path), COMPARED, largest, mean, scores.get(FILE, {}))
