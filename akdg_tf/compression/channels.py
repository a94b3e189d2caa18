"""Structured pruning: a generator with fewer channels, within a budget."""

import bisect
import dataclasses
import functools
import logging
from collections.abc import Sequence

import numpy as np

from akdg_tf.compression.channel_groups import Group, groups_of, without
from akdg_tf.compression.importance import IMPORTANCES
from akdg_tf.compression.layerwise import in_sequence
from akdg_tf.errors import UserError
from akdg_tf.models.counting import Cost, cost_of
from akdg_tf.models.generators import Generator
from akdg_tf.models.sizing import Budget, check_budgets

logger = logging.getLogger(__name__)

SHARE = 0.1  # of all channels, removed before the importance is computed again


@dataclasses.dataclass(frozen=True)
class PruneChannels:
    """Removes the least important channels of a generator until it is within a budget; a `Compression`.

    The result is a smaller dense network, which any runtime computes faster. MLP, DCGAN and SNGAN generators can be
    pruned, and what earlier pruning made of them. The importances of a group are divided by their L2 norm, so that all
    channels of a network can be compared (Molchanov et al. 2017). A tenth of them are removed at a time; then the
    importance of the others is computed again.

    Attributes:
        max_params: most trainable parameters; None is no limit.
        max_mult_adds: most multiply-adds per image, see `counting.Cost`; None is no limit.
        importance: "diversity" or "magnitude", see the functions of these names in `importance`.
        min_channels: channels that every group keeps at least.

    Raises:
        UserError: there is no limit, a number is not a positive whole one, or the importance is unknown.
    """

    max_params: int | None = None
    max_mult_adds: int | None = None
    importance: str = "diversity"
    min_channels: int = 4

    def __post_init__(self):
        if self.max_params is None and self.max_mult_adds is None:
            raise UserError("PruneChannels has no budget: bind PruneChannels.max_params or PruneChannels.max_mult_adds")
        check_budgets(self)
        if not isinstance(self.importance, str) or self.importance not in IMPORTANCES:
            raise UserError(f"PruneChannels.importance {self.importance!r} is not one of {', '.join(IMPORTANCES)}")
        if type(self.min_channels) is not int or self.min_channels < 1:
            raise UserError(f"PruneChannels.min_channels is {self.min_channels!r}: bind a positive whole number")

    @property
    def budget(self) -> Budget:
        """The budget."""
        return Budget(self.max_mult_adds, self.max_params)

    def __call__(self, generator: Generator) -> Generator:
        """The smaller generator.

        Raises:
            UserError: the generator is within the budget already, or cannot be brought within it, or has layers of
                another kind.
        """
        whole = cost = cost_of(in_sequence(generator))
        if self.budget.holds(cost):
            raise UserError(f"PruneChannels has nothing to prune: {_shown(cost)} are within {self.budget}")
        while not self.budget.holds(cost):
            generator, cost = self._smaller(generator, cost)
        sizes = ", ".join(str(group.size) for group in groups_of(generator))
        logger.info("pruned from %s to %s: groups of %s channels", _shown(whole), _shown(cost), sizes)
        return generator

    def _smaller(self, generator: Generator, cost: Cost) -> tuple[Generator, Cost]:
        """The generator without a `SHARE` of its channels, or without as few of these as the budget asks for."""
        groups = groups_of(generator)
        order = self._from_the_least(generator, groups)
        if not order:
            raise UserError(
                f"PruneChannels cannot reach {self.budget}: {_shown(cost)} are left with {self.min_channels} channels "
                "per group; allow more, or bind a smaller PruneChannels.min_channels"
            )

        @functools.cache
        def pruned(count: int) -> tuple[Generator, Cost]:
            chosen = order[:count]
            removed = {group: np.array([c for each, c in chosen if each is group], int) for group in groups}
            smaller = without(generator, removed)
            return smaller, cost_of(smaller)

        def is_enough(count: int) -> bool:
            return self.budget.holds(pruned(count)[1])

        most = min(len(order), max(1, round(SHARE * sum(group.size for group in groups))))
        if not is_enough(most):
            return pruned(most)
        return pruned(1 + bisect.bisect_left(range(1, most), True, key=is_enough))

    def _from_the_least(self, generator: Generator, groups: Sequence[Group]) -> list[tuple[Group, int]]:
        """All channels that can be removed, the least important first."""
        found = []
        for number, importances in enumerate(IMPORTANCES[self.importance](generator, groups)):
            values = importances / (np.linalg.norm(importances) or 1.0)
            spare = max(0, groups[number].size - self.min_channels)
            found += [(values[c], number, int(c)) for c in np.argsort(values, kind="stable")[:spare]]
        return [(groups[number], channel) for _, number, channel in sorted(found)]


def _shown(cost: Cost) -> str:
    return f"{cost.mult_adds:,} mult-adds and {cost.params:,} params"
