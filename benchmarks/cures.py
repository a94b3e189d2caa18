"""Cures for AKDG with small batches: python benchmarks/cures.py mnist_mlp cifar10_mlp --data_dir DATA.

Trains a student by AKDG with one cure at a time, with batches of 16 and 64 images, and without a cure with those and
with 1,024, all for an equal number of images seen. Prints a Markdown table of the Frechet distances and the recall over
three seeds, and draws samples of seed 0 into runs/report/. The runs without a cure are those of
benchmarks/batch_size.py. Finished runs are not repeated.
"""

import argparse
import pathlib
import statistics

import batch_size
import numpy as np
from many_runs import run_all

from akdg_tf.artifacts import result
from akdg_tf.reporting import pictures
from akdg_tf.teachers.load import load_teacher

RUNS = pathlib.Path("runs", "cures")
SEEDS = (0, 1, 2)
SMALL, LARGE = (16, 64), 1024
ANNEALED = ["AKDG.distillation_weight=@lambda/PolynomialDecay()", "lambda/PolynomialDecay.initial_learning_rate=1.0"]
Runs = dict[tuple[str | None, int], dict[pathlib.Path, list[str]]]  # arguments of run.py, by cure and batch, by folder
SELECTED = "selected"  # it has a bank of its own
CURES = {  # bindings of each; a number of steps follows "="
    "diffaugment": ["AKDG.augmentation=@DiffAugment()"],
    "annealed": [*ANNEALED, "lambda/PolynomialDecay.end_learning_rate=0.0", "lambda/PolynomialDecay.decay_steps="],
    "best_of_4": ["AKDG.teacher_candidates=4"],
    SELECTED: [
        "GeneratorExperiment.teacher_source=@SelectedBank()",
        "SelectedBank.images=25000",
        "SelectedBank.ranking=@DensityRanking()",
        "DensityRanking.classifier=@selection/load_classifier",
        "selection/load_classifier.name='imagenet_efficientnet_lite0'",
    ],
}


def runs_of(student: str, cure: str | None, batch: int) -> dict[pathlib.Path, list[str]]:
    """The arguments of run.py for each seed, by run folder; without a cure those of the batch-size study."""
    steps = batch_size.STUDENTS[student].images // batch
    bound = [f"--gin_param={each}{steps if each.endswith('=') else ''}" for each in CURES[cure]] if cure else []
    found = {}
    for seed in SEEDS:
        setting = (student, "akdg", batch, steps, seed)
        workdir = RUNS / f"{student}-{cure}-b{batch}-seed{seed}" if cure else batch_size.folder(*setting)
        bank = () if cure == SELECTED else batch_size.BANK
        found[workdir] = [*batch_size.arguments_of(*setting, bank), *bound]
    return found


def scores_of(workdirs: list[pathlib.Path]) -> str:
    """Mean and sample standard deviation over the seeds of each Frechet distance; mean of the first recall."""
    scores = [result.read_run(workdir).network.scores for workdir in workdirs]
    values = {name: [one[name].value for one in scores] for name in scores[0]}
    fids = [f"{statistics.mean(v):.1f} ± {statistics.stdev(v):.1f}" for name, v in values.items() if name[:3] == "fid"]
    recall = next(statistics.mean(v) for name, v in values.items() if name.startswith("recall"))
    return f"{', '.join(fids)}; recall {recall:.2f}"


def picture(runs: Runs) -> np.ndarray:
    """Samples of the first seed with each small batch, without a cure and with each."""
    panels = {}
    for cure, batch in sorted((setting for setting in runs if setting[1] in SMALL), key=lambda setting: setting[1]):
        first = next(iter(runs[cure, batch]))
        panels[f"{cure or 'none'}, batch {batch}"] = load_teacher(str(first)).samples(64, 0)
    return pictures.side_by_side(panels, columns=len(panels) // len(SMALL))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("students", nargs="+", choices=batch_size.STUDENTS)
    parser.add_argument("--data_dir", help="folder with CIFAR-10; keras.datasets downloads it otherwise")
    parser.add_argument("--processes", type=int, help="runs at a time; by default one per processor")
    arguments = parser.parse_args()
    settings = [(None, batch) for batch in (*SMALL, LARGE)] + [(cure, batch) for batch in SMALL for cure in CURES]
    for student in arguments.students:
        data = batch_size.data_of(student, arguments.data_dir)
        runs = {setting: runs_of(student, *setting) for setting in settings}
        everything = {workdir: [*given, *data] for found in runs.values() for workdir, given in found.items()}
        run_all(everything, arguments.processes)
        report = RUNS.parent / "report"
        report.mkdir(parents=True, exist_ok=True)
        pictures.save_png(picture(runs), report / f"cures_{student}.png")
        heads = " | ".join(f"batch {batch:,}" for batch in (*SMALL, LARGE))
        print(f"\n{student}:\n\n| cure | {heads} |\n|---|---|---|---|")
        for cure in (None, *CURES):
            cells = [scores_of(list(runs[cure, b])) if (cure, b) in runs else "" for b in (*SMALL, LARGE)]
            print(f"| {cure or 'none'} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
