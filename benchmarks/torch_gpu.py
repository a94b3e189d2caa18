"""Trains CIFAR-10's teacher and searches the students' recipe on one GPU, in PyTorch: minutes in place of days.

    python benchmarks/torch_gpu.py --images FOLDER/images.npy --features FOLDER --out OUT --seconds 540

It made the weights of the published CIFAR-10 teacher and of its students (rounds `dcgan` and `mlps`), and the tables
by which their recipes were chosen (docs/results.md). This repository's own code scored and exported them.
`torch_convert.py` writes FOLDER and reads OUT. `torch_rounds.py` holds the rounds, `torch_study.py` what a study does.
They need PyTorch and Pillow, and neither TensorFlow nor `akdg_tf`.
"""

import argparse
import pathlib

import torch
from torch_rounds import PUBLISHED, ROUNDS
from torch_scores import DEVICE
from torch_study import Study


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=pathlib.Path, required=True, help="uint8 [n, 32, 32, 3], .npy")
    parser.add_argument("--features", type=pathlib.Path, required=True, help="folder of torch_convert.py")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--teacher_seconds", type=float, default=330)
    parser.add_argument("--teachers", type=pathlib.Path, help="folder of teachers that an earlier call trained")
    parser.add_argument("--rounds", nargs="+", default=["recipes:240", "spectral:120"], help="NAME:SECONDS of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20_000, help="of the students")
    parser.add_argument("--short", action="store_true", help="a few steps of everything")
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    study = Study(arguments)
    teachers = study.load(arguments.teachers) if arguments.teachers else study.teach(arguments.teacher_seconds)
    for each in arguments.rounds:
        name, seconds = each.split(":")
        study.students(name, ROUNDS[name](study, teachers), PUBLISHED.get(name), arguments.steps, float(seconds))
        if DEVICE == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
