"""Generators in files of other formats: ONNX, which runs outside TensorFlow, and Keras' own.

ONNX's images pass through Python. So draw them into a bank (`BankedTeacher`) instead of inside every training step.
"""

import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from akdg_tf.errors import UserError, loading
from akdg_tf.latents import is_prior
from akdg_tf.teachers.foreign import ForeignFunction, Reading
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.probing import raised
from akdg_tf.teachers.saved_model import Range, frozen

ONNX_TYPES = {"tensor(float)": tf.float32, "tensor(double)": tf.float64, "tensor(float16)": tf.float16}
ONNX_TYPES |= {"tensor(int64)": tf.int64, "tensor(int32)": tf.int32, "tensor(uint8)": tf.uint8}


def of_onnx(
    path: pathlib.Path, latent_dim: int | None, prior: str | None, output_range: Range, reading: Reading
) -> FrozenGenerator:
    """The generator in an ONNX file. Requires the extra `onnx`; for the rest see `load_teacher`.

    Raises:
        UserError: onnxruntime is not installed, the file cannot be loaded, or something has to be bound.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError(f"{path} needs onnxruntime: pip install onnxruntime") from None
    with loading(path):
        session = onnxruntime.InferenceSession(os.fspath(path), providers=onnxruntime.get_available_providers())
    outputs = {output.name: ONNX_TYPES.get(output.type, tf.float32) for output in session.get_outputs()}
    specs = {each.name: tf.TensorSpec(_shape(each.shape), _onnx_type(each, path)) for each in session.get_inputs()}
    names = list(specs)

    def run(*values):
        try:
            return session.run(list(outputs), dict(zip(names, values, strict=True)))
        except Exception as error:  # onnxruntime raises private classes
            raise UserError(f"the ONNX model {path} fails ({raised(error)})") from error

    def call(**fed):
        found = tf.numpy_function(run, [fed[name] for name in names], list(outputs.values()))
        return dict(zip(outputs, tf.nest.flatten(found), strict=True))  # one output is no list when it runs eagerly

    function = ForeignFunction(call, specs, latent_dim, reading, f"the ONNX model {path}")
    stated_prior, stated_range = _stated(session.get_modelmeta().custom_metadata_map)
    return frozen(function, prior or stated_prior, output_range or stated_range, f"the ONNX model {path}")


def _stated(meta: Mapping[str, str]) -> tuple[str | None, Range]:
    """The prior and the range that our export to ONNX states in the metadata of a file, None where it states none."""
    try:
        low, high = map(float, json.loads(meta["output_range"]))
        return (meta["prior"] if is_prior(meta["prior"]) else None), (low, high)
    except (KeyError, TypeError, ValueError):
        return None, None


def _onnx_type(argument: Any, path: pathlib.Path) -> tf.DType:
    if argument.type not in ONNX_TYPES:
        raise UserError(
            f"{path} has an input {argument.name} of the type {argument.type}: it must be a tensor of numbers"
        )
    return ONNX_TYPES[argument.type]


def _shape(shape: Sequence[Any]) -> list[int | None]:
    """A shape of ONNX, whose free dimensions are names or None."""
    return [size if isinstance(size, int) else None for size in shape]


def of_keras(
    path: pathlib.Path, latent_dim: int | None, prior: str | None, output_range: Range, reading: Reading
) -> FrozenGenerator:
    """The generator in a `.keras` file; for the rest see `load_teacher`. Code in the file (Lambda layers) is refused.

    Raises:
        UserError: the file cannot be loaded, or something has to be bound.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a foreign file may raise any exception
        raise UserError(f"{path} cannot be loaded by Keras: {' '.join(str(error).split())[:200]}") from error
    specs = _keras_inputs(model, latent_dim, path)

    def call(**fed):
        values = list(fed[name] for name in specs)
        return model(values[0] if len(values) == 1 else values, training=False)

    function = ForeignFunction(call, specs, latent_dim, reading, f"the Keras model {path}")
    return frozen(function, prior, output_range, f"the Keras model {path}", module=model)


def _keras_inputs(model: keras.Model, latent_dim: int | None, path: pathlib.Path) -> Mapping[str, tf.TensorSpec]:
    """The inputs of a Keras model by name. A subclassed model has none, and is taken to have one of `latent_dim`."""
    try:
        inputs = list(model.inputs or [])
    except AttributeError:
        inputs = []
    if inputs:
        return {each.name: tf.TensorSpec(each.shape, each.dtype) for each in inputs}
    size = latent_dim or getattr(model, "latent_dim", None)
    if not size:
        raise UserError(f"the Keras model {path} does not state its latent size: bind load_teacher.latent_dim")
    return {"z": tf.TensorSpec((None, size), tf.float32)}
