"""Our training step against the same step in plain PyTorch: python benchmarks/peer_torch.py. Prints one JSON line.

Both have the same networks, losses, batch, optimizer, lazy R1 and average of weights. PyTorch uses channels last, the
faster memory format, and torch.autocast for bfloat16. Our steps run in one process, PyTorch's (eager and compiled) in
another. They take turns, with all threads of the machine. The network `sngan` is the teacher of 256 channels, trained
against its discriminator of 128. Requires the extra `peer` (PyTorch for CPUs).
"""

import argparse
import functools
import itertools
import json
import os

import setting
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

METHODS = ("vanilla", "akdg_bank")
DTYPES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # our dtype policy, by the name in the output


def mlp() -> nn.Module:
    """The MLP student."""
    sizes = (setting.LATENT_DIM, 512, 512, 512)
    hidden = [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(512, 3 * 32 * 32), nn.Tanh(), nn.Unflatten(1, (3, 32, 32)))


def norm(width: int) -> nn.Module:
    """Batch normalization with our constants."""
    return nn.BatchNorm2d(width, eps=1e-5, momentum=0.01)


def dcgan(widths=(512, 256, 128, 64)) -> nn.Module:
    """The DCGAN student."""
    net = [nn.Linear(setting.LATENT_DIM, 16 * widths[0]), nn.Unflatten(1, (widths[0], 4, 4))]
    net += [norm(widths[0]), nn.ReLU()]
    for a, b in itertools.pairwise(widths):
        net += [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, padding=1), norm(b), nn.ReLU()]
    return nn.Sequential(*net, nn.Conv2d(widths[-1], 3, 3, padding=1), nn.Tanh())


def discriminator(widths=(3, 64, 128, 256)) -> nn.Module:
    """The discriminator. It pads borders on both sides, TensorFlow on one; the cost is the same."""
    net = [m for a, b in itertools.pairwise(widths) for m in (nn.Conv2d(a, b, 3, 2, padding=1), nn.LeakyReLU(0.2))]
    return nn.Sequential(*net, nn.Flatten(), nn.Linear(16 * widths[-1], 1))


class UpBlock(nn.Module):
    """The teacher's residual up-block."""

    def __init__(self, width: int):
        super().__init__()
        net = [norm(width), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1)]
        self.net = nn.Sequential(*net, norm(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x):
        return F.interpolate(x, scale_factor=2) + self.net(x)


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


def sngan(width: int = 256) -> nn.Module:
    """The teacher."""
    net = [nn.Linear(setting.LATENT_DIM, 16 * width), nn.Unflatten(1, (width, 4, 4))]
    net += [UpBlock(width) for _ in range(3)]
    return nn.Sequential(*net, norm(width), nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1), nn.Tanh())


def hinge(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The discriminator's hinge loss."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def non_saturating(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The discriminator's non-saturating loss."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


class Peer:
    """Vanilla or AKDG, as it is usually written in PyTorch. A teacher has its own discriminator, losses and optimizer.

    Args:
        network: "mlp", "dcgan" or "sngan".
        references: one function per discriminator, which returns the batch that is compared with the generator's
            images.
        compiled: whether the networks go through torch.compile. Those of R1 do not, because torch.compile cannot
            differentiate them twice.
        bfloat16: whether the networks compute under torch.autocast.
    """

    def __init__(self, network: str, references, compiled: bool, bfloat16: bool):
        wrap = torch.compile if compiled else lambda module: module
        memory = {"memory_format": torch.channels_last}
        self.is_teacher, self.bfloat16 = network == setting.TEACHER, bfloat16
        self.student = {"mlp": mlp, "dcgan": dcgan, "sngan": sngan}[network]().to(**memory)
        self.average = [p.detach().clone() for p in self.student.state_dict().values() if p.is_floating_point()]
        make = ResNetDiscriminator if self.is_teacher else discriminator
        self.critics = [make().to(**memory) for _ in references]
        self.references = references
        self.run_student, self.run_critics = wrap(self.student), [wrap(critic) for critic in self.critics]
        if self.is_teacher:
            optimizer = functools.partial(torch.optim.Adam, lr=2e-4, betas=(0.0, 0.9), foreach=True)
        else:
            optimizer = functools.partial(torch.optim.RMSprop, lr=1e-4, alpha=0.99, eps=1e-8, foreach=True)
        self.optimizer = optimizer(self.student.parameters())
        self.critic_optimizers = [optimizer(critic.parameters()) for critic in self.critics]
        self.count = 0

    def _cast(self):
        """The context in which the networks compute."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16)

    def step(self) -> None:
        """Takes one step of every discriminator, then one generator step on the same images."""
        with self._cast():
            images = self.run_student(torch.randn(setting.BATCH, setting.LATENT_DIM)).float()
        for i, reference in enumerate(self.references):
            self._update_critic(i, reference(), images.detach())
        for critic in self.critics:
            critic.requires_grad_(False)
        with self._cast():
            logits = [critic(images).float() for critic in self.run_critics]
        losses = [-each.mean() if self.is_teacher else F.softplus(-each).mean() for each in logits]
        self.optimizer.zero_grad(set_to_none=True)
        sum(losses).backward()
        self.optimizer.step()
        for critic in self.critics:
            critic.requires_grad_(True)
        state = [p for p in self.student.state_dict().values() if p.is_floating_point()]
        torch._foreach_lerp_(self.average, state, 0.001)
        self.count += 1

    def _update_critic(self, i: int, reference: torch.Tensor, generated: torch.Tensor) -> None:
        self.critic_optimizers[i].zero_grad(set_to_none=True)
        with self._cast():
            real, fake = self.run_critics[i](torch.cat([reference, generated])).float().chunk(2)
        (hinge if self.is_teacher else non_saturating)(real, fake).backward()
        if self.count % setting.PENALTY.every == 0 and not self.is_teacher:
            reference = reference.requires_grad_()
            with self._cast():
                logits = self.critics[i](reference).float()
            (gradient,) = torch.autograd.grad(logits.sum(), reference, create_graph=True)
            penalty = gradient.square().sum((1, 2, 3)).mean()
            (0.5 * setting.PENALTY.gamma * setting.PENALTY.every * penalty).backward()
        self.critic_optimizers[i].step()

    def steps(self) -> None:
        """Takes as many steps as one call of our function."""
        for _ in range(setting.steps_a_call(setting.TEACHER if self.is_teacher else "")):
            self.step()


def make_peer(network: str, method: str, compiled: bool, bfloat16: bool) -> Peer:
    """Makes the peer of our trainer. It draws real and banked images from a uint8 tensor in memory."""
    pixels = torch.randint(0, 256, (5000, 3, 32, 32), dtype=torch.uint8).to(memory_format=torch.channels_last)

    def stored():
        return pixels[torch.randint(0, len(pixels), (setting.BATCH,))].float() / 127.5 - 1

    references = {"vanilla": [stored], "akdg_bank": [stored, stored]}[method]
    return Peer(network, references, compiled, bfloat16)


def theirs(networks: list[str], methods: list[str], dtypes: list[str]) -> dict:
    """The functions of PyTorch, eager and compiled, by name."""
    torch.set_num_threads(os.cpu_count())
    functions = {}
    for (network, method), dtype in itertools.product(setting.combinations(networks, methods), dtypes):
        for peer, compiled in (("torch", False), ("torch_compile", True)):
            made = make_peer(network, method, compiled, dtype == "bfloat16")
            functions[f"{network}.{method}.{dtype}_{peer}"] = made.steps
    return functions


def ours(networks: list[str], methods: list[str], dtypes: list[str]) -> dict:
    """Our functions, by name."""
    functions = {}
    for dtype in dtypes:
        found = setting.training_steps(networks, methods, dtype_policy=DTYPES[dtype])
        functions |= {f"{name}.{dtype}_ours": function for name, function in found.items()}
    return functions


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    networks = [*setting.STUDENTS, setting.TEACHER]
    parser.add_argument("--networks", nargs="+", default=networks, choices=networks)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--dtypes", nargs="+", default=["float32"], choices=DTYPES)
    arguments = parser.parse_args()
    chosen = (arguments.networks, arguments.methods, arguments.dtypes)
    functions = setting.in_process(functools.partial(ours, *chosen))
    functions |= setting.in_process(functools.partial(theirs, *chosen))
    seconds = setting.interleaved(functions, arguments.rounds)
    line = {"benchmark": "peer_torch", **setting.machine(), "torch": torch.__version__, "batch": setting.BATCH}
    line |= vars(arguments)
    line |= setting.ms_a_step(seconds)
    for network, method in setting.combinations(arguments.networks, arguments.methods):
        name = f"{network}.{method}"
        for dtype, peer in itertools.product(arguments.dtypes, ("torch", "torch_compile")):
            ratio = seconds[f"{name}.{dtype}_ours"] / seconds[f"{name}.{dtype}_{peer}"]
            line[f"{name}.{dtype}_ours_over_{peer}"] = setting.compact(ratio)
        if set(arguments.dtypes) == set(DTYPES):
            ratio = seconds[f"{name}.bfloat16_ours"] / seconds[f"{name}.float32_ours"]
            line[f"{name}_bfloat16_over_float32"] = setting.compact(ratio)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
