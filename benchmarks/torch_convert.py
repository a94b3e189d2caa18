"""Moves weights and images between this repository and `torch_gpu.py`, which needs PyTorch alone.

    python benchmarks/torch_convert.py inputs --data_dir DATA --out FOLDER     # images.npy, feature spaces, the teacher
    python benchmarks/torch_convert.py teacher --weights FOLDER --out RUN      # a run that `init_from` starts from
    python benchmarks/torch_convert.py students --weights FOLDER --out FOLDER  # such a run and its curve per student

The last two commands check that each converted generator draws the same images as the one in PyTorch, and that a ResNet
discriminator gives the same logits. The students' convolutional discriminators pad other borders in PyTorch, so they
are left out: a training that goes on from such a run starts them from scratch.
"""

import argparse
import functools
import json
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import torch
from torch_gan import LATENT_DIM, Recipe

import akdg_tf
from akdg_tf import data
from akdg_tf.artifacts import network
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.models import efficientnet

SHAPE = (32, 32, 3)
LATENTS = np.random.default_rng(0).normal(size=(64, LATENT_DIM)).astype(np.float32)  # of the images that are compared
TEACHER = "cifar10_sngan_teacher"
CLASSIFIERS = {"classifier": "cifar10_classifier", "efficientnet": "imagenet_efficientnet_lite0"}


def write_inputs(data_dir: str, out: pathlib.Path) -> None:
    """Writes the training images, shuffled, the feature spaces (weights, EfficientNet's stages) and the teacher."""
    out.mkdir(parents=True, exist_ok=True)
    images = data.load_dataset("cifar10", data_dir, SHAPE).images.copy()
    np.random.default_rng(0).shuffle(images)
    np.save(out / "images.npy", images)
    for name, entry in CLASSIFIERS.items():
        variables = hub.load(f"zoo/{entry}/saved_model").variables
        values = [variable.numpy() for variable in variables if variable.dtype.is_floating]
        np.savez(out / f"{name}.npz", **{f"{i:03d}": value for i, value in enumerate(values)})
    np.save(out / "stages.npy", efficientnet.STAGES)
    model = network.load_network(f"zoo/{TEACHER}/saved_model")
    module = Recipe("sngan").generator()
    state = to_torch(model.get_weights(), module.state_dict(), 256)
    compare("images of the teacher", model(LATENTS).numpy(), _run(module, state, LATENTS).transpose(0, 2, 3, 1))
    np.savez(out / "teacher_average.npz", **state)


def to_torch(weights: list[np.ndarray], state: dict[str, torch.Tensor], width: int) -> dict[str, np.ndarray]:
    """The weights of one of our generators by PyTorch's names; the inverse of `converted`.

    Args:
        weights: ours.
        state: PyTorch's, of a new network.
        width: channels of the feature map that the first dense layer makes.
    """
    found, ours = {}, iter(weights)
    for i, (name, value) in enumerate(state.items()):
        if name.endswith("num_batches_tracked"):
            found[name] = value.numpy()
            continue
        weight = next(ours)
        if weight.ndim == 4:
            weight = weight.transpose(3, 2, 0, 1)
        elif i < 2:  # of the first dense layer
            weight = np.moveaxis(weight.T.reshape(4, 4, width, -1), 2, 0).reshape(value.shape)
        found[name] = np.ascontiguousarray(weight)
    return found


def converted(state: dict[str, np.ndarray], width: int | None) -> list[np.ndarray]:
    """Weights in the order of our network, which is PyTorch's, except that a layer's bias follows its kernel.

    Args:
        state: PyTorch's weights.
        width: channels of the feature map that the first dense layer makes; None if there is none.
    """
    weights, bias = [], None
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        spectral = "parametrizations" in name
        if spectral and name.endswith("0.u"):
            weights += [bias, value[None]]
        elif value.ndim == 4:
            weights.append(value.transpose(2, 3, 1, 0))
        elif value.ndim == 2:
            if width and not weights:
                value = value.reshape(width, 4, 4, -1).transpose(1, 2, 0, 3).reshape(value.shape)
            weights.append(value.T)
        elif _is_normalized(name, state):
            bias = value  # in PyTorch it precedes its kernel
        elif width and len(weights) == 1:
            weights.append(value.reshape(width, 4, 4).transpose(1, 2, 0).ravel())
        else:
            weights.append(value)
    return weights


def _is_normalized(name: str, state: dict) -> bool:
    """Whether a bias belongs to a spectrally normalized layer."""
    return f"{name.removesuffix('bias')}parametrizations.weight.original" in state


def compare(what: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Prints the largest difference of two outputs.

    Raises:
        SystemExit: it is above 0.1 % of the largest value.
    """
    difference, largest = np.abs(ours - theirs).max(), np.abs(theirs).max()
    print(f"{what}: at most {difference:.1e} apart; the largest value is {largest:.2f}")
    if difference > 1e-3 * largest:
        raise SystemExit(f"{what} differ: the conversion is wrong")


def write_run(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Writes a run with the teacher's generator, its average, its discriminator and its step."""
    recipe = Recipe("sngan", widths=(128,), spectral=True)
    trainer = akdg_tf.GAN(akdg_tf.SNGANGenerator(), akdg_tf.ResNetDiscriminator(), akdg_tf.HingeLoss(), None)
    trainer.compile(keras.optimizers.Adam())
    state = {name: dict(np.load(folder / f"teacher_{name}.npz")) for name in ("generator", "average", "discriminator")}
    pairs = {"generator": trainer.generator, "average": trainer.ema_generator}
    for name, model in pairs.items():
        model.set_weights(converted(state[name], 256))
        images = _run(recipe.generator(), state[name], LATENTS)
        compare(f"images of the {name}", model(LATENTS).numpy(), images.transpose(0, 2, 3, 1))
    discriminator = trainer.adversaries[0].discriminator
    discriminator.set_weights(converted(state["discriminator"], None))
    logits = _run(recipe.discriminator(), state["discriminator"], images)
    compare("logits", discriminator(tf.constant(images.transpose(0, 2, 3, 1))).numpy(), logits)
    found = json.loads((folder / "results.json").read_text())
    step = max(each["step"] for each in found if each["what"] == "teacher")
    _write(trainer, step, out)


def write_students(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Writes a run per student, with its averaged generator, its ResNet discriminators, its step and its curve."""
    arrays = {name: value for path in sorted(folder.glob("students_*.npz")) for name, value in np.load(path).items()}
    results = json.loads((folder / "results.json").read_text())
    for label in dict.fromkeys(name.split("/")[0] for name in arrays):
        network_name, method, _, seed = label.split()
        (found,) = (each for each in results if each["what"] == label)
        recipe = Recipe(**found["recipe"])
        trainer = _student_trainer(network_name, method, recipe.spectral)
        state = _state(arrays, f"{label}/average")
        weights = converted(state, 512 if network_name == "dcgan" else None)
        if network_name == "mlp":  # its last layer makes images with the channels first
            weights[-2:] = [_channels_last(each) for each in weights[-2:]]
        images = _run(recipe.generator(), state, LATENTS)
        for model in (trainer.generator, trainer.ema_generator):
            model.set_weights(weights)
        compare(f"{label}: images", trainer.ema_generator(LATENTS).numpy(), images.transpose(0, 2, 3, 1))
        for i, adversary in enumerate(trainer.adversaries if recipe.spectral else ()):
            state = _state(arrays, f"{label}/discriminator_{i}")
            adversary.discriminator.set_weights(converted(state, None))
            logits = _run(recipe.discriminator(), state, images)
            ours = adversary.discriminator(tf.constant(images.transpose(0, 2, 3, 1))).numpy()
            compare(f"{label}: logits {i}", ours, logits)
        run = out / f"{network_name}_{method}_{seed}"
        _write(trainer, found["step"], run)
        curve = [each for each in results if each["what"] == f"{label}, curve"]
        lines = [{"step": each["step"], **{f"fid[{k}]": v for k, v in each["fid"].items()}} for each in curve]
        (run / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _student_trainer(network_name: str, method: str, spectral: bool) -> GeneratorTrainer:
    """A compiled trainer like that of `gin/cifar10_<network_name>_<method>.gin`; its teacher draws nothing."""
    make = {"dcgan": akdg_tf.DCGANGenerator, "mlp": functools.partial(akdg_tf.MLPGenerator, use_batch_norm=True)}
    generator = make[network_name](LATENT_DIM, SHAPE)
    teacher = akdg_tf.FrozenGenerator(generator, LATENT_DIM, module=generator)
    parts = {"loss": akdg_tf.HingeLoss(), "penalty": None} if spectral else {}

    def critic():
        return akdg_tf.ResNetDiscriminator(64) if spectral else akdg_tf.ConvDiscriminator((64, 128, 256))

    trainers: dict[str, Callable[[], GeneratorTrainer]] = {
        "vanilla": lambda: akdg_tf.GAN(generator, critic(), **parts),
        "mse": lambda: akdg_tf.MSEDistillation(generator, teacher),
        "akdg": lambda: akdg_tf.AKDG(generator, critic(), critic(), teacher, **parts),
    }
    trainer = trainers[method]()
    trainer.compile(keras.optimizers.Adam() if spectral else keras.optimizers.RMSprop())
    return trainer


def _state(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The weights of one network, in float32."""
    found = {name.removeprefix(f"{prefix}/"): value for name, value in arrays.items() if name.startswith(f"{prefix}/")}
    return {name: value.astype(np.float32) if value.dtype == np.float16 else value for name, value in found.items()}


def _channels_last(weight: np.ndarray) -> np.ndarray:
    """A kernel or bias of the layer that makes the image, for channels that come last in place of first."""
    height, width, channels = SHAPE
    return np.moveaxis(weight.reshape(-1, channels, height, width), 1, 3).reshape(weight.shape)


def _write(trainer: GeneratorTrainer, step: int, run: pathlib.Path) -> None:
    """Writes a run with one checkpoint. The moments of its optimizers start from zero."""
    trainer.set_step(step)
    for optimizer in trainer.optimizers:
        optimizer.iterations.assign(step)  # learning rates decay with it
    networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
    run.mkdir(parents=True, exist_ok=True)
    network.write_run(run, networks, "ema_generator", trainer.optimizer_classes)
    Checkpoints(trainer.state, run / "checkpoints").save(step)
    print(f"wrote {run}, step {step:,}")


def _run(module: torch.nn.Module, state: dict[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """The outputs of a PyTorch network with these weights."""
    module.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    with torch.no_grad():
        return module.eval()(torch.tensor(inputs)).numpy()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    inputs = commands.add_parser("inputs", help="write what torch_gpu.py reads")
    inputs.add_argument("--data_dir", required=True)
    teacher = commands.add_parser("teacher", help="make a run of the teacher that torch_gpu.py wrote")
    teacher.add_argument("--weights", type=pathlib.Path, required=True)
    students = commands.add_parser("students", help="make a run of each student that torch_gpu.py wrote")
    students.add_argument("--weights", type=pathlib.Path, required=True)
    for each in (inputs, teacher, students):
        each.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "inputs":
        write_inputs(arguments.data_dir, arguments.out)
    elif arguments.command == "teacher":
        write_run(arguments.weights, arguments.out)
    else:
        write_students(arguments.weights, arguments.out)


if __name__ == "__main__":
    main()
