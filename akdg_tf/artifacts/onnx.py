"""Export of a generator to ONNX, and running the file with onnxruntime. Both need the extra `onnx`."""

import dataclasses
import logging
import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.artifacts.saved_model import detached_copy, output_range_of
from akdg_tf.errors import UserError, loading
from akdg_tf.files import write_bytes
from akdg_tf.latents import latent_dim_of, prior_of, sample_shape_of

FILE = "model.onnx"
WEIGHTS = ("float32", "float16")
OPSET = 18  # the newest one that tf2onnx writes


@dataclasses.dataclass(frozen=True)
class ONNX:
    """The export `model.onnx`, which onnxruntime and other runtimes run without TensorFlow.

    The file maps `z`, float32 [n, latent_dim], to `images`, float32 [n, *sample_shape]. Its metadata state latent_dim,
    output_range, layout, prior and weights. Writing it needs the packages tf2onnx and onnx.

    Attributes:
        weights: storage of the weights, "float32" or "float16". float16 halves the file; a pixel of its images
            differs from the SavedModel's by at most about one gray level. Both compute in float32.

    Raises:
        UserError: `weights` is neither of the two.
    """

    weights: str = "float32"
    file = FILE

    def __post_init__(self):
        if self.weights not in WEIGHTS:
            raise UserError(f"ONNX.weights {self.weights!r} is not one of {', '.join(WEIGHTS)}")

    def write(self, generator: keras.Model, folder: pathlib.Path) -> None:
        """Writes `model.onnx`; see `exports.Export`."""
        write_bytes(folder / self.file, onnx_model(generator, output_range_of(generator), self.weights))


def onnx_model(generator: keras.Model, output_range: tuple[float, float], weights: str = "float32") -> bytes:
    """Converts a generator to an ONNX file with the input `z` and the output `images`, both float32.

    Args:
        generator: Keras model with outputs in [-1, 1].
        output_range: the values that -1 and 1 are mapped to.
        weights: storage of the weights, one of `WEIGHTS`.

    Returns:
        The content of the file.

    Raises:
        UserError: tf2onnx or onnx is not installed, or ONNX lacks an operation of the generator; the message names it.
    """
    try:
        import onnx
        import tf2onnx.convert
    except ImportError as error:
        raise UserError(f"{FILE} needs tf2onnx and onnx: pip install tf2onnx ({error})") from None
    copy, latent_dim, (low, high) = detached_copy(generator), latent_dim_of(generator), output_range

    def images(z):
        return {"images": (copy(z, training=False) + 1.0) * ((high - low) / 2.0) + low}

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what it cannot convert is raised below
    spec = tf.TensorSpec((None, latent_dim), tf.float32, name="z")
    model, _ = tf2onnx.convert.from_function(tf.function(images), [spec], opset=OPSET)
    unknown = sorted({node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:
        raise UserError(f"ONNX cannot run this generator: it lacks the operation {', '.join(unknown)}")
    _name_the_batch(model.graph)
    _mend_resizing(model.graph)
    if weights == "float16":
        _store_in_float16(model.graph)
    layout = {"layout": "NHWC"} if len(sample_shape_of(generator)) == 3 else {}
    meta = {"latent_dim": f"{latent_dim}", "output_range": f"[{low}, {high}]", **layout, "prior": prior_of(generator)}
    onnx.helper.set_model_props(model, {**meta, "weights": weights})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _name_the_batch(graph: Any) -> None:
    """Names the free first dimension of the input and of the output "n"; tf2onnx numbers them."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def _mend_resizing(graph: Any) -> None:
    """States nearest-neighbour resizing in the terms of the opset.

    tf2onnx writes floor((x + 0.5) / scale) as `tf_half_pixel_for_nn`, which opset 13 removed. The same position is
    (x + 0.5) / scale - 0.5, rounded half up.
    """
    for node in graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        mode = attributes.get("coordinate_transformation_mode")
        if node.op_type == "Resize" and mode is not None and mode.s == b"tf_half_pixel_for_nn":
            mode.s, attributes["nearest_mode"].s = b"half_pixel", b"round_prefer_ceil"


def _store_in_float16(graph: Any) -> None:
    """Stores kernels in float16. Nodes cast them to float32, which a runtime does once, when it loads the file."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1:
            name, half = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_float16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def function_of(path: pathlib.Path) -> Callable[[np.ndarray], np.ndarray]:
    """The generator in a `model.onnx`: latents, float32 [n, latent_dim], to samples, float32 [n, *sample_shape].

    Raises:
        UserError: onnxruntime is not installed, or the file cannot be loaded.
    """
    session = _session(path)
    return lambda z: session.run(["images"], {"z": z})[0]


def metadata_of(path: pathlib.Path) -> dict[str, str]:
    """The metadata of a `model.onnx`; see `function_of` for errors."""
    return _session(path).get_modelmeta().custom_metadata_map


def _session(path: pathlib.Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(f"{path} needs onnxruntime: pip install onnxruntime") from None
    with loading(path):
        return onnxruntime.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"])
