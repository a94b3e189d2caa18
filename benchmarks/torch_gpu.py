"""Trains CIFAR-10's teacher and searches the students' recipe on one GPU, in PyTorch: minutes in place of days.

    python benchmarks/torch_gpu.py --images FOLDER/images.npy --features FOLDER --out OUT --seconds 540

It made the weights of the published CIFAR-10 teacher and of its students (rounds `dcgan` and `mlps`), and the tables
by which their recipes were chosen (docs/results.md). This repository's own code scored and exported them.
`torch_convert.py` writes FOLDER and reads OUT. It needs PyTorch and Pillow.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch_gan import LATENT_DIM, Imitator, Recipe, Trainer, paired, stored
from torch_scores import CHUNK, DEVICE, Features, Scorer

SAMPLES = 10_000  # real and generated images per score
CURVE_SAMPLES = 5_000  # per score during the training
SCORING = 3.0  # seconds that a score may take
FILE_BYTES = 15_000_000  # of weights in one file at most


class Graphs:
    """A trainer's step as CUDA graphs, with and without R1, on a stream of its own. On a CPU it calls the step."""

    def __init__(self, trainer: Trainer):
        self.trainer, self.graphs, self.count = trainer, {}, 0
        if DEVICE == "cpu":
            return
        self.stream = torch.cuda.Stream()
        with torch.cuda.stream(self.stream):
            for penalized in {trainer.penalized(0), trainer.penalized(1)}:
                for _ in range(3):
                    trainer.step(penalized)
                torch.cuda.synchronize()
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=self.stream):
                    trainer.step(penalized)
                self.graphs[penalized] = graph
        torch.cuda.synchronize()

    def step(self) -> None:
        """Takes one step."""
        penalized = self.trainer.penalized(self.count)
        self.count += 1
        if DEVICE == "cpu":
            return self.trainer.step(penalized)
        with torch.cuda.stream(self.stream):
            self.graphs[penalized].replay()


def synchronize() -> None:
    """Waits for the GPU."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def decay(trainer: Trainer, share: float) -> None:
    """Sets the learning rates at a share of the training, if they fall linearly to 0."""
    if not trainer.recipe.decay:
        return
    rates = (trainer.recipe.rate, *[trainer.recipe.d_rate] * len(trainer.d_optimizers))
    for optimizer, rate in zip((trainer.optimizer, *trainer.d_optimizers), rates, strict=True):
        value = rate * (1 - share)
        for group in optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(value)
            else:
                group["lr"] = value


@dataclasses.dataclass(frozen=True)
class Run:
    """One student.

    Attributes:
        recipe: how it is trained.
        pixels: the images of each discriminator's references, uint8 [n, 3, 32, 32]; for MSE the teacher's alone.
        flip_teacher: whether the teacher's images are mirrored at random, as the real ones always are.
        latents: of the teacher's images; given, the student imitates them (MSE).
        seed: of the first weights; None goes on with the study's.
    """

    recipe: Recipe
    pixels: list[torch.Tensor]
    flip_teacher: bool = False
    latents: torch.Tensor | None = None
    seed: int | None = None

    def trainer(self, real: torch.Tensor) -> Trainer:
        """The trainer, with new networks."""
        if self.seed is not None:
            torch.manual_seed(self.seed)
        if self.latents is not None:
            return Imitator(self.recipe, paired(self.latents, *self.pixels, self.recipe.batch), device=DEVICE)
        flips = [each is real or self.flip_teacher for each in self.pixels]
        draws = [stored(each, self.recipe.batch, flip) for each, flip in zip(self.pixels, flips, strict=True)]
        return Trainer(self.recipe, draws, device=DEVICE)


class Study:
    """The trainings, what they found, and the time that is left."""

    def __init__(self, arguments: argparse.Namespace):
        self.end = time.monotonic() + arguments.seconds
        self.out, self.short = arguments.out, arguments.short
        self.results: list[dict] = []
        images = np.load(arguments.images)
        self.real = torch.tensor(images, device=DEVICE).permute(0, 3, 1, 2)  # channels last in memory
        features = Features(arguments.features)
        self.scorer = Scorer(features, self.real, 600 if arguments.short else SAMPLES)
        self.curve_scorer = Scorer(features, self.real, 600 if arguments.short else CURVE_SAMPLES)
        self.log("real images and features are ready")

    def left(self) -> float:
        """Seconds that are left."""
        return self.end - time.monotonic()

    def log(self, *words) -> None:
        """Prints a line with the time that is left."""
        print(f"[{self.left():6.1f} s left]", *words, flush=True)

    def note(self, **values) -> None:
        """Keeps and prints a result."""
        self.results.append(values)
        self.log(json.dumps(values))
        (self.out / "results.json").write_text(json.dumps(self.results, indent=1))

    def teach(self, seconds: float) -> list[nn.Module]:
        """Trains the teacher for some time, and returns it at three qualities, the best last."""
        recipe = Recipe("sngan", 64, (128,), spectral=True, gamma=0.0, rate=2e-4, d_rate=4e-4, decay=True)
        trainer = Trainer(recipe, [stored(self.real, 64, flip=True)], device=DEVICE, bfloat16=DEVICE == "cuda")
        graphs, stop = Graphs(trainer), time.monotonic() + seconds
        probe, start = (3 if self.short else 300), time.monotonic()
        for _ in range(probe):
            graphs.step()
        synchronize()
        seconds_per_step = (time.monotonic() - start) / probe
        scoring = 12 * (1 if self.short else 4)
        steps = max(10, int((stop - time.monotonic() - scoring) / seconds_per_step) // 100 * 100)
        steps = 12 if self.short else steps
        self.log(f"teacher: {1e3 * seconds_per_step:.2f} ms per step, {steps} steps")
        scored = {int(steps * share) for share in (0.04, 0.08, 0.12, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1.0)}
        kept: dict[float, dict] = {}
        for step in range(1, steps + 1):
            if step % 100 == 0:
                decay(trainer, step / steps)
                synchronize()
            graphs.step()
            if step in scored:
                synchronize()
                found = self.scorer(trainer.average)
                self.note(what="teacher", step=step + probe, fid=found, logits=self.logits(trainer))
                for bound in (85.0, 55.0):
                    if bound not in kept and found["cifar10-classifier"] < bound:
                        kept[bound] = {k: v.clone() for k, v in trainer.average.state_dict().items()}
        self.save("teacher_average", trainer.average.state_dict())
        self.save("teacher_generator", trainer.generator.state_dict())
        self.save("teacher_discriminator", trainer.discriminators[0].state_dict())
        teachers = []
        for bound, state in kept.items():
            self.save(
                f"teacher_below_{bound:.0f}", {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
            )
            teachers.append(recipe.generator().to(DEVICE, memory_format=torch.channels_last).eval())
            teachers[-1].load_state_dict(state)
        self.picture("teacher", [trainer.average])
        return [*teachers, trainer.average]

    def load(self, folder: pathlib.Path) -> list[nn.Module]:
        """The teachers of an earlier call, the best last."""
        bounds = sorted((int(path.stem.split("_")[-1]) for path in folder.glob("teacher_below_*.npz")), reverse=True)
        paths = [*(folder / f"teacher_below_{bound}.npz" for bound in bounds), folder / "teacher_average.npz"]
        teachers = []
        for path in paths:
            teachers.append(Recipe("sngan").generator().to(DEVICE, memory_format=torch.channels_last).eval())
            teachers[-1].load_state_dict({key: torch.tensor(value) for key, value in np.load(path).items()})
            self.note(what=path.stem, fid=self.scorer(teachers[-1]))
        return teachers

    def logits(self, trainer: Trainer) -> list:
        """The mean logits of the last batch: references and generated images, per discriminator."""
        return [[round(each.item(), 3) for each in pair] for pair in trainer.logits]

    def save(self, name: str, state: dict) -> None:
        """Saves weights."""
        np.savez(self.out / f"{name}.npz", **{key: value.cpu().numpy() for key, value in state.items()})

    def bank(self, teacher: nn.Module, images: int) -> torch.Tensor:
        """Images of a teacher, uint8 [n, 3, 32, 32]."""
        return self.pairs(teacher, images)[1]

    @torch.no_grad()
    def pairs(self, teacher: nn.Module, images: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents, float32 [n, latent_dim], and a teacher's images of them, uint8 [n, 3, 32, 32]."""
        latents = torch.randn(1000 if self.short else images, LATENT_DIM, device=DEVICE)
        found = []
        for part in latents.split(CHUNK):
            with torch.autocast(DEVICE, torch.bfloat16):
                made = teacher(part).float()
            found.append(((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
        return latents, torch.cat(found).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def picture(self, name: str, generators: list[nn.Module]) -> None:
        """Draws 8 rows of 16 images per generator, side by side."""
        from PIL import Image

        columns = []
        for generator in generators:
            made = generator(self.scorer.latents[:128]).float().cpu().clamp(-1, 1)
            grid = made.reshape(8, 16, 3, 32, 32).permute(0, 3, 1, 4, 2).reshape(256, 512, 3)
            columns.append(((grid + 1) * 127.5).byte().numpy())
        Image.fromarray(np.concatenate(columns)).save(self.out / f"{name}.png")

    def students(self, name: str, runs: dict[str, Run], steps: int, seconds: float) -> None:
        """Trains students side by side, scores them and draws their samples.

        Args:
            name: of the picture.
            runs: by name.
            steps: steps of each; a published round has its own.
            seconds: time for all of it. If it does not suffice, there are fewer steps.
        """
        published = PUBLISHED.get(name)
        steps = 8 if self.short else published.steps if published else steps
        last = steps - (published.left_out if published and not self.short else 0)
        curve = published.curve if published else ()
        trainers = {label: Graphs(run.trainer(self.real)) for label, run in runs.items()}
        self.log(f"{name}: {len(runs)} students")
        start, step = time.monotonic(), 0
        while step < last:
            step += 1
            if step % 100 == 0:
                for each in trainers.values():
                    decay(each.trainer, step / steps)
                synchronize()
                if step == 500:
                    seconds_per_step = (time.monotonic() - start) / step
                    left = min(seconds - (time.monotonic() - start), self.left()) - SCORING * len(runs)
                    affordable = 500 + int(left / seconds_per_step) // 100 * 100
                    steps, last = min(steps, affordable), min(last, affordable)
                    self.log(f"{name}: {1e3 * seconds_per_step:.2f} ms per step of all, {steps} steps")
            for each in trainers.values():
                each.step()
            if step in curve:
                synchronize()
                for label, each in trainers.items():
                    self.note(what=f"{label}, curve", step=step, fid=self.curve_scorer(each.trainer.average))
        synchronize()
        found = {label: each.trainer for label, each in trainers.items()}
        if published:
            self.save_students(found)
        for label, each in found.items():
            recipe = dataclasses.asdict(each.recipe)
            self.note(what=label, step=step, fid=self.scorer(each.average), logits=self.logits(each), recipe=recipe)
        self.picture(name, [each.average for each in found.values()])

    def save_students(self, trainers: dict[str, Trainer]) -> None:
        """Saves averages and discriminators in float16.

        The files are small enough to be copied one by one; a name in them is "<student>/<network>/<variable>".
        """
        files: list[dict[str, np.ndarray]] = [{}]
        size = 0
        for label, trainer in trainers.items():
            arrays = {}
            networks = {"average": trainer.average}
            networks |= {f"discriminator_{i}": each for i, each in enumerate(trainer.discriminators)}
            for part, network in networks.items():
                for key, value in network.state_dict().items():
                    arrays[f"{label}/{part}/{key}"] = value.half() if value.is_floating_point() else value
            bytes_ = sum(value.nbytes for value in arrays.values())
            if size + bytes_ > FILE_BYTES:
                files.append({})
                size = 0
            files[-1] |= {key: value.cpu().numpy() for key, value in arrays.items()}
            size += bytes_
        for i, each in enumerate(files):
            np.savez(self.out / f"students_{i}.npz", **each)


BASE = Recipe("dcgan", 32, (32, 64, 128), gamma=2.0, rate=1e-3, d_rate=1e-3, use_batch_norm=True)
SPECTRAL_CHANGES = {"spectral": True, "widths": (64,), "gamma": 0.0, "rate": 2e-4, "d_rate": 4e-4, "decay": True}
SPECTRAL = dataclasses.replace(BASE, **SPECTRAL_CHANGES)


def recipes(study: Study, teachers: list[nn.Module]) -> dict:
    """The first search, of the DCGAN's discriminator."""
    real, bank = study.real, study.bank(teachers[-1], 50_000)
    changes = {
        "base": BASE,
        "gamma 0.1": dataclasses.replace(BASE, gamma=0.1),
        "wide": dataclasses.replace(BASE, widths=(64, 128, 256)),
        "spectral": SPECTRAL,
    }
    runs = {}
    for name, recipe in changes.items():
        runs |= {f"dcgan {name} vanilla": Run(recipe, [real]), f"dcgan {name} akdg": Run(recipe, [real, bank])}
    return runs


def spectral(study: Study, teachers: list[nn.Module]) -> dict:
    """The MLP against strong discriminators, and the DCGAN with other weights of the two terms."""
    real, bank = study.real, study.bank(teachers[-1], 50_000)
    mlp = dataclasses.replace(SPECTRAL, network="mlp")
    return {
        "mlp spectral vanilla": Run(mlp, [real]),
        "mlp spectral akdg": Run(mlp, [real, bank]),
        "dcgan spectral, lambda 0.3 akdg": Run(dataclasses.replace(SPECTRAL, weights=(1.0, 0.3)), [real, bank]),
        "dcgan spectral, D_KD alone": Run(SPECTRAL, [bank]),
        "mlp spectral, rates x2.5 akdg": Run(dataclasses.replace(mlp, rate=5e-4, d_rate=1e-3), [real, bank]),
    }


def by_teacher(study: Study, teachers: list[nn.Module]) -> dict:
    """Every teacher with two weights of its term, beside vanilla; and a bank that is a quarter of the others."""
    runs = {"vanilla": Run(SPECTRAL, [study.real])}
    for i, teacher in enumerate(teachers):
        bank = study.bank(teacher, 200_000)
        for weight in (1.0, 0.3):
            recipe = dataclasses.replace(SPECTRAL, weights=(1.0, weight))
            runs[f"akdg, teacher {i}, lambda {weight}"] = Run(recipe, [study.real, bank])
    runs["akdg, bank of 50,000"] = (SPECTRAL, [study.real, bank[:50_000]])
    return runs


def mlps(study: Study, teachers: list[nn.Module]) -> dict:
    """The search of the MLP's recipe."""
    real, bank = study.real, study.bank(teachers[-1], 200_000)
    base = dataclasses.replace(BASE, network="mlp")
    changes = {
        "base": {},
        "gamma 0.1": {"gamma": 0.1},
        "gamma 10": {"gamma": 10.0},
        "wide": {"widths": (64, 128, 256)},
        "twice as wide": {"widths": (128, 256, 512)},
        "decay": {"decay": True},
        "rates of 3e-4": {"rate": 3e-4, "d_rate": 3e-4},
        "spectral with R1": {**SPECTRAL_CHANGES, "gamma": 2.0},
    }
    runs = {}
    for name, change in changes.items():
        recipe = dataclasses.replace(base, **change)
        runs |= {f"mlp {name} vanilla": Run(recipe, [real]), f"mlp {name} akdg": Run(recipe, [real, bank])}
    runs["mlp lambda 0.3 akdg"] = Run(dataclasses.replace(base, weights=(1.0, 0.3)), [real, bank])
    return runs


def seeds(study: Study, teachers: list[nn.Module]) -> dict:
    """Vanilla and AKDG with both sizes of the bank, twice more, from other first weights."""
    real, bank = study.real, study.bank(teachers[-1], 200_000)
    images = {"vanilla": [real], "akdg": [real, bank], "akdg, bank of 50,000": [real, bank[:50_000]]}
    return {f"{name}, again {i}": Run(SPECTRAL, pixels) for i in (1, 2) for name, pixels in images.items()}


@dataclasses.dataclass(frozen=True)
class Published:
    """A round whose students are published.

    Attributes:
        steps: of the whole training, over which learning rates fall.
        curve: steps after which the students are scored.
        left_out: the last steps, which `run.py` takes.
    """

    steps: int
    curve: tuple[int, ...]
    left_out: int = 100


PUBLISHED = {
    "dcgan": Published(20_000, (2_500, 5_000, 10_000, 15_000)),
    "mlps": Published(50_000, (5_000, 10_000, 20_000, 35_000)),
}


def by_method(study: Study, teachers: list[nn.Module], recipe: Recipe) -> dict[str, Run]:
    """A student by each method, with three seeds."""
    real, (latents, bank) = study.real, study.pairs(teachers[-1], 200_000)
    methods = {
        "vanilla": Run(recipe, [real]),
        "mse": Run(recipe, [bank], latents=latents),
        "akdg": Run(recipe, [real, bank], flip_teacher=True),
    }
    runs = itertools.product(range(3), methods.items())
    return {f"{recipe.network} {name} seed {seed}": dataclasses.replace(run, seed=seed) for seed, (name, run) in runs}


def published_dcgans(study: Study, teachers: list[nn.Module]) -> dict[str, Run]:
    """The published DCGANs: `gin/cpu_hours.gin` with `gin/spectral.gin`."""
    return by_method(study, teachers, SPECTRAL)


def published_mlps(study: Study, teachers: list[nn.Module]) -> dict[str, Run]:
    """The published MLPs: `gin/cpu_hours.gin`."""
    return by_method(study, teachers, dataclasses.replace(BASE, network="mlp", widths=(64, 128, 256)))


ROUNDS = {
    "seeds": seeds,
    "recipes": recipes,
    "spectral": spectral,
    "teachers": by_teacher,
    "mlp": mlps,
    "dcgan": published_dcgans,
    "mlps": published_mlps,
}


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
        study.students(name, ROUNDS[name](study, teachers), arguments.steps, float(seconds))
        if DEVICE == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
