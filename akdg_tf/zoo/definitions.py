"""What defines the scores of several entries. Each definition is given once, for all scores that share it."""

import dataclasses
from collections.abc import Iterable

from akdg_tf.reporting import tables
from akdg_tf.zoo.entries import Entry


@dataclasses.dataclass(frozen=True)
class Definition:
    """Scores that share a definition.

    Attributes:
        metrics: names of the scores.
        generators: names of the entries that have at least one of them.
        text: the definition, see `tables.definition`.
    """

    metrics: list[str]
    generators: list[str]
    text: str


def definitions(found: Iterable[Entry], less: tuple[str, ...] = ()) -> list[Definition]:
    """The different definitions of the scores of some entries.

    Args:
        found: the entries.
        less: names of the score fields to leave out.
    """
    alike: dict[str, dict[tuple[str, str], None]] = {}  # the inner dict is a set that keeps the order
    for entry in found:
        for metric, score in entry.result.network.scores.items():
            alike.setdefault(tables.definition(score, less), {})[metric, entry.name] = None
    return [
        Definition(
            metrics=list(dict.fromkeys(metric for metric, _ in pairs)),
            generators=list(dict.fromkeys(name for _, name in pairs)),
            text=text,
        )
        for text, pairs in alike.items()
    ]
