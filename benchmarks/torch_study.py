"""A study on one GPU: trains teachers and students within some time, scores them and keeps what it found.

`torch_gpu.py` is its command line. `torch_rounds.py` holds the students that it trains.
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
from torch_run import Graphs, Run, decay, synchronize
from torch_scores import CHUNK, DEVICE, Features, Scorer

SAMPLES = 10_000  # real and generated images per score
CURVE_SAMPLES = 5_000  # per score during the training
SCORING = 3.0  # seconds that a score may take
FILE_BYTES = 15_000_000  # of weights in one file at most


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

    def students(
        self, name: str, runs: dict[str, Run], published: Published | None, steps: int, seconds: float
    ) -> None:
        """Trains students side by side, scores them and draws their samples.

        Args:
            name: of the picture.
            runs: by name.
            published: what a published round adds; its students are also saved.
            steps: steps of each; a published round has its own.
            seconds: time for all of it. If it does not suffice, there are fewer steps.
        """
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
