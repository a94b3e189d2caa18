"""The batch-size study, the paper's last experiment: python benchmarks/batch_size.py mnist_mlp cifar10_mlp.

Trains a student by vanilla and by AKDG with batches of 16, 64, 256 and 1,024 images, once for an equal number of images
seen, and once for an equal number of steps. The runs are in runs/batch_size/; finished ones are not repeated. Then
`akdg report batch_size` makes the table and the pictures.
"""

import argparse
import dataclasses
import pathlib

from many_runs import run_all

RUNS = pathlib.Path("runs", "batch_size")
METHODS = ("vanilla", "akdg")
BATCHES = (16, 64, 256, 1024)
BANK = ("--gin_param=BankedTeacher.images=20000", "--gin_param=GeneratorExperiment.teacher_source=@BankedTeacher()")


@dataclasses.dataclass(frozen=True)
class Student:
    """A student of the study.

    Attributes:
        arguments: of run.py, beside the method's own gin file.
        images: images seen by the runs of equal images.
        steps: steps of the runs of equal steps.
        seeds: of each setting.
    """

    arguments: tuple[str, ...]
    images: int
    steps: int
    seeds: tuple[int, ...]


# Under gin/cpu_hours.gin: narrow discriminators, no scores during the training, and fewer images for those after it.
SHORTER = (
    "--gin_param=ConvDiscriminator.widths=(32, 64, 128)",
    *("--gin_param=GeneratorExperiment.curve={}", "--gin_param=Schedule.curve_every=None"),
    *("--gin_param=ImageScores.samples=5000", "--gin_param=imagenet/ImageScores.samples=5000"),
)
STUDENTS = {
    "mnist_mlp": Student((), images=128_000, steps=500, seeds=(0, 1, 2)),
    "cifar10_mlp": Student(("--gin_file=gin/cpu_hours.gin", *SHORTER), images=128_000, steps=500, seeds=(0,)),
}


def arguments_of(
    student: str, method: str, batch: int, steps: int, seed: int, bank: tuple[str, ...] = BANK
) -> list[str]:
    """The arguments of run.py for one run; those of `bank` say where AKDG's teacher images come from."""
    bank = bank if method == "akdg" else ()
    size = {"batch_size": batch, "steps": steps, "report_every": 125}  # the steps of all runs are multiples of 125
    bound = [f"--gin_param=Schedule.{name}={value}" for name, value in size.items()]
    exports = "--gin_param=GeneratorExperiment.exports=()"
    of = STUDENTS[student].arguments
    return [f"--gin_file=gin/{student}_{method}.gin", *of, *bank, exports, *bound, f"--seed={seed}"]


def folder(student: str, method: str, batch: int, steps: int, seed: int) -> pathlib.Path:
    """The run folder."""
    return RUNS / f"{student}_{method}-b{batch}-{steps}-seed{seed}"


def data_of(student: str, data_dir: str | None) -> list[str]:
    """The argument that names the data, where the student reads files."""
    return [f"--data_dir={data_dir}"] if data_dir and student.startswith("cifar10") else []


def settings(student: str) -> list[tuple[str, str, int, int, int]]:
    """Student, method, batch, steps and seed of each run: those of equal images, then those of equal steps."""
    of = STUDENTS[student]
    sizes = [(batch, of.images // batch) for batch in BATCHES] + [(batch, of.steps) for batch in BATCHES]
    return [(student, method, *size, seed) for size in dict.fromkeys(sizes) for seed in of.seeds for method in METHODS]


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("students", nargs="+", choices=STUDENTS)
    parser.add_argument("--data_dir", help="folder with CIFAR-10; keras.datasets downloads it otherwise")
    parser.add_argument("--processes", type=int, help="runs at a time; by default one per processor")
    arguments = parser.parse_args()
    for student in arguments.students:
        data = data_of(student, arguments.data_dir)
        found = {folder(*setting): [*arguments_of(*setting), *data] for setting in settings(student)}
        run_all(found, arguments.processes)


if __name__ == "__main__":
    main()
