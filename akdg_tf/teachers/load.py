"""Loads a teacher, whatever it is: see `load_teacher`."""

import functools
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from akdg_tf import places
from akdg_tf.errors import UserError
from akdg_tf.places import find_saved_model
from akdg_tf.teachers import host, images, litert, npz, python_function
from akdg_tf.teachers.foreign import Reading
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.images import TeacherImages
from akdg_tf.teachers.saved_model import Range, load_generator
from akdg_tf.teachers.settings import TAKEN, Settings

KINDS = (
    "a run folder, a zoo entry, a SavedModel folder, a .keras, .onnx or .tflite file, a Python function "
    "module:function, a folder of images, or an .npz file"
)
SAVED_MODEL, KERAS, ONNX, LITERT, FUNCTION, FOLDER, NPZ = TAKEN
MODEL_FILES = {KERAS: host.of_keras, ONNX: host.of_onnx, LITERT: litert.of_litert}
SUFFIXES = {".keras": KERAS, ".onnx": ONNX, ".tflite": LITERT, ".npz": NPZ}


def load_teacher(
    name: str | os.PathLike,
    latent_dim: int | None = None,
    prior: str | None = None,
    output_range: Range = None,
    signature: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    output: str | int | None = None,
    layout: str | None = None,
    tags: Sequence[str] | None = None,
    sample_shape: Sequence[int] | None = None,
) -> FrozenGenerator | TeacherImages:
    """Loads a teacher: anything that maps noise to images, or only images that it has made.

    What a foreign generator does not tell is bound. Latents are cast and reshaped to its input, a fixed batch is filled
    up, and images in the layout NCHW are transposed. What does not apply to this kind of teacher is refused. A second
    call with the same arguments returns the same teacher.

    Args:
        name: what the teacher is:
            - a run folder, a zoo entry, a SavedModel folder, or a bare name; see `find_saved_model`;
            - a `.keras` file; an `.onnx` file, which requires onnxruntime; a `.tflite` file;
            - "module:function", a Python function of any library; see `teachers.python_function`;
            - a folder of images; an `.npz` file of `images` and perhaps `latents`; see `teachers.images` and
              `teachers.npz`.
        latent_dim: size of the latent; default: read from the model.
        prior: "normal", "uniform", or "normal, 10 classes" (`latents.draw`); default: the prior that our export
            recorded, else "normal". Of an `.npz` file,
            the prior that its latents were drawn from.
        output_range: smallest and largest value of the outputs; default: as our export recorded, else (0, 255) for
            uint8 and (0, 1) for other dtypes.
        signature: name of the signature of a SavedModel. By default the SavedModel itself is called. If it is not
            callable, its only signature is, or `serving_default`.
        inputs: constant values of the inputs other than the latent, by name, such as {"truncation": 0.7}: numbers, or
            lists or arrays of them, for one image. "one-hot 3" is the vector of class 3.
        output: key or index of the output that holds the images; default: the only one, or the only one of rank 4.
        layout: "NHWC" or "NCHW" of the images; default: told from the number of channels.
        tags: tags of the graph of a SavedModel that holds several; default: ("serve",), or the only ones.
        sample_shape: (height, width, channels) to which the images of a folder are resized and cropped; default: that
            of the first one. Other teachers have their own shape.

    Returns:
        The teacher.

    Raises:
        UserError: there is no such teacher, it is damaged, an argument is not valid or does not apply to it, something
            has to be bound, or its images are not finite or outside `output_range`.
    """
    if not isinstance(name, str | os.PathLike):
        raise UserError(f"there is no teacher {name!r}: give {KINDS}")
    places.check_encoding(name)
    settings = Settings(latent_dim, prior, output_range, signature, inputs, output, layout, tags, sample_shape)
    teacher = _loaded(os.fspath(name), settings)
    if settings.sample_shape and tuple(teacher.sample_shape) != settings.sample_shape:
        raise UserError(
            f"the teacher {name!r} makes images of the shape {tuple(teacher.sample_shape)}: load_teacher.sample_shape "
            "resizes only those of a folder"
        )
    return teacher


@functools.cache
def _loaded(name: str, settings: Settings) -> FrozenGenerator | TeacherImages:
    """The teacher of a name.

    Raises:
        UserError: see `load_teacher`.
    """
    kind, folder = _kind(name), find_saved_model(name)
    if kind is None:
        raise UserError(f"there is no teacher {name!r}: give {KINDS}")
    settings.check_kind(kind)
    path = pathlib.Path(places.expanded(name))
    latent_dim, prior, output_range = settings.latent_dim, settings.prior, settings.output_range
    reading = Reading(dict(settings.inputs or ()), settings.output, settings.layout)
    if folder is not None:
        return load_generator(folder, latent_dim, prior, output_range, settings.signature, reading, settings.tags)
    if kind == FOLDER:
        return images.of_folder(path, settings.sample_shape)
    if kind == NPZ:
        return npz.of_npz(path, output_range, prior)
    if kind == FUNCTION:
        return python_function.of_function(name, latent_dim, prior, output_range, settings.layout)
    return MODEL_FILES[kind](path, latent_dim, prior, output_range, reading)


def _kind(name: str) -> str | None:
    """What a name means, one of the keys of `settings.TAKEN`; None if there is no such teacher."""
    if not name:
        return None
    if find_saved_model(name):
        return SAVED_MODEL
    path = pathlib.Path(places.expanded(name))
    if path.is_dir():
        return FOLDER
    if path.is_file() and path.suffix in SUFFIXES:
        return SUFFIXES[path.suffix]
    return FUNCTION if python_function.FUNCTION.fullmatch(name) else None


def is_there(name: str) -> bool:
    """Whether the name is that of something that `load_teacher` can try to load.

    Raises:
        UserError: the home folder in it is unknown.
    """
    return _kind(name) is not None
