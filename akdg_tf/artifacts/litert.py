"""Export of a generator for LiteRT."""

import os
import pathlib
import tempfile

import keras
import tensorflow as tf

from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.compat import layers_of
from akdg_tf.models.layers import UpsampleConv2D

LITERT_WEIGHTS = ("float32", "float16")


def litert_model(generator: keras.Model, output_range: tuple[float, float], weights: str = "float32") -> bytes:
    """A generator for LiteRT: the content of a .tflite file whose signature `generator` maps `z` to `images`, float32.

    Args:
        generator: Keras model with outputs in [-1, 1].
        output_range: what -1 and 1 are mapped to.
        weights: one of `LITERT_WEIGHTS`: how they are stored; computed with is float32.
    """
    copy = detached_copy(generator)
    for layer in layers_of(copy):
        if isinstance(layer, UpsampleConv2D):
            layer.phases = True
    with tempfile.TemporaryDirectory() as folder:
        export_generator(copy, pathlib.Path(folder, "saved_model"), output_range)
        path = os.path.join(folder, "saved_model")
        converter = tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=["generator"])
        if weights == "float16":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()
