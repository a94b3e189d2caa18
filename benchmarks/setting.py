"""Shared by the benchmarks: the paper's CIFAR-10 networks (random weights, random images), and interleaved timing."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import contextlib
import functools
import itertools
import multiprocessing
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import akdg_tf
from akdg_tf import data
from akdg_tf.data.images import ImageArrays
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.models import generators
from akdg_tf.models.layers import UpsampleConv2D, upsample
from akdg_tf.teachers.bank import TeacherBank, make_bank
from akdg_tf.training.devices import make_strategy, processor

BATCH, LATENT_DIM, SAMPLE_SHAPE = 64, 128, (32, 32, 3)
BANK_IMAGES = 1000  # the time per draw does not depend on it
PENALTY = akdg_tf.R1Penalty(gamma=20.0, every=8)  # lazy: only every 8th step computes it, so 8 steps are timed
STUDENTS = {"mlp": akdg_tf.MLPGenerator, "dcgan": akdg_tf.DCGANGenerator}  # by default the paper's networks
TEACHER = "sngan"  # the teacher itself; it is trained by the vanilla method alone
METHODS = ("vanilla", "akdg_online", "akdg_bank", "mse_online", "mse_bank")


class PlainUpsampleConv2D(UpsampleConv2D):
    """The layer in its plain form: upsampling, then the 3x3 convolution."""

    def call(self, inputs):
        return self.conv(upsample(inputs))


def plain_up_convolutions():
    """A context in which generators, and their copies, are made with plain up-convolutions instead of fused ones."""
    return mock.patch.object(generators, "UpsampleConv2D", PlainUpsampleConv2D)


def make_teacher() -> akdg_tf.FrozenGenerator:
    """The teacher: SNGAN with 256 channels."""
    model = akdg_tf.SNGANGenerator()
    return akdg_tf.FrozenGenerator(model, LATENT_DIM, module=model)


def make_trainer(student: str, method: str, teacher: akdg_tf.FrozenGenerator, bank: TeacherBank) -> GeneratorTrainer:
    """A trainer, not yet compiled. Only its lazy penalty differs from `gin/cifar10_<student>_<method>.gin`."""
    source = bank if method.endswith("bank") else teacher
    critics = [akdg_tf.ConvDiscriminator((64, 128, 256)) for _ in range(2)]
    generator = STUDENTS[student](LATENT_DIM, SAMPLE_SHAPE)
    if method == "vanilla":
        return akdg_tf.GAN(generator, critics[0], penalty=PENALTY)
    if method.startswith("akdg"):
        return akdg_tf.AKDG(generator, *critics, source, penalty=PENALTY)
    return akdg_tf.MSEDistillation(generator, source)


def make_teacher_trainer() -> GeneratorTrainer:
    """The trainer of the teacher, with one discriminator step per generator step; not yet compiled."""
    return akdg_tf.GAN(akdg_tf.SNGANGenerator(), akdg_tf.ResNetDiscriminator(), loss=akdg_tf.HingeLoss(), penalty=None)


def combinations(networks: list[str], methods: list[str]) -> list[tuple[str, str]]:
    """The pairs of a network and a method that can be trained."""
    pairs = itertools.product(networks, methods)
    return [(network, method) for network, method in pairs if network != TEACHER or method == "vanilla"]


def steps_a_call(network: str) -> int:
    """Steps per call of a function: those of the lazy penalty, one for the teacher, which has no penalty."""
    return 1 if network == TEACHER else PENALTY.every


def training_steps(
    networks: list[str],
    methods: list[str],
    count: int | None = None,
    dtype_policy: str = "float32",
    jit_compile: bool = False,
    steps_per_execution: int = 1,
) -> dict[str, Callable[[], object]]:
    """Functions that train each network by each method, by name, such as "mlp.vanilla".

    Args:
        networks: of `STUDENTS`, or `TEACHER`.
        methods: of `METHODS`.
        count: steps per call; by default `steps_a_call`.
        dtype_policy: of the trained networks.
        jit_compile: see `GeneratorTrainer.compile`.
        steps_per_execution: see `GeneratorTrainer.compile`.
    """
    strategy = make_strategy("cpu")
    with strategy.scope():
        teacher = make_teacher()
    with tempfile.TemporaryDirectory() as folder:
        bank = make_bank(teacher, BANK_IMAGES, 0, pathlib.Path(folder))
    keras.config.set_dtype_policy(dtype_policy)
    functions = {}
    for network, method in combinations(networks, methods):
        with strategy.scope():
            if network == TEACHER:
                trainer, optimizer = make_teacher_trainer(), keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
            else:
                trainer = make_trainer(network, method, teacher, bank)
                optimizer = keras.optimizers.RMSprop(1e-4, rho=0.99, epsilon=1e-16)
            trainer.compile(optimizer, steps_per_execution=steps_per_execution, jit_compile=jit_compile)
        functions[f"{network}.{method}"] = steps_of(trainer, count or steps_a_call(network))
    return functions


def steps_of(trainer: GeneratorTrainer, count: int) -> Callable[[], object]:
    """A function that runs `count` steps like `fit`, including the input pipeline."""
    iterator = iter(trainer.distribute_strategy.experimental_distribute_dataset(batches()))
    trainer.make_train_function()

    def steps():
        for _ in range(count // trainer.steps_per_execution):
            logs = trainer.train_function(iterator)
        return logs

    return steps


def batches() -> tf.data.Dataset:
    """The pipeline that feeds the training: random images."""
    images = random_images()
    return data.by_step(lambda step: images.batch(step, BATCH, seed=0), 0, 10**6)


def random_images() -> ImageArrays:
    """5,000 random images."""
    pixels = np.random.default_rng(0).integers(0, 256, (5000, *SAMPLE_SHAPE), np.uint8)
    return ImageArrays("random", "random", pixels, np.zeros(len(pixels), np.int64))


def interleaved(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds per call of each function. After one call to warm up, each round calls every function once."""
    seconds = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def in_process(build: Callable[[], dict[str, Callable[[], object]]]) -> dict[str, Callable[[], object]]:
    """The functions that `build` makes, run in another process, so that two libraries do not share thread pools."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=_serve, args=(theirs, build), daemon=True).start()

    def call(name):
        ours.send(name)
        ours.recv()

    return {name: functools.partial(call, name) for name in ours.recv()}


def _serve(connection, build) -> None:
    functions = build()
    connection.send(list(functions))
    with contextlib.suppress(EOFError):  # the calling process has ended
        while True:
            functions[connection.recv()]()
            connection.send(None)


def machine() -> dict[str, object]:
    """Describes the machine and the library versions."""
    return {
        "cpu": processor(),
        "threads": os.cpu_count(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def ms_a_step(seconds: dict[str, float]) -> dict[str, float]:
    """Milliseconds per step, by the function's name with "_ms". The name begins with that of the network."""
    return {f"{name}_ms": compact(s * 1e3 / steps_a_call(name.partition(".")[0])) for name, s in seconds.items()}


def compact(value: float) -> float:
    """Rounds to four significant digits."""
    return float(f"{value:.4g}")
