"""Searches the recipe of the CIFAR-10 students: python benchmarks/recipe.py mlp --teacher RUN --data_dir DATA.

Trains a student by vanilla and by AKDG, seed 0, with one change of gin/cpu_hours.gin at a time, and prints a table. It
goes on where it was stopped.

The rule, written down before the search: a change is taken if it lowers the geometric mean of the Frechet distances of
both methods over both feature spaces by 2 % or more. So both methods are tuned alike, and nothing is taken that pleases
only one feature space. A change that concerns AKDG alone is compared by AKDG alone.
"""

import argparse
import math
import pathlib

from many_runs import run_all

from akdg_tf.artifacts import result

RUNS = pathlib.Path("runs", "recipe")
METHODS = ("vanilla", "akdg")
STEPS = {"mlp": 5000, "dcgan": 3000}
COMMON = """\
BankedTeacher.images = 20000
ImageScores.samples = 10000
GeneratorExperiment.exports = ()
GeneratorExperiment.curve = {}
Schedule.curve_every = None
"""
DECAY = """\
keras.optimizers.RMSprop.learning_rate = @keras.optimizers.schedules.PolynomialDecay()
PolynomialDecay.initial_learning_rate = 1e-3
PolynomialDecay.end_learning_rate = 0.0
"""
CHANGES = {  # the bindings of each change
    "base": "",
    "gamma_0.1": "R1Penalty.gamma = 0.1\n",  # 2 in the base
    "gamma_10": "R1Penalty.gamma = 10.0\n",
    "narrow": "ConvDiscriminator.widths = (32, 64, 128)\n",  # (64, 128, 256) in the base
    "decay": DECAY,  # of the learning rates, to 0
    "lambda_0.3": "AKDG.distillation_weight = 0.3\n",
    "spectral": "include 'gin/spectral.gin'\n",  # the teacher's kind of discriminator
}


def runs_of(network: str, change: str, arguments: argparse.Namespace) -> dict[pathlib.Path, list[str]]:
    """The arguments of run.py for both methods, by run folder. Writes the bindings of the change."""
    bindings = RUNS / f"{network}-{change}.gin"
    bindings.write_text(f"TEACHER = '{arguments.teacher}'\n{COMMON}{CHANGES[change]}")
    budget = ["--gin_file=gin/cpu_hours.gin", f"--gin_file={bindings}", f"--gin_param=CPU_HOURS_STEPS={STEPS[network]}"]
    data = f"--data_dir={arguments.data_dir}"
    methods = {method: f"--gin_file=gin/cifar10_{network}_{method}.gin" for method in METHODS}
    return {RUNS / f"{network}-{change}-{method}": [file, *budget, data] for method, file in methods.items()}


def distances(workdir: pathlib.Path) -> list[float]:
    """The Frechet distances of a run, over all feature spaces."""
    scores = result.read_run(workdir).network.scores
    return [score.value for name, score in scores.items() if name.startswith("fid")]


def geometric_mean(values: list[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=STEPS)
    parser.add_argument("--teacher", required=True, help="run folder or zoo entry")
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--processes", type=int, help="runs at a time; by default one per processor")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=CHANGES)
    arguments = parser.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    runs = {change: runs_of(arguments.network, change, arguments) for change in arguments.changes}
    run_all({workdir: given for found in runs.values() for workdir, given in found.items()}, arguments.processes)
    print("| change | vanilla | AKDG | geometric mean | AKDG alone |\n|---|---|---|---|---|")
    for change in arguments.changes:
        found = [distances(workdir) for workdir in runs[change]]
        shown = [", ".join(f"{value:.1f}" for value in values) for values in found]
        means = [geometric_mean([*found[0], *found[1]]), geometric_mean(found[1])]
        print(f"| {change} | {' | '.join(shown)} | {' | '.join(f'{mean:.1f}' for mean in means)} |", flush=True)


if __name__ == "__main__":
    main()
