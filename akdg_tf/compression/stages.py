"""What a compression is, and the generator of an experiment that starts from a compressed one."""

import functools
import pathlib
from collections.abc import Sequence
from typing import Protocol

import keras

from akdg_tf import places
from akdg_tf.artifacts import lineage
from akdg_tf.artifacts.network import load_network
from akdg_tf.errors import UserError
from akdg_tf.models.generators import Generator
from akdg_tf.teachers.saved_model import load_generator


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
        UserError: there is no such network, or a compression does not take it.
    """
    generator = load_network(source)
    for stage in stages:
        generator = stage(checked(generator, source))
    generator.made_from = functools.partial(_parent, source)
    return generator


def checked(generator: keras.Model, source: str) -> Generator:
    """Checks that a network is one whose layers can be compressed.

    Raises:
        UserError: it is not.
    """
    if not isinstance(generator, Generator) or not isinstance(generator.net, keras.Sequential):
        raise UserError(
            f"{source} is a {type(generator).__name__}: only generators whose layers are in sequence can be compressed "
            "(MLP, DCGAN, SNGAN)"
        )
    return generator


def _parent(source: str) -> lineage.Parent:
    folder = places.find_saved_model(source)
    if folder is None:  # the run is not exported yet
        run = places.find_run(source) or pathlib.Path(source)
        return lineage.parent("compressed", run.resolve().name, None, run)
    home = places.home_of(folder)
    return lineage.parent("compressed", home.resolve().name, load_generator(folder).digest(), home)
