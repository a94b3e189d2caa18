"""The time that a generator takes per image, in LiteRT on this machine."""

import statistics
import time

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from akdg_tf.artifacts.litert import litert_model

REPEATS, SECONDS = 20, 0.5  # minima


def milliseconds(generator: keras.Model, threads: int = 1) -> float:
    """Median time per image of a generator that is converted to LiteRT, at batch 1; see `milliseconds_of`."""
    return milliseconds_of(litert_model(generator, (0.0, 1.0)), threads)


def milliseconds_of(content: bytes, threads: int = 1) -> float:
    """Median time per image of a .tflite file, at batch 1.

    Args:
        content: of the file, with one input of shape [n, latent_dim] and one output.
        threads: of the interpreter.
    """
    interpreter = Interpreter(model_content=content, num_threads=threads)
    (given,) = interpreter.get_input_details()
    size = int(given["shape"][-1])
    interpreter.resize_tensor_input(given["index"], (1, size))
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], np.zeros((1, size), np.float32))
    interpreter.invoke()
    seconds: list[float] = []
    while len(seconds) < REPEATS or sum(seconds) < SECONDS:
        start = time.perf_counter()
        interpreter.invoke()
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)
