"""Kills runs at random moments, and checks that they end as if they had not been: python tests/faults/killed_runs.py.

Each case is a run of `run.py --stage=train` in a process of its own. It is run once to its end. Then it is started
again in another folder, killed (SIGKILL) and restarted, `--kills` times, and at last left alone. Half of the kills come
at a random moment after the process has saved a checkpoint, half at a random moment after its start. Both runs must
have the same last checkpoint and the same metrics.jsonl, bit for bit.

Prints one JSON line per case. Exit code 1: a run differs, or was not killed as often as asked for.
"""

import argparse
import dataclasses
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
IN_TRAINING, AFTER_START = 3.0, 9.0  # seconds up to which a kill waits, after a checkpoint or after the start
TEACHER = "teacher"  # the folder of the teacher of the students
GROWING = """include 'gin/mnist.gin'
include 'gin/pggan.gin'
PGGANGenerator.latent_dim = 8
PGGAN_WIDTHS = (8, 8, 4, 4)
Growth.batch_sizes = (8, 8, 8, 8)
Growth.stable_images = 80
Growth.fade_images = 640
Schedule.batch_size = 8
"""


@dataclasses.dataclass(frozen=True)
class Case:
    """A run that is killed.

    Attributes:
        gin_file: its gin file.
        steps: its last step; it takes long enough to be killed often.
        every: steps from one checkpoint to the next.
        bindings: what else is bound.
    """

    gin_file: str
    steps: int
    every: int
    bindings: tuple[str, ...] = ()

    def command(self, folder: pathlib.Path) -> list[str]:
        """The command that starts it, or goes on, in a folder."""
        own = (f"STEPS={self.steps}", f"Schedule.report_every={self.every}", *self.bindings)
        given = [f"--gin_file={self.gin_file}", *(f"--gin_param={each}" for each in own)]
        return [sys.executable, str(ROOT / "run.py"), *given, "--stage=train", f"--workdir={folder}"]


OF_TEACHER = (f"load_teacher.name='{TEACHER}'",)
CASES = {
    "gan, 5 discriminator steps": Case("gin/toy_ring_teacher.gin", 1000, 20, ("GAN.d_steps=5",)),
    "akdg online": Case("gin/toy_ring_akdg.gin", 1500, 20, OF_TEACHER),
    "akdg from a bank": Case(
        "gin/toy_ring_akdg.gin",
        1500,
        20,
        (*OF_TEACHER, "GeneratorExperiment.teacher_source=@BankedTeacher()", "BankedTeacher.images=100000"),
    ),
    "mse": Case("gin/toy_ring_mse.gin", 3000, 20, OF_TEACHER),
    "akdg, 4 micro-batches": Case("gin/toy_ring_akdg.gin", 800, 20, (*OF_TEACHER, "Schedule.micro_batches=4")),
    "pggan, growing": Case("growing.gin", 400, 5, ("Schedule.steps=%STEPS",)),
}


def killed(case: Case, folder: pathlib.Path, kills: int, chance: random.Random) -> list[dict]:
    """Runs a case in a folder to its end, killed on its way.

    Returns:
        One record per kill: whether it came in training, and the newest checkpoint at that time.
    """
    records: list[dict] = []
    while True:
        if len(records) == kills:
            finish(case, folder)
            return records
        before, in_training = newest(folder), len(records) % 2 == 0
        process = subprocess.Popen(case.command(folder), cwd=folder.parent, stderr=subprocess.DEVNULL)
        while in_training and newest(folder) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, IN_TRAINING if in_training else AFTER_START))
        if process.poll() is not None:  # it has ended before: there is nothing left to kill
            return records
        process.kill()
        process.wait()
        records.append({"in_training": in_training, "checkpoint": newest(folder)})


def newest(folder: pathlib.Path) -> int:
    """The step of the newest checkpoint of a run, 0 if there is none."""
    return max((int(path.stem[5:]) for path in (folder / "checkpoints").glob("ckpt-*.index")), default=0)


def finish(case: Case, folder: pathlib.Path) -> float:
    """Runs a case to its end; returns the seconds that it took."""
    start = time.monotonic()
    done = subprocess.run(case.command(folder), cwd=folder.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the run failed: {done.stderr[-2000:]}")
    return time.monotonic() - start


def differences(case: Case, one: pathlib.Path, other: pathlib.Path) -> list[str]:
    """What differs between two finished runs of a case: variables of the last checkpoint, lines of metrics.jsonl."""
    paths = [str(folder / "checkpoints" / f"ckpt-{case.steps}") for folder in (one, other)]
    names = [name for name, _ in tf.train.list_variables(paths[0]) if "VARIABLE" in name]
    if not names:
        raise RuntimeError(f"{paths[0]} holds no variables")
    unequal = [name for name in names if not np.array_equal(*(tf.train.load_variable(path, name) for path in paths))]
    logs = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (one, other)]
    return unequal + [f"metrics.jsonl: {a} / {b}" for a, b in zip(*logs, strict=True) if a != b]


def prepared(folder: pathlib.Path, teacher: bool) -> None:
    """Writes what the cases need into a folder, and trains their teacher."""
    (folder / "growing.gin").write_text(GROWING)
    if teacher:
        case = Case("gin/toy_ring_teacher.gin", 200, 100, ("GeneratorExperiment.evaluations={}",))
        command = [each for each in case.command(folder / TEACHER) if each != "--stage=train"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600, help="no further case begins after these")
    parser.add_argument("--case", action="append", choices=CASES, help="by default all of them")
    arguments = parser.parse_args()
    wrong, start = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        prepared(folder, teacher=True)
        for number, name in enumerate(arguments.case or CASES):
            if time.monotonic() - start > arguments.seconds:
                print(json.dumps({"case": name, "left_out": "no time is left"}))
                continue
            case, uncut, cut = CASES[name], folder / f"uncut{number}", folder / f"cut{number}"
            seconds = finish(case, uncut)
            kills = killed(case, cut, arguments.kills, random.Random(f"{arguments.seed} {name}"))
            unequal = differences(case, uncut, cut)
            wrong += bool(unequal) or len(kills) < arguments.kills
            record = {"case": name, "steps": case.steps, "seconds_uncut": round(seconds), "kills": kills}
            print(json.dumps({**record, "differences": unequal[:3]}), flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
