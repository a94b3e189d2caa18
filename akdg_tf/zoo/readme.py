"""The zoo's `README.md`: its entries in tables with pictures, grouped by teacher."""

import pathlib
import urllib.parse

from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.reporting import markdown, tables
from akdg_tf.reporting.markdown import attribute, escape
from akdg_tf.zoo.definitions import definitions
from akdg_tf.zoo.entries import SAMPLES, Entry, Group, check_name, entries, groups

TITLE = "# The zoo"
HEAD = f"""{TITLE}

Published students, the teachers that they were distilled from, and the classifiers that scores are computed over.
`akdg zoo verify` checks all of it. How to load an entry, and the scores of real images: see the repository's README.

An entry holds `saved_model/` (a Reusable SavedModel with the EMA weights), `model.tflite` (students), `card.md`,
`metrics.json`, `config.gin` (operative), `samples.png` and `SHA256SUMS` (`sha256sum -c SHA256SUMS`). A score with ± is
the mean and the sample standard deviation over seeds; one without is of one seed. FID and KID: lower is better; the
others: higher. Pictures show 64 samples, unselected.
"""
SPEED = "the SavedModel at batch 64, each in a process of its own (between processes a fast one varies by a fifth)"
METHOD_NAMES = {"GAN": "vanilla GAN", "MSEDistillation": "MSE"}


def write(zoo: pathlib.Path) -> None:
    """Writes it.

    Raises:
        UserError: there is no entry, one cannot be read, or the README.md that is there is not a zoo's.
    """
    path, found = zoo / "README.md", entries(zoo)
    if not found:
        raise UserError(f"there is no entry of a zoo in {zoo}")
    check_place(zoo)
    write_text(path, readme(found))


def check_place(zoo: pathlib.Path) -> None:
    """Raises a UserError if the folder has a README.md that is not a zoo's: then it is no place for one."""
    path = zoo / "README.md"
    if path.exists() and not path.read_bytes().startswith(TITLE.encode()):
        raise UserError(f"{path} is not a zoo's: {zoo} is not the folder of a zoo")


def readme(found: list[Entry]) -> str:
    """The README of a zoo of these entries, in Markdown.

    Raises:
        UserError: an entry cannot be read, or its folder's name is not the name of an entry.
    """
    for entry in found:
        check_name(entry.name)
    lines = [HEAD]
    for group in groups(found):
        lines += [f"## {_title(group)}", "", *_table(group), ""]
        for one in definitions(group.members, less=("seed", "splits")):
            whose = "" if len(one.generators) == len(group.members) else f" of {', '.join(map(escape, one.generators))}"
            lines.append(f"{', '.join(map(escape, one.metrics))}{whose}: {escape(one.text)}.  ")
        machines = sorted({escape(entry.result.machine or tables.UNKNOWN) for entry in group.members})
        lines += [f"images/s: {SPEED}, on {'; '.join(machines)}.", ""]
    classifiers = [entry for entry in found if entry.kind == "classifier"]
    links = (f"- {_link(entry)}: {escape(accuracy(entry))}" for entry in classifiers)
    return "\n".join([*lines, "## Classifiers", "", *links]) + "\n"


def _title(group: Group) -> str:
    return f"{escape(group.name)} and its students" if group.name else "Students of a teacher without a name"


def _table(group: Group) -> list[str]:
    metrics = list(dict.fromkeys(metric for entry in group.members for metric in entry.result.network.scores))
    head = ["", "entry", "method", "params", "mult-adds", "weights", "images/s", *map(escape, metrics)]
    align = "lll" + "r" * (len(head) - 3)
    return markdown.table(head, (_row(entry, metrics) for entry in group.members), align)


def _row(entry: Entry, metrics: list[str]) -> list[str]:
    network, scores = entry.result.network, entry.result.scores_over_seeds()
    address, alt = urllib.parse.quote(entry.name), attribute(f"samples of {entry.name}")
    return [
        f'<img src="{address}/{SAMPLES}" width="128" alt="{alt}">',
        _link(entry),
        escape(method(entry)),
        tables.count(network.params),
        tables.UNKNOWN if network.mult_adds is None else f"{network.mult_adds / 1e6:,.3g}M",
        tables.UNKNOWN if network.bytes is None else f"{network.bytes / 1e6:.3g} MB",
        tables.count(network.images_per_second),
        *(tables.mean_and_spread(scores[metric].values) if metric in scores else "" for metric in metrics),
    ]


def _link(entry: Entry) -> str:
    return markdown.link(entry.name, entry.name, "card.md")


def method(entry: Entry) -> str:
    """Short name of the method that it was trained by."""
    return METHOD_NAMES.get(entry.result.method, entry.result.method)


def accuracy(entry: Entry) -> str:
    """What a classifier gets right."""
    score = entry.result.network.scores.get("accuracy")
    if score is None:
        return "its accuracy is unknown"
    return f"{100 * score.value:.2f} % of {score.n_real:,} images right ({score.split})"
