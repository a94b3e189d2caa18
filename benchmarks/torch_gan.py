"""The paper's CIFAR-10 networks and methods, as they are usually written in PyTorch.

`peer_torch.py` times their training step against ours. `torch_gpu.py` trains them on one GPU.
"""

import contextlib
import copy
import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

LATENT_DIM = 128
Draw = Callable[[], torch.Tensor]  # draws a batch of images, float32 [n, 3, 32, 32] in [-1, 1]


def batch_norm(width: int, dims: int = 2) -> nn.Module:
    """Batch normalization with our constants, of feature maps (2) or of vectors (1)."""
    return {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[dims](width, eps=1e-5, momentum=0.01)


def mlp(use_batch_norm: bool = False) -> nn.Module:
    """The MLP student."""
    net = []
    for a, b in itertools.pairwise((LATENT_DIM, 512, 512, 512)):
        net += [nn.Linear(a, b), *([batch_norm(b, 1)] if use_batch_norm else []), nn.ReLU()]
    return nn.Sequential(*net, nn.Linear(512, 3 * 32 * 32), nn.Tanh(), nn.Unflatten(1, (3, 32, 32)))


def dcgan(widths: Sequence[int] = (512, 256, 128, 64)) -> nn.Module:
    """The DCGAN student."""
    net = [nn.Linear(LATENT_DIM, 16 * widths[0]), nn.Unflatten(1, (widths[0], 4, 4))]
    net += [batch_norm(widths[0]), nn.ReLU()]
    for a, b in itertools.pairwise(widths):
        net += [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, padding=1), batch_norm(b), nn.ReLU()]
    return nn.Sequential(*net, nn.Conv2d(widths[-1], 3, 3, padding=1), nn.Tanh())


def discriminator(widths: Sequence[int] = (64, 128, 256)) -> nn.Module:
    """The students' discriminator. It pads borders on both sides, TensorFlow on one; the cost is the same."""
    pairs = itertools.pairwise((3, *widths))
    net = [m for a, b in pairs for m in (nn.Conv2d(a, b, 3, 2, padding=1), nn.LeakyReLU(0.2))]
    return nn.Sequential(*net, nn.Flatten(), nn.Linear(16 * widths[-1], 1))


class UpBlock(nn.Module):
    """The teacher's residual up-block."""

    def __init__(self, width: int):
        super().__init__()
        net = [batch_norm(width), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1)]
        self.net = nn.Sequential(*net, batch_norm(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x):
        return F.interpolate(x, scale_factor=2.0) + self.net(x)


def sngan(width: int = 256) -> nn.Module:
    """The teacher."""
    net = [nn.Linear(LATENT_DIM, 16 * width), nn.Unflatten(1, (width, 4, 4))]
    net += [UpBlock(width) for _ in range(3)]
    return nn.Sequential(*net, batch_norm(width), nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1), nn.Tanh())


class SpectralNorm(nn.Module):
    """Divides a kernel by its largest singular value, in float32; one power iteration per forward pass in training.

    PyTorch's own computes in bfloat16 under autocast, which is not precise enough.
    """

    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.register_buffer("u", F.normalize(torch.randn(weight.shape[0]), dim=0))

    def forward(self, weight):
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            with torch.no_grad():
                v = F.normalize(matrix.T @ self.u, dim=0)
                u = F.normalize(matrix @ v, dim=0)
                if self.training:
                    self.u.copy_(u)
            return weight / torch.dot(u, matrix @ v)


def spectral_norm(layer: nn.Module) -> nn.Module:
    """The layer, spectrally normalized."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight), unsafe=True)
    return layer


class DownBlock(nn.Module):
    """The residual block of the teacher's discriminator, spectrally normalized."""

    def __init__(self, channels: int, width: int, down: bool, first: bool):
        super().__init__()
        self.first, self.down = first, down
        self.conv1 = spectral_norm(nn.Conv2d(channels, width, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(width, width, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(channels, width, 1)) if down else None

    def forward(self, x):
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if not self.down:
            return h + x
        return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))


class ResNetDiscriminator(nn.Module):
    """The teacher's discriminator."""

    def __init__(self, width: int = 128):
        super().__init__()
        downs = (True, True, False, False)
        blocks = [DownBlock(width if i else 3, width, down, i == 0) for i, down in enumerate(downs)]
        self.blocks, self.head = nn.Sequential(*blocks), spectral_norm(nn.Linear(width, 1))

    def forward(self, x):
        return self.head(F.relu(self.blocks(x)).sum((2, 3)))


def hinge(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The discriminator's hinge loss."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def non_saturating(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The discriminator's non-saturating loss."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def initialize(module: nn.Module) -> None:
    """Draws the weights as Keras does: Glorot's uniform distribution, biases of zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            normalized = parametrize.is_parametrized(layer)
            nn.init.xavier_uniform_(layer.parametrizations.weight.original if normalized else layer.weight)
            nn.init.zeros_(layer.bias)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        network: "mlp", "dcgan" or "sngan".
        batch: images per step.
        widths: channels of the students' discriminators; for a spectral one, a single width.
        spectral: whether the discriminators are ResNets with spectral norm, trained with the hinge loss and Adam
            instead of the non-saturating loss and RMSprop.
        gamma: weight of R1; 0 for none.
        every: steps from one R1 to the next.
        rate: learning rate of the generator.
        d_rate: learning rate of the discriminators.
        weights: factor of each discriminator's term in the generator's loss.
        ema: decay of the average of the generator's weights.
        use_batch_norm: whether the MLP has batch normalization.
        decay: whether the learning rates fall linearly to 0.
    """

    network: str
    batch: int = 64
    widths: Sequence[int] = (64, 128, 256)
    spectral: bool = False
    gamma: float = 20.0
    every: int = 8
    rate: float = 1e-4
    d_rate: float = 1e-4
    weights: Sequence[float] = (1.0, 1.0)
    ema: float = 0.999
    use_batch_norm: bool = False
    decay: bool = False

    def generator(self) -> nn.Module:
        """A new generator."""
        return {"mlp": functools.partial(mlp, self.use_batch_norm), "dcgan": dcgan, "sngan": sngan}[self.network]()

    def discriminator(self) -> nn.Module:
        """A new discriminator."""
        return ResNetDiscriminator(*self.widths) if self.spectral else discriminator(self.widths)

    def optimizer(self, module: nn.Module, rate: float) -> torch.optim.Optimizer:
        """The optimizer of a network. On a GPU its learning rate is a tensor, and a graph can hold its step."""
        parameters = list(module.parameters())
        on_gpu = parameters[0].is_cuda
        lr = torch.tensor(rate, device=parameters[0].device) if on_gpu else rate
        if self.spectral:
            return torch.optim.Adam(parameters, lr, betas=(0.0, 0.9), foreach=True, capturable=on_gpu)
        return torch.optim.RMSprop(parameters, lr, alpha=0.99, eps=1e-8, foreach=True, capturable=on_gpu)


class Trainer:
    """Vanilla (one discriminator) or AKDG (two).

    Args:
        recipe: the recipe.
        references: one function per discriminator, which draws the images that it compares with the generator's.
        device: "cpu" or "cuda".
        compiled: whether the networks go through torch.compile. Those of R1 do not, because torch.compile cannot
            differentiate them twice.
        bfloat16: whether the networks compute under torch.autocast.
    """

    def __init__(
        self,
        recipe: Recipe,
        references: Sequence[Draw],
        device: str = "cpu",
        compiled: bool = False,
        bfloat16: bool = False,
    ):
        wrap = torch.compile if compiled else lambda module: module
        placed = {"memory_format": torch.channels_last, "device": device}
        self.recipe, self.references, self.device, self.bfloat16 = recipe, references, device, bfloat16
        self.generator = recipe.generator()
        self.discriminators = [recipe.discriminator() for _ in references]
        for module in (self.generator, *self.discriminators):
            initialize(module)
            module.to(**placed)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.run_generator = wrap(self.generator)
        self.run_discriminators = [wrap(each) for each in self.discriminators]
        self.optimizer = recipe.optimizer(self.generator, recipe.rate)
        self.d_optimizers = [recipe.optimizer(each, recipe.d_rate) for each in self.discriminators]
        self.loss = hinge if recipe.spectral else non_saturating
        self.logits: list[tuple[torch.Tensor, torch.Tensor]] = [()] * len(self.discriminators)

    def cast(self) -> contextlib.AbstractContextManager:
        """The context in which the networks compute."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16, cache_enabled=False)

    def penalized(self, step: int) -> bool:
        """Whether R1 is due at a step."""
        return self.recipe.gamma > 0 and step % self.recipe.every == 0

    def step(self, penalized: bool) -> None:
        """Takes one step of every discriminator, then one generator step on the same images."""
        with self.cast():
            images = self.run_generator(torch.randn(self.recipe.batch, LATENT_DIM, device=self.device)).float()
        for i, reference in enumerate(self.references):
            self._discriminator_step(i, reference(), images.detach(), penalized)
        for each in self.discriminators:
            each.requires_grad_(False)
        loss = 0.0
        for run, weight in zip(self.run_discriminators, self.recipe.weights, strict=False):
            with self.cast():
                logits = run(images).float()
            loss = loss + weight * (-logits.mean() if self.recipe.spectral else F.softplus(-logits).mean())
        self._generator_step(loss)
        for each in self.discriminators:
            each.requires_grad_(True)

    def _generator_step(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        torch._foreach_lerp_(_floats(self.average), _floats(self.generator), 1 - self.recipe.ema)

    def _discriminator_step(self, i: int, reference: torch.Tensor, generated: torch.Tensor, penalized: bool) -> None:
        self.d_optimizers[i].zero_grad(set_to_none=True)
        with self.cast():
            real, fake = self.run_discriminators[i](torch.cat([reference, generated])).float().chunk(2)
        self.logits[i] = (real.mean().detach(), fake.mean().detach())
        self.loss(real, fake).backward()
        if penalized:
            reference = reference.requires_grad_()
            with self.cast():
                logits = self.discriminators[i](reference).float()
            (gradient,) = torch.autograd.grad(logits.sum(), reference, create_graph=True)
            penalty = gradient.square().sum((1, 2, 3)).mean()
            (0.5 * self.recipe.gamma * self.recipe.every * penalty).backward()
        self.d_optimizers[i].step()


class Imitator(Trainer):
    """MSE: the student imitates the teacher's image of each latent. There is no discriminator.

    Args:
        recipe: the recipe.
        pairs: draws latents, [n, latent_dim], and the teacher's images of them, float32 [n, 3, 32, 32] in [-1, 1].
        device: "cpu" or "cuda".
    """

    def __init__(self, recipe: Recipe, pairs: Callable[[], tuple[torch.Tensor, torch.Tensor]], device: str = "cpu"):
        super().__init__(dataclasses.replace(recipe, gamma=0.0), [], device)
        self.pairs = pairs

    def step(self, penalized: bool) -> None:
        """Takes one step of the generator; there is no penalty."""
        latents, images = self.pairs()
        self._generator_step((self.run_generator(latents) - images).square().mean())


def _floats(module: nn.Module) -> list[torch.Tensor]:
    """The weights and batch statistics of a network."""
    return [each for each in module.state_dict().values() if each.is_floating_point()]


def stored(pixels: torch.Tensor, batch: int, flip: bool = False) -> Draw:
    """A function that draws a batch of images from uint8 images [n, 3, h, w], mirrored at random if `flip`."""

    def draw():
        images = pixels[torch.randint(len(pixels), (batch,), device=pixels.device)].float() / 127.5 - 1
        if not flip:
            return images
        mirrored = torch.rand(batch, 1, 1, 1, device=pixels.device) < 0.5
        return torch.where(mirrored, images.flip(3), images)

    return draw


def paired(latents: torch.Tensor, pixels: torch.Tensor, batch: int) -> Callable[[], tuple[torch.Tensor, torch.Tensor]]:
    """A function that draws latents and their images, of uint8 images [n, 3, h, w]."""

    def draw():
        rows = torch.randint(len(pixels), (batch,), device=pixels.device)
        return latents[rows], pixels[rows].float() / 127.5 - 1

    return draw
