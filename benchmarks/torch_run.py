"""One training on one GPU: what a student learns from, its steps as CUDA graphs, its learning rates.

For `torch_study.py`. On a CPU the same code runs without graphs.
"""

import dataclasses

import torch
from torch_gan import Imitator, Recipe, Trainer, paired, stored
from torch_scores import DEVICE


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
