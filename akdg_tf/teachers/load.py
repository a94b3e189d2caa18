"""Loads a teacher, whatever it is: see `load_teacher`."""

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from akdg_tf.errors import UserError
from akdg_tf.places import find_saved_model
from akdg_tf.teachers import host, images
from akdg_tf.teachers.foreign import Reading
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.images import TeacherImages
from akdg_tf.teachers.saved_model import load_generator

KINDS = (
    "a run folder, a zoo entry, a SavedModel folder, a .keras or .onnx file, a Python function module:function, "
    "a folder of images, or an .npz file"
)
FILES = {".onnx": host.of_onnx, ".keras": host.of_keras}


def load_teacher(
    name: str,
    latent_dim: int | None = None,
    prior: str | None = None,
    output_range: tuple[float, float] | None = None,
    signature: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    output: str | int | None = None,
    layout: str | None = None,
    tags: Sequence[str] | None = None,
    sample_shape: Sequence[int] | None = None,
) -> FrozenGenerator | TeacherImages:
    """Loads a teacher: anything that maps noise to images, or only images that it has made.

    What a foreign generator does not tell is bound. Latents are cast and reshaped to its input, a fixed batch is filled
    up, and images in the layout NCHW are transposed. A second call with the same arguments returns the same teacher.

    Args:
        name: what the teacher is:
            - a run folder, a zoo entry, a SavedModel folder, or a bare name; see `find_saved_model`;
            - a `.keras` file; an `.onnx` file, which requires onnxruntime;
            - "module:function", a Python function of any library; see `teachers.host.of_function`;
            - a folder of images; an `.npz` file of `images` and perhaps `latents`; see `teachers.images`.
        latent_dim: size of the latent; default: read from the model.
        prior: "normal" or "uniform"; default: the prior that our export recorded, else "normal".
        output_range: smallest and largest value of the outputs; default: as our export recorded, else (0, 255) for
            uint8 and (0, 1) for other dtypes.
        signature: name of the signature of a SavedModel. By default the SavedModel itself is called. If it is not
            callable, its only signature is, or `serving_default`.
        inputs: constant values of the inputs other than the latent, by name, such as {"truncation": 0.7}. They are for
            one image. "one-hot 3" is the vector of class 3.
        output: key or index of the output that holds the images; default: the only one, or the only one of rank 4.
        layout: "NHWC" or "NCHW" of the images; default: told from the number of channels.
        tags: tags of the graph of a SavedModel that holds several; default: ("serve",), or the only ones.
        sample_shape: (height, width, channels) to which the images of a folder are resized and cropped; default: that
            of the first one. Other teachers have their own shape.

    Returns:
        The teacher.

    Raises:
        UserError: there is no such teacher, it is damaged, something has to be bound, or its images are not finite or
            outside `output_range`.
    """
    constants = tuple((key, _hashable(value)) for key, value in sorted((inputs or {}).items()))
    tags = (tags,) if isinstance(tags, str) else tags
    teacher = _loaded(
        name,
        latent_dim,
        prior,
        output_range and tuple(output_range),
        signature,
        (constants, output, layout),
        None if tags is None else tuple(tags),
        sample_shape and tuple(sample_shape),
    )
    if sample_shape and tuple(teacher.sample_shape) != tuple(sample_shape):
        raise UserError(
            f"the teacher {name!r} makes images of the shape {tuple(teacher.sample_shape)}: load_teacher.sample_shape "
            "resizes only those of a folder"
        )
    return teacher


def _hashable(value: Any) -> Any:
    """A constant with tuples for lists and arrays."""
    plain = np.asarray(value).tolist() if hasattr(value, "__array__") else value
    return tuple(_hashable(each) for each in plain) if isinstance(plain, list | tuple) else plain


@functools.cache
def _loaded(
    name, latent_dim, prior, output_range, signature, reading, tags, sample_shape
) -> FrozenGenerator | TeacherImages:
    constants, output, layout = reading
    given = Reading(dict(constants), output, layout)
    folder, path = find_saved_model(name), pathlib.Path(name).expanduser()
    if folder is not None:
        return load_generator(folder, latent_dim, prior, output_range, signature, given, tags)
    if not is_there(name):
        raise UserError(f"there is no teacher {name!r}: give {KINDS}")
    if path.is_dir():
        return images.of_folder(path, sample_shape)
    if path.suffix == ".npz":
        return images.of_npz(path, output_range)
    of_file = FILES.get(path.suffix)
    if of_file:
        return of_file(path, latent_dim, prior, output_range, given)
    return host.of_function(name, latent_dim, prior, output_range, given)


def is_there(name: str) -> bool:
    """Whether the name is that of something that `load_teacher` can try to load."""
    path = pathlib.Path(name).expanduser()
    is_file = path.is_file() and path.suffix in (*FILES, ".npz")
    return bool(find_saved_model(name) or path.is_dir() or is_file or host.FUNCTION.fullmatch(name))
