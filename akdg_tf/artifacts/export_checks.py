"""What `akdg_tf.export` checks before it writes: its folder, the model, the optional exports."""

import logging
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.artifacts.exports import FILES, Export
from akdg_tf.errors import UserError
from akdg_tf.files import strangers
from akdg_tf.latents import latent_dim_of
from akdg_tf.methods.checks import range_fault
from akdg_tf.places import expanded

logger = logging.getLogger(__name__)

MARK = "assets.extra/generator.json"  # what an exported folder is known by
WRITTEN = ("saved_model.pb", "fingerprint.pb", "variables/variables.*", MARK, "assets.extra/network.json")
PROBES = 16  # samples whose range is looked at


def free_folder(folder: str | os.PathLike, files: Sequence[str] = ()) -> pathlib.Path:
    """The folder that an export may write or replace, as an absolute path without links.

    Args:
        folder: as the user gave it.
        files: of the optional exports.

    Raises:
        UserError: the folder holds something that no export wrote, or the process works in it.
    """
    path = pathlib.Path(expanded(folder)).resolve()
    here = pathlib.Path.cwd()
    if path in (here, *here.parents):
        raise UserError(f"{path} is the current folder, or holds it: give a new folder, such as my_student")
    if not path.exists():
        return path
    if not path.is_dir():
        raise UserError(f"{path} is a file: give a new folder")
    others = strangers(path, (*WRITTEN, *FILES, *files))
    if others or (any(path.iterdir()) and not (path / MARK).exists()):
        shown = others[0] if others else next(path.iterdir()).name
        raise UserError(f"{path} holds something else ({shown}): give a new folder")
    return path


def check_exports(exports: Any) -> tuple[Export, ...]:
    """The optional exports as a tuple.

    Raises:
        UserError: it is no sequence, or a member is no export.
    """
    example = "give a tuple such as (akdg_tf.LiteRT(), akdg_tf.ONNX())"
    if not isinstance(exports, Sequence) or isinstance(exports, str):
        raise UserError(f"exports is {exports!r}: {example}")
    for each in exports:
        if isinstance(each, type):
            raise UserError(f"exports holds the class {each.__name__}: {example}, with brackets behind each name")
        if not (callable(getattr(each, "write", None)) and hasattr(each, "file")):
            raise UserError(f"exports holds {each!r}: {example}")
    return tuple(exports)


def check_generator(model: keras.Model) -> None:
    """Checks that a model maps latents to images or points.

    Raises:
        UserError: it does not; or it is not built.
    """
    try:
        samples = model(tf.zeros((1, latent_dim_of(model))))
    except Exception as error:  # a foreign model may raise anything
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            "only a built Keras model of latents [n, latent_dim] can be exported: call it on latents once, or set its "
            f"attribute latent_dim ({type(error).__name__}: {reason})"
        ) from error
    if isinstance(samples, dict | list | tuple):
        raise UserError(
            f"the model gives a {type(samples).__name__} of {len(samples)} outputs: give one output, such as "
            "keras.Model(model.inputs, images)"
        )
    shape = tuple(samples.shape[1:])
    if len(shape) not in (1, 3):
        raise UserError(f"its samples have the shape {shape}: only images [height, width, channels] can be exported")


def check_samples(generator: keras.Model) -> None:
    """Warns of images that do not fit [-1, 1], the range that an export assumes.

    Raises:
        UserError: the samples are not finite.
    """
    z = latents.draw(
        latents.prior_of(generator), PROBES, latent_dim_of(generator), (0, latents.PROBE), tf.constant(0, tf.int64)
    )
    samples = generator(z, training=False).numpy()
    if not np.isfinite(samples).all():
        raise UserError("the generator makes samples that are not finite: its training diverged")
    fault = range_fault(samples) if samples.ndim == 4 else None
    if fault:
        logger.warning("%s; the export takes -1 for black and 1 for white", fault)
