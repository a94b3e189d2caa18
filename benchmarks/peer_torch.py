"""Our training step against the same step in plain PyTorch: python benchmarks/peer_torch.py. Prints one JSON line.

Both have the same networks, losses, batch, optimizer, lazy R1 and average of weights. PyTorch uses channels last, the
faster memory format. Our steps run in one process, PyTorch's (eager and compiled) in another. They take turns, with all
threads of the machine. Requires the extra `peer` (PyTorch for CPUs).
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

METHODS = ("vanilla", "akdg_bank")


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


class Peer:
    """Vanilla or AKDG, as it is usually written in PyTorch.

    Args:
        student: G_S.
        references: one function per discriminator, which returns the batch that is compared with the student's images.
        compiled: whether the networks go through torch.compile. Those of R1 do not, because torch.compile cannot
            differentiate them twice.
    """

    def __init__(self, student: nn.Module, references, compiled: bool):
        wrap = torch.compile if compiled else lambda module: module
        memory = {"memory_format": torch.channels_last}
        self.student = student.to(**memory)
        self.average = [p.detach().clone() for p in self.student.state_dict().values() if p.is_floating_point()]
        self.critics = [discriminator().to(**memory) for _ in references]
        self.references = references
        self.run_student, self.run_critics = wrap(self.student), [wrap(critic) for critic in self.critics]
        options = {"lr": 1e-4, "alpha": 0.99, "eps": 1e-8, "foreach": True}
        self.optimizer = torch.optim.RMSprop(self.student.parameters(), **options)
        self.critic_optimizers = [torch.optim.RMSprop(critic.parameters(), **options) for critic in self.critics]
        self.count = 0

    def step(self) -> None:
        """Takes one step of every discriminator, then one generator step on the same images."""
        images = self.run_student(torch.randn(setting.BATCH, setting.LATENT_DIM))
        for i, reference in enumerate(self.references):
            self._update_critic(i, reference(), images.detach())
        for critic in self.critics:
            critic.requires_grad_(False)
        losses = [F.softplus(-critic(images)).mean() for critic in self.run_critics]
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
        real, fake = self.run_critics[i](torch.cat([reference, generated])).chunk(2)
        (F.softplus(-real).mean() + F.softplus(fake).mean()).backward()
        if self.count % setting.PENALTY.every == 0:
            reference = reference.requires_grad_()
            (gradient,) = torch.autograd.grad(self.critics[i](reference).sum(), reference, create_graph=True)
            penalty = gradient.square().sum((1, 2, 3)).mean()
            (0.5 * setting.PENALTY.gamma * setting.PENALTY.every * penalty).backward()
        self.critic_optimizers[i].step()

    def steps(self) -> None:
        """Takes as many steps as one call of our function."""
        for _ in range(setting.PENALTY.every):
            self.step()


def peers(student: str, method: str, compiled: bool) -> Peer:
    """Makes the peer of our trainer. It draws real and banked images from a uint8 tensor in memory."""
    pixels = torch.randint(0, 256, (5000, 3, 32, 32), dtype=torch.uint8).to(memory_format=torch.channels_last)

    def stored():
        return pixels[torch.randint(0, len(pixels), (setting.BATCH,))].float() / 127.5 - 1

    references = {"vanilla": [stored], "akdg_bank": [stored, stored]}[method]
    return Peer({"mlp": mlp, "dcgan": dcgan}[student](), references, compiled)


def theirs(students: list[str], methods: list[str]) -> dict:
    """The functions of PyTorch, eager and compiled, by name."""
    torch.set_num_threads(os.cpu_count())
    functions = {}
    for student, method in itertools.product(students, methods):
        functions[f"{student}.{method}_torch"] = peers(student, method, compiled=False).steps
        functions[f"{student}.{method}_torch_compile"] = peers(student, method, compiled=True).steps
    return functions


def ours(students: list[str], methods: list[str]) -> dict:
    """Our functions, by name."""
    functions = setting.training_steps(students, methods)
    return {f"{name}_ours": function for name, function in functions.items()}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--students", nargs="+", default=list(setting.STUDENTS), choices=setting.STUDENTS)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    arguments = parser.parse_args()
    chosen = (arguments.students, arguments.methods)
    functions = setting.in_process(functools.partial(ours, *chosen))
    functions |= setting.in_process(functools.partial(theirs, *chosen))
    seconds = setting.interleaved(functions, arguments.rounds)
    line = {"benchmark": "peer_torch", **setting.machine(), "torch": torch.__version__, "batch": setting.BATCH}
    line |= vars(arguments)
    line |= setting.ms_a_step(seconds)
    for student, method in itertools.product(arguments.students, arguments.methods):
        name = f"{student}.{method}"
        for peer in ("torch", "torch_compile"):
            line[f"{name}_ours_over_{peer}"] = setting.compact(seconds[f"{name}_ours"] / seconds[f"{name}_{peer}"])
    print(json.dumps(line))


if __name__ == "__main__":
    main()
