"""The ways to run an entry's generator, each as a function from latents to images."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from akdg_tf import latents
from akdg_tf.artifacts.network import load_network
from akdg_tf.artifacts.result import LiteRTModel
from akdg_tf.artifacts.saved_model import output_range_of
from akdg_tf.errors import UserError
from akdg_tf.zoo.entries import LITERT, Entry

SIGNATURES = ("serving_default", "default", "generator")
COMPARED = 64

Route = Callable[[np.ndarray], np.ndarray]


def routes(entry: Entry) -> dict[str, Route]:
    """The routes by name. Each maps float32 [n, latent_dim] to samples, float32 [n, *sample_shape].

    They are `m(z)`, the SavedModel's signatures, the network from `load_network`, and LiteRT's interpreter if the entry
    holds a `model.tflite`.
    """
    module: Any = entry.load().module
    found: dict[str, Route] = {"m(z)": lambda z: module(tf.constant(z)).numpy()}
    found |= {name: _signature(module, name) for name in SIGNATURES}
    found["load_network"] = _network(entry)
    return found | ({LITERT: litert(entry)} if (entry.folder / LITERT).exists() else {})


def _signature(module, name: str) -> Route:
    return lambda z: module.signatures[name](z=tf.constant(z))["images"].numpy()


def _network(entry: Entry) -> Route:
    network = load_network(entry.folder)
    low, high = output_range_of(network)
    return lambda z: (network(tf.constant(z)).numpy() + 1.0) * ((high - low) / 2.0) + low


def litert(entry: Entry) -> Route:
    """The route through `model.tflite` and LiteRT's interpreter."""
    runner = Interpreter(str(entry.folder / LITERT)).get_signature_runner("generator")
    return lambda z: runner(z=z)["images"]


def differences(entry: Entry) -> dict[str, float]:
    """The largest difference of each route's images from those of `m(z)`, over 64 latents of the entry's seed."""
    z = evaluation_latents(entry, COMPARED)
    images = {name: route(z) for name, route in routes(entry).items()}
    return {name: float(np.abs(values - images["m(z)"]).max()) for name, values in images.items()}


def evaluation_latents(entry: Entry, count: int) -> np.ndarray:
    """The latents of the first images of `samples.png`, float32 [count, latent_dim].

    Raises:
        UserError: metrics.json has no latent_dim.
    """
    dim = entry.result.network.latent_dim
    if dim is None:
        raise UserError(f"{entry.folder / 'metrics.json'} has no latent_dim of the network: publish the run again")
    return latents.sample(lambda z: z, "normal", dim, count, entry.result.seed)


def litert_record(entry: Entry) -> LiteRTModel:
    """The record of `model.tflite` for `metrics.json`."""
    details = Interpreter(str(entry.folder / LITERT)).get_tensor_details()
    return LiteRTModel(
        file_size=(entry.folder / LITERT).stat().st_size,
        weights="float16" if any(tensor["dtype"] == np.float16 for tensor in details) else "float32",
        samples=COMPARED,
        max_difference=differences(entry)[LITERT],
    )
