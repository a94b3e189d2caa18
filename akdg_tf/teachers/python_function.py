"""A Python function of any library as a teacher. Its images pass through Python: draw them into a bank."""

import importlib
import logging
import os
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.errors import UserError
from akdg_tf.teachers.foreign import ForeignFunction, Reading
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.probing import raised
from akdg_tf.teachers.saved_model import ASSUMED_RANGE, Range, frozen

logger = logging.getLogger(__name__)

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")  # "module:function"
PROBES = 8  # images that are made twice
# Share of the range by which two images of one latent may differ. Sums in a varying order, as on GPUs, give about 1e-6.
NOISE = 1e-4
NOT_NUMBERS = "OSUMmc"  # kinds of NumPy's dtypes: objects, texts, times, complex numbers


def of_function(
    name: str, latent_dim: int | None, prior: str | None, output_range: Range, layout: str | None
) -> FrozenGenerator:
    """The generator that a Python function is.

    Args:
        name: "module:function". The module is imported from the current folder or from where Python finds it. The
            function maps latents, a NumPy array float32 [n, latent_dim], to images: an array of NumPy, PyTorch, JAX or
            another library, [n, height, width, channels] or [n, channels, height, width]. Equal latents must give equal
            images. It may change the array that it is given.
        latent_dim: size of the latent; must be given.
        prior: "normal" (the default), "uniform", or "normal, 10 classes"; see `latents.draw`.
        output_range: smallest and largest value of the images; default (0, 1), or (0, 255) for uint8.
        layout: where the number of channels does not tell it.

    Raises:
        UserError: the module or the function is not there, or the function fails, gives no images, or gives other
            images for the same latents.
    """
    where = f"the function {name}"
    if not latent_dim:
        raise UserError(f"{where} does not state its latent size: bind load_teacher.latent_dim")
    function = HostFunction(_imported(name), where)
    dtype = _checked_dtype(function, latent_dim, output_range)

    def call(z):
        return tf.numpy_function(lambda values: function(values).astype(dtype.as_numpy_dtype), [z], dtype)

    specs = {"z": tf.TensorSpec((None, latent_dim), tf.float32)}
    foreign = ForeignFunction(call, specs, latent_dim, Reading(layout=layout), where)
    return frozen(foreign, prior, output_range, where)


class HostFunction:
    """A function of arrays that checks what a user's function gives.

    Args:
        function: maps latents, float32 [n, latent_dim], to images.
        where: names the function in messages.

    Raises:
        UserError: on a call: the function fails, or gives something other than one array of numbers, another number of
            images than of latents, or another kind of numbers than before.
    """

    def __init__(self, function: Callable[[np.ndarray], Any], where: str):
        self.function, self.where = function, where
        self._dtype: np.dtype | None = None

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """A copy of the images of some latents, [n, ...], in the dtype that the function gives."""
        try:
            images = self.function(np.array(z))  # a copy: z may be TensorFlow's own memory
            array = np.array(images.detach().cpu() if hasattr(images, "detach") else images)
        except (Exception, SystemExit) as error:  # a function may raise anything
            raise UserError(f"{self.where} fails for latents of the shape {z.shape} ({raised(error)})") from error
        if isinstance(images, tuple | dict | str) or array.dtype.kind in NOT_NUMBERS or array.dtype.names:
            raise UserError(f"{self.where} gives {_kind(images, array)}: it must give one array of images")
        if array.shape[:1] != z.shape[:1]:
            raise UserError(f"{self.where} gives an array of the shape {array.shape} for {len(z)} latents")
        first = self._dtype = self._dtype or array.dtype
        if array.dtype.kind != first.kind:
            raise UserError(f"{self.where} gives {array.dtype} now and {first} before: give one kind of numbers")
        return array


def _kind(images: Any, array: np.ndarray) -> str:
    if images is None:
        return "None"
    if isinstance(images, tuple | dict | str):
        return f"a {type(images).__name__}"
    return f"an array of {array.dtype}" if isinstance(images, np.ndarray) else f"a {type(images).__name__}"


def _imported(name: str) -> Callable[[np.ndarray], Any]:
    module, _, function = name.partition(":")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:  # a module may raise anything
        raise UserError(f"the teacher {name} cannot be imported ({raised(error)})") from error


def _checked_dtype(function: HostFunction, latent_dim: int, output_range: Range) -> tf.DType:
    """The dtype that TensorFlow takes the images in: uint8 or float32.

    Raises:
        UserError: a second call gives other images.
    """
    z = latents.draw("normal", PROBES, latent_dim, (0, latents.PROBE), tf.constant(0, tf.int64)).numpy()
    first, second = function(z), function(z)
    dtype = tf.uint8 if first.dtype == np.uint8 else tf.float32
    low, high = output_range or ASSUMED_RANGE.get(dtype.name, (0.0, 1.0))
    allowed = 1 if first.dtype.kind in "iu" else NOISE * (high - low)  # noise may round to the next whole number
    if first.shape != second.shape or _difference(first, second) > allowed:
        raise UserError(
            f"{function.where} gives other images for the same latents: seed it from them, "
            "or write its images to an .npz file"
        )
    if not np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
        logger.warning("%s gives images that differ by rounding: their bank may be made again", function.where)
    return dtype


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    """The largest difference of two arrays where neither is NaN; that is refused elsewhere."""
    return float(np.nanmax(np.abs(first.astype(np.float64) - second.astype(np.float64)), initial=0.0))
