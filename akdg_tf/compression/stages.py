"""What a compression is, and the generator of an experiment that starts from a compressed one."""

import functools
import logging
import os
from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np

from akdg_tf import places
from akdg_tf.artifacts import exports, lineage
from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.artifacts.network import load_network
from akdg_tf.compression.layerwise import in_sequence
from akdg_tf.compression.weights import kernels_of
from akdg_tf.errors import UserError
from akdg_tf.models.generators import Generator
from akdg_tf.teachers.saved_model import load_generator

logger = logging.getLogger(__name__)

MANY_ZEROS = 0.01  # share of the weights; after a training without constraints, hardly any is exactly zero


class Compression(Protocol):
    """Makes a smaller network from a network; one of the stages of `compressed`."""

    def __call__(self, generator: Generator) -> Generator:
        """The compressed network, with the weights that are left of the trained ones, to be fine-tuned.

        Args:
            generator: built and trained; it is not changed.

        Raises:
            UserError: such a network cannot be compressed in this way.
        """


def compressed(source: str, stages: Sequence[Compression]) -> Generator:
    """The generator of a run or an entry after some compressions; bound as `GeneratorExperiment.generator`.

    The experiment fine-tunes it by its method. Its result names the source as a parent.

    Args:
        source: run folder, zoo entry or SavedModel that `export` wrote; a bare name is looked up as by
            `places.find_saved_model`. Of a run, the averaged generator is taken.
        stages: the compressions, from the first to the last.

    Returns:
        The generator. Its attribute `made_from` is the source as a `result.Parent`.

    Raises:
        UserError: there is no such network, or it is not finished; `stages` holds something that is no compression; a
            compression does not take the network, or its zeros would be lost in the next one; or the layers are to
            compute in another type than float32.
    """
    if not isinstance(source, str | os.PathLike):
        raise UserError(f"compressed.source is {source!r}: bind a run folder, an entry of the zoo or a SavedModel")
    if keras.config.dtype_policy().compute_dtype != "float32":
        raise UserError("a compressed generator is trained in float32: bind make_experiment.dtype_policy='float32'")
    if not _finished(source):
        raise UserError(f"{source} is not finished: its generator may still change; run its command again first")
    stages, generator = _checked_stages(stages), load_network(source)
    for number, stage in enumerate(stages, 1):
        generator = stage(in_sequence(generator, source))
        if number < len(stages) and any(variable.constraint for variable in generator.trainable_variables):
            raise UserError(f"{type(stage).__name__} must be the last stage: its zeros would not last in the next one")
    zeros = float(np.mean(np.concatenate([kernel.numpy().ravel() == 0 for kernel in kernels_of(generator)])))
    if zeros > MANY_ZEROS and not any(variable.constraint for variable in generator.trainable_variables):
        logger.warning(
            "%.0f %% of the weights are zero, and the fine-tuning will change them: make PruneWeights the last stage",
            100 * zeros,
        )
    generator.made_from = functools.partial(_parent, source)
    return generator


def _finished(source: str | os.PathLike) -> bool:
    """Whether the generator of a source is not that of a run without an export, or of one that was trained on since."""
    saved_model = places.find_saved_model(source)
    if saved_model is None:
        return places.find_run(source) is None
    run = places.home_of(saved_model)
    try:
        note, steps = exports.noted(run), steps_in(run / "checkpoints")
    except ValueError:
        return False
    return not (note and steps) or note.get("step") == steps[0]


def _checked_stages(stages: Any) -> tuple[Compression, ...]:
    """The stages as a tuple.

    Raises:
        UserError: they are no sequence, or one is no compression.
    """
    example = "bind a tuple such as (@PruneChannels(),)"
    if not isinstance(stages, Sequence) or isinstance(stages, str):
        raise UserError(f"compressed.stages is {stages!r}: {example}")
    for each in stages:
        if isinstance(each, type) or not callable(each):
            name = each.__name__ if isinstance(each, type) else repr(each)
            raise UserError(f"compressed.stages holds {name}, which is no compression: {example}, with brackets")
    return tuple(stages)


def _parent(source: str) -> lineage.Parent:
    folder = places.find_saved_model(source)
    if folder is None:
        raise UserError(f"{source} was there when its generator was loaded, and is gone")
    home = places.home_of(folder)
    return lineage.parent("compressed", home.resolve().name, load_generator(folder).digest(), home)
