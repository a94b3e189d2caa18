"""The ways to run an entry's generator, each as a function from latents to images."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from akdg_tf import latents
from akdg_tf.artifacts import onnx
from akdg_tf.artifacts.network import load_network
from akdg_tf.artifacts.quantization import weights_in
from akdg_tf.artifacts.result import ExportedModel
from akdg_tf.artifacts.saved_model import output_range_of
from akdg_tf.errors import UserError, loading
from akdg_tf.zoo.entries import LITERT, ONNX, Entry

SIGNATURES = ("serving_default", "default", "generator")
COMPARED = 64
TOLERANCE = 1e-5  # up to 3.6e-6 was measured, on a processor with AMX
EXPORT_TOLERANCE = {"float32": 1e-5, "float16": 2 / 255}  # by weights; up to 1.1 gray levels were measured
# Single pixels of a quantized model may differ by any value, so the mean over all pixels is checked. Up to 1.0, 8.5 and
# 10.5 gray levels were measured. The images of other latents differ by 27 or more.
QUANTIZED_TOLERANCE = {"int8": 2 / 255, "int8_full": 16 / 255, "int4": 16 / 255}
# A file is compared with what is stated of it, too: networks that were made from each other differ by less than 16.
STATED_FACTOR, STATED_LARGEST, STATED_MEAN = 2.0, 2 / 255, 0.2 / 255

Route = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far the images of a route are from those of `m(z)`, for values in [0, 1].

    Attributes:
        largest: of a pixel value.
        mean: of the absolute differences of all pixel values.
    """

    largest: float
    mean: float

    def check(self, route: str, weights: str) -> None:
        """Checks that the images are those of `m(z)`, as far as the weights allow.

        Args:
            route: its name.
            weights: how a `model.tflite` or a `model.onnx` stores its weights; "" for another route.

        Raises:
            UserError: they are not.
        """
        value, most, how = self.largest, EXPORT_TOLERANCE.get(weights, TOLERANCE), ""
        if weights in QUANTIZED_TOLERANCE:
            value, most, how = self.mean, QUANTIZED_TOLERANCE[weights], "on average "
        if value > most:
            raise UserError(f"{route} differs from m(z) {how}by {value:.1e}, more than {most:.1e}")

    def check_stated(self, route: str, stated: ExportedModel) -> None:
        """Checks that a file differs from `m(z)` about as much as is stated of it.

        Raises:
            UserError: it differs by more or by less than processors explain.
        """
        pairs = [(self.largest, stated.max_difference, STATED_LARGEST)]
        if stated.mean_difference is not None:
            pairs.append((self.mean, stated.mean_difference, STATED_MEAN))
        for found, expected, slack in pairs:
            least, most = sorted((found, expected))
            if most > STATED_FACTOR * least + slack:
                raise UserError(f"{route} differs from m(z) by {found:.1e}, not by {expected:.1e}")


def routes(entry: Entry) -> dict[str, Route]:
    """The routes by name. Each maps float32 [n, latent_dim] to samples, float32 [n, *sample_shape].

    They are `m(z)`, the SavedModel's signatures, the network from `load_network`, and LiteRT's interpreter and
    onnxruntime if the entry holds a `model.tflite` and a `model.onnx`.

    Raises:
        UserError: the entry holds a `model.onnx`, and onnxruntime is not installed.
    """
    module: Any = entry.load().module
    found: dict[str, Route] = {"m(z)": lambda z: module(tf.constant(z)).numpy()}
    found |= {name: _signature(module, name) for name in SIGNATURES}
    found["load_network"] = _network(entry)
    found |= {LITERT: litert(entry)} if (entry.folder / LITERT).exists() else {}
    return found | ({ONNX: onnx.function_of(entry.folder / ONNX)} if (entry.folder / ONNX).exists() else {})


def _signature(module, name: str) -> Route:
    return lambda z: module.signatures[name](z=tf.constant(z))["images"].numpy()


def _network(entry: Entry) -> Route:
    network = load_network(entry.folder)
    low, high = output_range_of(network)
    return lambda z: (network(tf.constant(z)).numpy() + 1.0) * ((high - low) / 2.0) + low


def litert(entry: Entry) -> Route:
    """The route through `model.tflite` and LiteRT's interpreter.

    Raises:
        UserError: the file is damaged.
    """
    path = entry.folder / LITERT
    with loading(path):
        runner = Interpreter(str(path)).get_signature_runner("generator")
    return lambda z: runner(z=z)["images"]


def differences(entry: Entry) -> dict[str, Difference]:
    """The differences of each route's images from those of `m(z)`, over 64 latents of the entry's seed."""
    z = evaluation_latents(entry, COMPARED)
    images = {name: route(z) for name, route in routes(entry).items()}
    apart = {name: np.abs(values - images["m(z)"]) for name, values in images.items()}
    return {name: Difference(float(each.max()), float(each.mean())) for name, each in apart.items()}


def evaluation_latents(entry: Entry, count: int) -> np.ndarray:
    """The latents of the first images of `samples.png`, float32 [count, latent_dim]; those of any label.

    Raises:
        UserError: metrics.json has no latent_dim.
    """
    dim = entry.result.network.latent_dim
    if dim is None:
        raise UserError(f"{entry.folder / 'metrics.json'} has no latent_dim of the network: publish the run again")
    return latents.sample(lambda z: z, entry.result.network.prior, dim, count, entry.result.seed)


def records(entry: Entry) -> dict[str, ExportedModel]:
    """The records of the optional exports for `metrics.json`, by the name of the file.

    Raises:
        UserError: the entry holds a `model.onnx`, and onnxruntime is not installed.
    """
    paths = {name: entry.folder / name for name in (LITERT, ONNX) if (entry.folder / name).exists()}
    apart = differences(entry) if paths else {}
    return {
        name: ExportedModel(path.stat().st_size, stored_weights(path), COMPARED, apart[name].largest, apart[name].mean)
        for name, path in paths.items()
    }


def stored_weights(path: pathlib.Path) -> str:
    """How a `model.tflite` or a `model.onnx` stores its weights; see `records` for errors."""
    return weights_in(path) if path.name == LITERT else onnx.metadata_of(path).get("weights", "float32")
