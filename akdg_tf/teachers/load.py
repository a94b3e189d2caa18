"""Loads frozen generators from run folders, entries of the zoo, and any SavedModel."""

import functools
import json
import logging
import os
import pathlib
from collections.abc import Callable

import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.places import find_saved_model
from akdg_tf.teachers.frozen import FrozenGenerator

logger = logging.getLogger(__name__)


@functools.cache
def load_teacher(
    name: str,
    latent_dim: int | None = None,
    prior: str | None = None,
    output_range: tuple[float, float] | None = None,
    signature: str | None = None,
) -> FrozenGenerator:
    """Loads a teacher from a run folder, a zoo entry or any SavedModel that maps noise to NHWC images.

    Args:
        name: a run folder, a zoo entry, a SavedModel folder, or a bare name; see `find_saved_model`.
        latent_dim: size of the latent; default: read from the SavedModel.
        prior: "normal" or "uniform"; default: the prior that our export recorded, else "normal".
        output_range: smallest and largest value of the outputs; default: as our export recorded, else (0, 1).
        signature: name of the signature to call. By default the SavedModel itself is called as `m(z)`, or
            `serving_default` if it is not callable.

    Returns:
        The teacher.

    Raises:
        UserError: there is no such teacher, it is damaged, it lacks the signature, or it does not state the size of its
            latent.
    """
    folder = find_saved_model(name)
    if folder is None:
        raise UserError(f"there is no teacher {name!r}: give a run folder, a zoo entry or a SavedModel folder")
    return load_generator(folder, latent_dim, prior, output_range, signature)


def load_generator(
    folder: pathlib.Path,
    latent_dim: int | None = None,
    prior: str | None = None,
    output_range: tuple[float, float] | None = None,
    signature: str | None = None,
) -> FrozenGenerator:
    """Loads the generator in a SavedModel folder, frozen, without a cache; for the rest see `load_teacher`."""
    meta = folder / "assets.extra" / "generator.json"
    try:
        module = tf.saved_model.load(os.fspath(folder))
        meta = json.loads(meta.read_bytes()) if meta.exists() else {}
    except (OSError, ValueError, IndexError, tf.errors.OpError) as error:  # IndexError: truncated variables
        raise UserError(
            f"the SavedModel in {folder} cannot be loaded: it is damaged; make or download it again"
        ) from error
    if meta.get("smoke"):
        logger.warning("the generator in %s was made by a smoke run: its images are noise", folder)
    latent_dim = latent_dim or meta.get("latent_dim")
    prior = prior or meta.get("prior", "normal")
    output_range = tuple(output_range or meta.get("output_range", (0.0, 1.0)))
    function = module
    if signature or not callable(module):
        function, width = _signature_function(module, signature or "serving_default", folder)
        latent_dim = latent_dim or width
    if not latent_dim:
        raise UserError(f"the SavedModel in {folder} does not state its latent size: bind load_teacher.latent_dim")
    return FrozenGenerator(function, latent_dim, prior, output_range, module, folder)


def _signature_function(
    module, signature: str, folder: pathlib.Path
) -> tuple[Callable[[tf.Tensor], tf.Tensor], int | None]:
    """A signature as a function of latents, and the size of the latent, None if it is not fixed."""
    if signature not in module.signatures:
        raise UserError(f"{folder} has no signature {signature!r}: choose one of {sorted(module.signatures)}")
    concrete = module.signatures[signature]
    if len(concrete.structured_input_signature[1]) != 1 or len(concrete.structured_outputs) != 1:
        raise UserError(f"signature {signature!r} in {folder} must map one input to one output: choose another")
    (argument,), (output,) = concrete.structured_input_signature[1], concrete.structured_outputs

    def function(z):
        return concrete(**{argument: z})[output]

    return function, next(iter(concrete.inputs)).shape[-1]
