"""Generators in `.tflite` files, with weights of any kind. LiteRT runs them outside TensorFlow.

Their images pass through Python. So draw them into a bank (`BankedTeacher`) instead of inside every training step.
"""

import os
import pathlib
import threading
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from akdg_tf.errors import UserError, loading
from akdg_tf.teachers.foreign import ForeignFunction, Reading
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.probing import raised
from akdg_tf.teachers.saved_model import Range, frozen


def of_litert(
    path: pathlib.Path,
    latent_dim: int | None = None,
    prior: str | None = None,
    output_range: Range = None,
    reading: Reading = Reading(),
) -> FrozenGenerator:
    """The generator in a `.tflite` file; for the arguments see `load_teacher`.

    Raises:
        UserError: the file cannot be loaded, its inputs or outputs are quantized, or something has to be bound.
    """
    where = f"the LiteRT model {path}"
    with loading(path):
        interpreter = Interpreter(os.fspath(path))
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if any(each["quantization_parameters"]["scales"].size for each in (*inputs, *outputs)):
        raise UserError(f"{where} has quantized inputs or outputs: convert it with float ones")
    specs = {each["name"]: tf.TensorSpec(_shape(each["shape_signature"]), each["dtype"]) for each in inputs}
    given, run = {each["name"]: each["dtype"] for each in outputs}, _Runner(interpreter, where)

    def call(**fed):
        found = tf.numpy_function(run, [fed[name] for name in specs], list(given.values()))
        return dict(zip(given, tf.nest.flatten(found), strict=True))  # one output is no list when it runs eagerly

    return frozen(ForeignFunction(call, specs, latent_dim, reading, where), prior, output_range, where)


def _shape(signature: np.ndarray) -> list[int | None]:
    """A shape of LiteRT, whose free dimensions are -1."""
    return [None if size < 0 else int(size) for size in signature]


class _Runner:
    """Runs an interpreter, one call at a time, because it holds the values of its last call.

    Raises:
        UserError: on a call: the model fails.
    """

    def __init__(self, interpreter: Interpreter, where: str):
        self.interpreter, self.where, self.alone = interpreter, where, threading.Lock()
        self.inputs = [each["index"] for each in interpreter.get_input_details()]
        self.outputs = [each["index"] for each in interpreter.get_output_details()]
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        try:
            with self.alone:
                return self._run(values)
        except Exception as error:  # LiteRT raises ValueError or RuntimeError
            raise UserError(f"{self.where} fails ({raised(error)})") from error

    def _run(self, values: tuple[np.ndarray, ...]) -> list[Any]:
        shapes = [value.shape for value in values]
        if shapes != self.shapes:
            for index, shape in zip(self.inputs, shapes, strict=True):
                self.interpreter.resize_tensor_input(index, shape)
            self.interpreter.allocate_tensors()
            self.shapes = shapes
        for index, value in zip(self.inputs, values, strict=True):
            self.interpreter.set_tensor(index, value)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(index) for index in self.outputs]
