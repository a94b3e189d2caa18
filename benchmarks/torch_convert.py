"""Moves weights and images between this repository and `torch_gpu.py`, which needs PyTorch alone.

    python benchmarks/torch_convert.py inputs --data_dir DATA --out FOLDER     # images.npy and the two feature spaces
    python benchmarks/torch_convert.py teacher --weights FOLDER --out RUN      # a run that `init_from` starts from

The second command checks that the converted generator draws the same images as the one in PyTorch, and that the
discriminator gives the same logits.
"""

import argparse
import json
import pathlib

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

SHAPE = (32, 32, 3)
CLASSIFIERS = {"classifier": "cifar10_classifier", "efficientnet": "imagenet_efficientnet_lite0"}


def write_inputs(data_dir: str, out: pathlib.Path) -> None:
    """Writes the training images, shuffled, and the weights of both feature spaces."""
    out.mkdir(parents=True, exist_ok=True)
    images = data.load_dataset("cifar10", data_dir, SHAPE).pixels.copy()
    np.random.default_rng(0).shuffle(images)
    np.save(out / "images.npy", images)
    for name, entry in CLASSIFIERS.items():
        variables = hub.load(f"zoo/{entry}/saved_model").variables
        values = [variable.numpy() for variable in variables if variable.dtype.is_floating]
        np.savez(out / f"{name}.npz", **{f"{i:03d}": value for i, value in enumerate(values)})


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
    z = np.random.default_rng(0).normal(size=(64, LATENT_DIM)).astype(np.float32)
    for name, model in pairs.items():
        model.set_weights(converted(state[name], 256))
        images = _run(recipe.generator(), state[name], z)
        compare(f"images of the {name}", model(z).numpy(), images.transpose(0, 2, 3, 1))
    discriminator = trainer.adversaries[0].discriminator
    discriminator.set_weights(converted(state["discriminator"], None))
    logits = _run(recipe.discriminator(), state["discriminator"], images)
    compare("logits", discriminator(tf.constant(images.transpose(0, 2, 3, 1))).numpy(), logits)
    found = json.loads((folder / "results.json").read_text())
    step = max(each["step"] for each in found if each["what"] == "teacher")
    trainer.set_step(step)
    for optimizer in trainer.optimizers:
        optimizer.iterations.assign(step)  # learning rates decay with it; the moments start from zero
    networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
    out.mkdir(parents=True, exist_ok=True)
    network.write_run(out, networks, "ema_generator", trainer.optimizer_classes)
    Checkpoints(trainer.state, out / "checkpoints").save(step)
    print(f"wrote {out}, step {step:,}")


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
    for each in (inputs, teacher):
        each.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "inputs":
        write_inputs(arguments.data_dir, arguments.out)
    else:
        write_run(arguments.weights, arguments.out)


if __name__ == "__main__":
    main()
