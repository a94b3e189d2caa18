"""Trains CIFAR-10's teacher and searches the students' recipe on one GPU, in PyTorch: minutes in place of days.

    python benchmarks/torch_gpu.py --images FOLDER/images.npy --features FOLDER --out OUT --seconds 540

It made the weights that the published teacher starts from, and the table by which the recipe of the DCGAN students was
chosen (docs/results.md). The published students are trained by this repository's own code alone. `torch_convert.py`
writes FOLDER and reads OUT. It needs PyTorch and Pillow.
"""

import argparse
import dataclasses
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch_gan import LATENT_DIM, Recipe, Trainer, stored
from torch_scores import CHUNK, DEVICE, Features, Scorer

SAMPLES = 10_000  # real and generated images per score
SCORING = 3.0  # seconds that a score may take


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


class Study:
    """The trainings, what they found, and the time that is left."""

    def __init__(self, arguments: argparse.Namespace):
        self.end = time.monotonic() + arguments.seconds
        self.out, self.short = arguments.out, arguments.short
        self.results: list[dict] = []
        images = np.load(arguments.images)
        self.real = torch.tensor(images, device=DEVICE).permute(0, 3, 1, 2)  # channels last in memory
        self.scorer = Scorer(Features(arguments.features), self.real, 600 if arguments.short else SAMPLES)
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

    @torch.no_grad()
    def bank(self, teacher: nn.Module, images: int) -> torch.Tensor:
        """Images of a teacher, uint8 [n, 3, 32, 32]."""
        found = []
        for _ in range(0, 1000 if self.short else images, CHUNK):
            with torch.autocast(DEVICE, torch.bfloat16):
                made = teacher(torch.randn(CHUNK, LATENT_DIM, device=DEVICE)).float()
            found.append(((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
        return torch.cat(found).contiguous(memory_format=torch.channels_last)

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

    def students(
        self, name: str, runs: dict[str, tuple[Recipe, list[torch.Tensor]]], steps: int, seconds: float
    ) -> None:
        """Trains students side by side, scores them and draws their samples.

        Args:
            name: of the picture.
            runs: recipe, and the images of each discriminator's references, by name.
            steps: steps of each.
            seconds: time for all of it. If it does not suffice, there are fewer steps.
        """
        steps = 8 if self.short else steps
        trainers = {}
        for label, (recipe, pixels) in runs.items():
            draws = [stored(each, recipe.batch, flip=each is self.real) for each in pixels]
            trainers[label] = Graphs(Trainer(recipe, draws, device=DEVICE))
        self.log(f"{name}: {len(runs)} students")
        start, step = time.monotonic(), 0
        while step < steps:
            step += 1
            if step % 100 == 0:
                for each in trainers.values():
                    decay(each.trainer, step / steps)
                synchronize()
                if step == 500:
                    seconds_per_step = (time.monotonic() - start) / step
                    left = min(seconds - (time.monotonic() - start), self.left()) - SCORING * len(runs)
                    steps = min(steps, 500 + int(left / seconds_per_step) // 100 * 100)
                    self.log(f"{name}: {1e3 * seconds_per_step:.2f} ms per step of all, {steps} steps")
            for each in trainers.values():
                each.step()
        synchronize()
        for label, each in trainers.items():
            recipe = dataclasses.asdict(each.trainer.recipe)
            found = self.scorer(each.trainer.average)
            self.note(what=label, step=step, fid=found, logits=self.logits(each.trainer), recipe=recipe)
        self.picture(name, [each.trainer.average for each in trainers.values()])


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
        runs |= {f"dcgan {name} vanilla": (recipe, [real]), f"dcgan {name} akdg": (recipe, [real, bank])}
    return runs


def spectral(study: Study, teachers: list[nn.Module]) -> dict:
    """The MLP against strong discriminators, and the DCGAN with other weights of the two terms."""
    real, bank = study.real, study.bank(teachers[-1], 50_000)
    mlp = dataclasses.replace(SPECTRAL, network="mlp")
    return {
        "mlp spectral vanilla": (mlp, [real]),
        "mlp spectral akdg": (mlp, [real, bank]),
        "dcgan spectral, lambda 0.3 akdg": (dataclasses.replace(SPECTRAL, weights=(1.0, 0.3)), [real, bank]),
        "dcgan spectral, D_KD alone": (SPECTRAL, [bank]),
        "mlp spectral, rates x2.5 akdg": (dataclasses.replace(mlp, rate=5e-4, d_rate=1e-3), [real, bank]),
    }


def by_teacher(study: Study, teachers: list[nn.Module]) -> dict:
    """Every teacher with two weights of its term, beside vanilla; and a bank that is a quarter of the others."""
    runs = {"vanilla": (SPECTRAL, [study.real])}
    for i, teacher in enumerate(teachers):
        bank = study.bank(teacher, 200_000)
        for weight in (1.0, 0.3):
            recipe = dataclasses.replace(SPECTRAL, weights=(1.0, weight))
            runs[f"akdg, teacher {i}, lambda {weight}"] = (recipe, [study.real, bank])
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
        runs |= {f"mlp {name} vanilla": (recipe, [real]), f"mlp {name} akdg": (recipe, [real, bank])}
    runs["mlp lambda 0.3 akdg"] = (dataclasses.replace(base, weights=(1.0, 0.3)), [real, bank])
    return runs


def seeds(study: Study, teachers: list[nn.Module]) -> dict:
    """Vanilla and AKDG with both sizes of the bank, twice more, from other first weights."""
    real, bank = study.real, study.bank(teachers[-1], 200_000)
    images = {"vanilla": [real], "akdg": [real, bank], "akdg, bank of 50,000": [real, bank[:50_000]]}
    return {f"{name}, again {i}": (SPECTRAL, pixels) for i in (1, 2) for name, pixels in images.items()}


ROUNDS = {"seeds": seeds, "recipes": recipes, "spectral": spectral, "teachers": by_teacher, "mlp": mlps}


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
