"""The largest student within a budget. Its width is found by counting networks with `counting`, not by a formula."""

import bisect
import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from akdg_tf.errors import UserError
from akdg_tf.models.counting import Cost, cost_of
from akdg_tf.models.generators import DCGANGenerator, Generator, MLPGenerator

UNIT, UNITS = 8, 128  # the widest layer of a student has 8, 16, ... up to 1,024 channels
FIRST_SIDE = 4  # least side of a DCGAN's first feature map, in pixels
HALVINGS = 3  # the channels of a DCGAN are halved at its last three doublings, as in the paper's 512, 256, 128, 64


class NoStudent(UserError):
    """No network of a kind makes such images, or is within the budget."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """What a student may cost at most; None is no limit.

    Attributes:
        mult_adds: multiply-adds per image, see `counting.Cost`.
        params: trainable parameters.
        kilobytes: size of all variables in float32, in 1,000 bytes.
        milliseconds: time per image on this machine, see `artifacts.latency`.
    """

    mult_adds: int | None = None
    params: int | None = None
    kilobytes: int | None = None
    milliseconds: float | None = None

    def holds(self, cost: Cost) -> bool:
        """Whether the counts of a network are within the budget."""
        spent = ((cost.mult_adds, self.mult_adds), (cost.params, self.params), (cost.bytes / 1e3, self.kilobytes))
        return all(most is None or count <= most for count, most in spent)

    def __str__(self):
        limits = {"mult-adds": self.mult_adds, "params": self.params, "kB": self.kilobytes, "ms": self.milliseconds}
        return " and ".join(f"{most:,} {what}" for what, most in limits.items() if most is not None) or "no limit"


def check_budgets(compression: Any) -> None:
    """Checks the budgets of a compression, its `max_params` and `max_mult_adds`.

    Raises:
        UserError: one of them is not a positive whole number, nor None.
    """
    for name in ("max_params", "max_mult_adds"):
        value = getattr(compression, name)
        if value is not None and (type(value) is not int or value < 1):
            raise UserError(f"{type(compression).__name__}.{name} is {value!r}: bind a positive whole number")


@dataclasses.dataclass(frozen=True)
class Student:
    """A student that was sized.

    Attributes:
        network: the untrained network.
        cost: its cost.
        milliseconds: measured time per image; None if the budget does not limit it.
    """

    network: Generator
    cost: Cost
    milliseconds: float | None = None


def dcgan(widest: int, latent_dim: int, sample_shape: Sequence[int]) -> DCGANGenerator:
    """A DCGAN that starts at the smallest feature map that its doublings allow.

    Args:
        widest: channels of its first feature map, a multiple of 8.
        latent_dim: size of the latent.
        sample_shape: (height, width, channels).

    Raises:
        NoStudent: the sides cannot be halved even once; see `doublings`.
    """
    count = doublings(sample_shape)
    if not count:
        height, width, _ = sample_shape
        raise NoStudent(
            f"a DCGAN doubles its sides at least once, from {FIRST_SIDE} pixels or more: images of {height}x{width} "
            "need even sides of 8 pixels or more; an MLP makes images of any size"
        )
    widths = [widest >> max(0, i + min(HALVINGS, count) - count) for i in range(count + 1)]
    return DCGANGenerator(latent_dim, sample_shape, widths)


def doublings(sample_shape: Sequence[int]) -> int:
    """How often a DCGAN doubles both sides: as often as they can be halved down to 4 pixels or more; 0 for odd sides.

    Args:
        sample_shape: (height, width, channels).
    """
    height, width, _ = sample_shape
    sides, count = (height, width), 0
    while not any(side % 2 for side in sides) and min(sides) // 2 >= FIRST_SIDE:
        sides, count = (sides[0] // 2, sides[1] // 2), count + 1
    return count


def mlp(widest: int, latent_dim: int, sample_shape: Sequence[int]) -> MLPGenerator:
    """An MLP with three hidden layers and batch norm, without which short trainings fail.

    Args:
        widest: units of each hidden layer.
        latent_dim: size of the latent.
        sample_shape: shape of one sample.
    """
    return MLPGenerator(latent_dim, sample_shape, widest, use_batch_norm=True)


FAMILIES: dict[str, Callable[[int, int, Sequence[int]], Generator]] = {"dcgan": dcgan, "mlp": mlp}


def largest(
    make: Callable[[int], Generator], budget: Budget, latency: Callable[[Generator], float] | None = None
) -> Student:
    """The widest network within a budget.

    Args:
        make: makes the network with a given width of its widest layer. A wider one must not cost less.
        budget: what it may cost.
        latency: measures the milliseconds per image of a network, needed if the budget limits them. Only networks whose
            counts are within the budget are measured.

    Raises:
        NoStudent: the narrowest network exceeds the budget; the message has its cost.
    """

    @functools.cache
    def student(units: int) -> Student:
        network = make(units * UNIT)
        cost = cost_of(network)
        measured = latency(network) if latency and budget.milliseconds is not None and budget.holds(cost) else None
        return Student(network, cost, measured)

    def exceeds(units: int) -> bool:
        made, most = student(units), budget.milliseconds
        slow = most is not None and made.milliseconds is not None and made.milliseconds > most
        return slow or not budget.holds(made.cost)

    if exceeds(1):
        raise NoStudent(
            f"no {type(student(1).network).__name__} is within {budget}: allow the smallest one its {costs(student(1))}"
        )
    units = 1
    while units < UNITS and not exceeds(2 * units):  # doubling first, so that no network far above the budget is made
        units *= 2
    wider = range(units + 1, min(2 * units, UNITS))
    return student(units + bisect.bisect_left(wider, True, key=exceeds))


def costs(student: Student) -> str:
    """What a student costs, in words. kB and ms are rounded up, so that a budget of these numbers holds it."""
    cost, time = student.cost, student.milliseconds
    found = f"{cost.mult_adds:,} mult-adds, {cost.params:,} params and {math.ceil(cost.bytes / 1e3):,} kB"
    return found if time is None else f"{found}, and {math.ceil(1000 * time) / 1000:g} ms"
