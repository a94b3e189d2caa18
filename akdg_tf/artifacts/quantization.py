"""How a `.tflite` file stores its weights: settings of LiteRT's converter, and int4 by ai-edge-quantizer."""

import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from akdg_tf import latents
from akdg_tf.artifacts.result import QUANTIZED
from akdg_tf.errors import UserError
from akdg_tf.models.quantized import INT4_BITS

WEIGHTS = ("float32", "float16", *QUANTIZED)
CALIBRATED = 100  # images whose activations set the ranges of "int8_full"


def convert(converter: tf.lite.TFLiteConverter, weights: str, latent_dim: int, prior: str) -> bytes:
    """Converts a generator whose signature maps `z` to `images`, both float32.

    Args:
        converter: of its SavedModel.
        weights: one of `WEIGHTS`.
        latent_dim: size of its latent.
        prior: of its latents.

    Returns:
        The content of the file.

    Raises:
        UserError: ai-edge-quantizer, which stores int4, is not installed.
    """
    if weights not in ("float32", "int4"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if weights == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if weights == "int8_full":
        converter.representative_dataset = lambda: _calibration(latent_dim, prior)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter calibrates with an interpreter that TensorFlow deprecates
        content = converter.convert()
    return _in_int4(content) if weights == "int4" else content


def _calibration(latent_dim: int, prior: str) -> Iterator[dict[str, np.ndarray]]:
    """Latents, one at a time, always the same."""
    z = latents.draw(prior, CALIBRATED, latent_dim, (0, latents.CALIBRATION), tf.constant(0, tf.int64)).numpy()
    yield from ({"z": row[np.newaxis]} for row in z)


def _in_int4(content: bytes) -> bytes:
    """A float32 model whose kernels are stored in int4: LiteRT turns them into float32 and computes with these.

    The names of its inner tensors, which take up to a third of a small file, are left out.
    """
    try:
        from ai_edge_quantizer import Quantizer
        from ai_edge_quantizer.qtyping import TFLOperationName
    except ImportError as error:
        raise UserError(f"int4 weights need ai-edge-quantizer: pip install 'akdg_tf[compression]' ({error})") from None
    quantizer = Quantizer(bytearray(content))
    for operation in (TFLOperationName.FULLY_CONNECTED, TFLOperationName.CONV_2D):
        quantizer.add_weight_only_config(".*", operation, INT4_BITS)
    result = quantizer.quantize(enable_progress_bar=False, enable_progress_report=False)
    # From 256 kB on, the quantizer puts the kernels behind the model proper. This reader takes them in again.
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(result.quantized_model))
    for graph in model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            if number not in {*graph.inputs, *graph.outputs}:
                tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def weights_in(path: pathlib.Path) -> str:
    """How a `.tflite` file stores its weights, one of `WEIGHTS`.

    Raises:
        UserError: the file is damaged.
    """
    try:
        return _weights_of(flatbuffer_utils.read_model(str(path)))
    except Exception as error:  # of any kind: the reader trusts every offset in the file
        raise UserError(f"{path} is damaged: export it again") from error


def _weights_of(model) -> str:
    graphs = model.subgraphs
    types = {flatbuffer_utils.type_to_name(tensor.type) for graph in graphs for tensor in graph.tensors}
    used = {flatbuffer_utils.opcode_to_name(model, each.opcodeIndex) for graph in graphs for each in graph.operators}
    if "INT4" in types:
        return "int4"
    if "INT8" in types:  # an operation quantizes activations, not weights
        return "int8_full" if "QUANTIZE" in used else "int8"
    return "float16" if "FLOAT16" in types else "float32"
