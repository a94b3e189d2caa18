"""What defines the scores of several entries, said once for all that are defined alike."""

import dataclasses
from collections.abc import Iterable

from akdg_tf.reporting import tables
from akdg_tf.zoo.entries import Entry


@dataclasses.dataclass(frozen=True)
class Definition:
    """Scores that are defined alike.

    Attributes:
        metrics: names of the scores.
        generators: names of the entries that have one of them.
        text: what defines them.
    """

    metrics: list[str]
    generators: list[str]
    text: str


def definitions(found: Iterable[Entry], less: tuple[str, ...] = ()) -> list[Definition]:
    """Each different definition of the scores of entries.

    Args:
        found: the entries.
        less: names of fields of a score that are left out.
    """
    alike: dict[str, dict[tuple[str, str], None]] = {}  # a dict of nothing keeps the order, as a set does not
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
