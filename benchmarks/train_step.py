"""Time per training step, on CIFAR-10 shapes at batch 64: python benchmarks/train_step.py. Prints one JSON line.

It measures vanilla, AKDG and MSE, with the teacher online and in a bank, for the MLP and the DCGAN student, and the
input pipeline without training. All are interleaved in one process. A round is 8 steps, one of which computes the lazy
R1 penalty. A time is the median over the rounds, divided by 8.
"""

import argparse
import itertools
import json

import setting

RATIOS = {
    "akdg_bank_over_vanilla": ("akdg_bank", "vanilla"),
    "akdg_online_over_bank": ("akdg_online", "akdg_bank"),
    "mse_online_over_bank": ("mse_online", "mse_bank"),
}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--students", nargs="+", default=list(setting.STUDENTS), choices=setting.STUDENTS)
    parser.add_argument("--methods", nargs="+", default=setting.METHODS, choices=setting.METHODS)
    parser.add_argument("--dtype_policy", default="float32")
    parser.add_argument("--jit_compile", action="store_true")
    parser.add_argument("--steps_per_execution", type=int, default=1, choices=(1, 2, 4, 8))
    arguments = parser.parse_args()
    functions = setting.training_steps(
        arguments.students,
        arguments.methods,
        dtype_policy=arguments.dtype_policy,
        jit_compile=arguments.jit_compile,
        steps_per_execution=arguments.steps_per_execution,
    )
    iterator = iter(setting.batches())
    functions["input_pipeline"] = lambda: [next(iterator) for _ in range(setting.PENALTY.every)]
    seconds = setting.interleaved(functions, arguments.rounds)
    line = {"benchmark": "train_step", **setting.machine(), "batch": setting.BATCH, **vars(arguments)}
    line |= setting.ms_a_step(seconds)
    for student, (name, (a, b)) in itertools.product(arguments.students, RATIOS.items()):
        if {a, b} <= set(arguments.methods):
            line[f"{student}.{name}"] = setting.compact(seconds[f"{student}.{a}"] / seconds[f"{student}.{b}"])
    print(json.dumps(line))


if __name__ == "__main__":
    main()
