"""Images per second of the CIFAR-10 teacher and students: python benchmarks/sampling.py. Prints one JSON line.

It measures the model in memory, the SavedModel and LiteRT (float32), at batch 1 and 64, interleaved in one process. The
speeds follow from median times. The plain forms compute upsampling and convolution separately. GFLOP/s count an
executed multiply-add as two operations. A large plain convolution shows what the machine can reach.
"""

import argparse
import contextlib
import json
import pathlib
import tempfile
from collections.abc import Callable

import setting
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import akdg_tf
from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.models.counting import count_cost

GENERATORS = {
    "mlp": akdg_tf.MLPGenerator,
    "dcgan": akdg_tf.DCGANGenerator,
    "teacher": akdg_tf.SNGANGenerator,
    "plain_dcgan": akdg_tf.DCGANGenerator,
    "plain_teacher": akdg_tf.SNGANGenerator,
}
BATCHES = (1, 64)
ROUTES = ("memory", "saved_model", "litert")
LARGE = (32, 32, 256)  # the plain convolution: 3x3, 256 to 256 channels


def in_memory(generator, batch: int) -> Callable[[], object]:
    """The Keras model under tf.function."""
    function, z = tf.function(generator), tf.random.normal((batch, setting.LATENT_DIM))
    return lambda: function(z).numpy()


def saved_model(folder: pathlib.Path, batch: int) -> Callable[[], object]:
    """The SavedModel, as `hub.load` returns it."""
    module, z = tf.saved_model.load(str(folder)), tf.random.normal((batch, setting.LATENT_DIM))
    return lambda: module(z).numpy()


def litert(content: bytes, batch: int) -> Callable[[], object]:
    """The LiteRT interpreter on all threads."""
    interpreter = Interpreter(model_content=content, num_threads=setting.machine()["threads"])
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], (batch, setting.LATENT_DIM))
    interpreter.allocate_tensors()
    z = tf.random.normal((batch, setting.LATENT_DIM)).numpy()

    def draw():
        interpreter.set_tensor(given["index"], z)
        interpreter.invoke()
        return interpreter.get_tensor(made["index"])

    return draw


def routes(name: str, generator, folder: pathlib.Path) -> dict[str, Callable[[], object]]:
    """All routes of a generator, at all batch sizes, by name."""
    export_generator(generator, folder / name, (0, 1))
    content = litert_model(generator, (0, 1))
    functions = {}
    for batch in BATCHES:
        functions[f"{name}.memory.{batch}"] = in_memory(generator, batch)
        functions[f"{name}.saved_model.{batch}"] = saved_model(folder / name, batch)
        functions[f"{name}.litert.{batch}"] = litert(content, batch)
    return functions


def large_convolution() -> tuple[Callable[[], object], int]:
    """A convolution as large as the teacher's largest, at batch 64, and its multiply-adds per image."""
    height, width, channels = LARGE
    x, kernel = tf.random.normal((64, *LARGE)), tf.random.normal((3, 3, channels, channels))
    function = tf.function(lambda: tf.nn.conv2d(x, kernel, 1, "SAME"))
    return lambda: function().numpy(), height * width * 9 * channels * channels


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    functions, costs = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in GENERATORS.items():
            with setting.plain_up_convolutions() if name.startswith("plain") else contextlib.nullcontext():
                model = make()
                costs[name] = count_cost(model, (setting.LATENT_DIM,)).executed_mult_adds
                functions |= routes(name, model, pathlib.Path(folder))
    functions["large_convolution.memory.64"], costs["large_convolution"] = large_convolution()
    seconds = setting.interleaved(functions, arguments.rounds)
    speeds = {name: int(name.rpartition(".")[2]) / s for name, s in seconds.items()}
    line = {"benchmark": "sampling", **setting.machine(), **vars(arguments)}
    line |= {f"{name}_images_per_s": setting.compact(speed) for name, speed in speeds.items()}
    for name, cost in costs.items():
        line[f"{name}.gflops"] = setting.compact(2 * cost * speeds[f"{name}.memory.64"] / 1e9)
    for route in ROUTES:
        line[f"dcgan_over_plain.{route}"] = setting.compact(
            speeds[f"dcgan.{route}.64"] / speeds[f"plain_dcgan.{route}.64"]
        )
        line[f"mlp_over_plain_teacher.{route}"] = setting.compact(
            speeds[f"mlp.{route}.64"] / speeds[f"plain_teacher.{route}.64"]
        )
    print(json.dumps(line))


if __name__ == "__main__":
    main()
