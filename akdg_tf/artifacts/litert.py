"""Export of a generator for LiteRT."""

import dataclasses
import os
import pathlib
import re
import tempfile

import keras
import tensorflow as tf

from akdg_tf.artifacts.quantization import WEIGHTS, convert
from akdg_tf.artifacts.saved_model import detached_copy, export_generator, output_range_of
from akdg_tf.compat import layers_of
from akdg_tf.errors import UserError
from akdg_tf.files import write_bytes
from akdg_tf.latents import latent_dim_of, prior_of
from akdg_tf.models.layers import UpsampleConv2D
from akdg_tf.models.quantized import INT4_BITS, levels

FILE = "model.tflite"


@dataclasses.dataclass(frozen=True)
class LiteRT:
    """The export `model.tflite`, for phones, browsers and fast sampling on CPUs.

    Attributes:
        weights: storage of the weights. The input and the output are always float32.
            - "float32".
            - "float16" halves the file; a pixel of its images differs from the SavedModel's by at most about one gray
              level. It computes in float32.
            - "int8": weights in int8, one step per output. LiteRT rounds the activations when it computes (dynamic
              range). Kernels of fewer than 1,024 weights stay float32.
            - "int8_full": weights and activations in int8. The ranges of the activations are those of 100 images.
            - "int4": weights in int4, by ai-edge-quantizer: the smallest file, not a fast one. It computes in float32.

            The images of the last three differ visibly in single pixels. Train with `FakeQuantize` before "int4".

    Raises:
        UserError: `weights` is something else.
    """

    weights: str = "float32"
    file = FILE

    def __post_init__(self):
        if self.weights not in WEIGHTS:
            raise UserError(f"LiteRT.weights {self.weights!r} is not one of {', '.join(WEIGHTS)}")

    def write(self, generator: keras.Model, folder: pathlib.Path) -> None:
        """Writes `model.tflite`; see `exports.Export`."""
        write_bytes(folder / self.file, litert_model(generator, output_range_of(generator), self.weights))


def litert_model(generator: keras.Model, output_range: tuple[float, float], weights: str = "float32") -> bytes:
    """Converts a generator to a .tflite file, whose signature `generator` maps `z` to `images`, both float32.

    Args:
        generator: Keras model with outputs in [-1, 1].
        output_range: the values that -1 and 1 are mapped to.
        weights: storage of the weights, one of `WEIGHTS`.

    Returns:
        The content of the file.

    Raises:
        UserError: LiteRT lacks an operation of the generator; the message names it. Or ai-edge-quantizer, which stores
            int4, is not installed; or the weights were trained to be rounded to levels that int4 does not have.
    """
    copy = detached_copy(generator)
    for layer in layers_of(copy):
        if weights == "int4" and levels(INT4_BITS) % levels(getattr(layer, "bits", INT4_BITS)):
            raise UserError(f"the weights were trained for {layer.bits} bits: bind FakeQuantize.bits=4 before int4")
        if isinstance(layer, UpsampleConv2D):
            layer.form = "resized" if weights == "int4" else "phases"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "saved_model")
        export_generator(copy, pathlib.Path(path), output_range, fixed_width=True)
        converter = tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=["generator"])
        try:
            return convert(converter, weights, latent_dim_of(generator), prior_of(generator))
        except UserError:
            raise
        except Exception as error:  # the converter raises a private class
            raise UserError(f"LiteRT cannot run this generator: {_unknown_operations(str(error))}") from error


def _unknown_operations(message: str) -> str:
    """What LiteRT lacks: the operations that the converter's message names, or the start of the message."""
    names = sorted(set(re.findall(r"'?tf\.(\w+)'? op is neither", message)))
    if names:
        return f"it lacks the operation {', '.join(names)}"
    return " ".join(message.split())[:200]
