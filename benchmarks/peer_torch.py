"""Our training step against the same step in plain PyTorch: python benchmarks/peer_torch.py. Prints one JSON line.

Both have the same networks, losses, batch, optimizer, lazy R1 and average of weights. PyTorch uses channels last, the
faster memory format, and torch.autocast for bfloat16. Our steps run in one process, PyTorch's (eager and compiled) in
another. They take turns, with all threads of the machine. The network `sngan` is the teacher of 256 channels, trained
against its discriminator of 128. Requires the extra `peer` (PyTorch for CPUs).
"""

import argparse
import functools
import itertools
import json
import os
from collections.abc import Callable

import setting
import torch
from torch_gan import Recipe, Trainer, stored

METHODS = ("vanilla", "akdg_bank")
DTYPES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # our dtype policy, by the name in the output


RECIPES = {
    "mlp": Recipe("mlp", gamma=setting.PENALTY.gamma, every=setting.PENALTY.every),
    "dcgan": Recipe("dcgan", gamma=setting.PENALTY.gamma, every=setting.PENALTY.every),
    setting.TEACHER: Recipe(setting.TEACHER, widths=(128,), spectral=True, gamma=0.0, rate=2e-4, d_rate=2e-4),
}


def make_peer(network: str, method: str, compiled: bool, bfloat16: bool) -> Callable[[], None]:
    """The steps that one call of our function takes, in PyTorch. Images come from a uint8 tensor in memory."""
    pixels = torch.randint(0, 256, (5000, 3, 32, 32), dtype=torch.uint8).to(memory_format=torch.channels_last)
    draw = stored(pixels, setting.BATCH)
    references = {"vanilla": [draw], "akdg_bank": [draw, draw]}[method]
    trainer = Trainer(RECIPES[network], references, compiled=compiled, bfloat16=bfloat16)

    def steps():
        for step in range(setting.steps_a_call(network)):
            trainer.step(trainer.penalized(step))

    return steps


def theirs(networks: list[str], methods: list[str], dtypes: list[str]) -> dict:
    """The functions of PyTorch, eager and compiled, by name."""
    torch.set_num_threads(os.cpu_count())
    functions = {}
    for (network, method), dtype in itertools.product(setting.combinations(networks, methods), dtypes):
        for peer, compiled in (("torch", False), ("torch_compile", True)):
            name = f"{network}.{method}.{dtype}_{peer}"
            functions[name] = make_peer(network, method, compiled, dtype == "bfloat16")
    return functions


def ours(networks: list[str], methods: list[str], dtypes: list[str]) -> dict:
    """Our functions, by name."""
    functions = {}
    for dtype in dtypes:
        found = setting.training_steps(networks, methods, dtype_policy=DTYPES[dtype])
        functions |= {f"{name}.{dtype}_ours": function for name, function in found.items()}
    return functions


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    networks = [*setting.STUDENTS, setting.TEACHER]
    parser.add_argument("--networks", nargs="+", default=networks, choices=networks)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--dtypes", nargs="+", default=["float32"], choices=DTYPES)
    arguments = parser.parse_args()
    chosen = (arguments.networks, arguments.methods, arguments.dtypes)
    functions = setting.in_process(functools.partial(ours, *chosen))
    functions |= setting.in_process(functools.partial(theirs, *chosen))
    seconds = setting.interleaved(functions, arguments.rounds)
    line = {"benchmark": "peer_torch", **setting.machine(), "torch": torch.__version__, "batch": setting.BATCH}
    line |= vars(arguments)
    line |= setting.ms_a_step(seconds)
    for network, method in setting.combinations(arguments.networks, arguments.methods):
        name = f"{network}.{method}"
        for dtype, peer in itertools.product(arguments.dtypes, ("torch", "torch_compile")):
            ratio = seconds[f"{name}.{dtype}_ours"] / seconds[f"{name}.{dtype}_{peer}"]
            line[f"{name}.{dtype}_ours_over_{peer}"] = setting.compact(ratio)
        if set(arguments.dtypes) == set(DTYPES):
            ratio = seconds[f"{name}.bfloat16_ours"] / seconds[f"{name}.float32_ours"]
            line[f"{name}_bfloat16_over_float32"] = setting.compact(ratio)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
