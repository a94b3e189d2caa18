"""The zoo's `README.md`: its entries in tables with pictures, grouped by teacher."""

import pathlib

from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.reporting.tables import mean_and_spread
from akdg_tf.zoo.card import definitions, line
from akdg_tf.zoo.entries import Entry, Group, entries, groups

TITLE = "# The zoo"
HEAD = f"""{TITLE}

Published students, the teachers that they were distilled from, and the classifiers that scores are computed over.
`akdg zoo verify` checks all of it; how to load one, and what real images score: the repository's README.

An entry holds `saved_model/` (a Reusable SavedModel with the EMA weights), `model.tflite` (students), `card.md`,
`metrics.json`, `config.gin` (operative), `samples.png` and `SHA256SUMS` (`sha256sum -c SHA256SUMS`). A score with ± is
the mean and the sample standard deviation over seeds, one without it is of one seed. Lower is better of fid and kid,
higher of the others. Pictures show 64 samples, unselected.
"""
SPEED = "the SavedModel at batch 64, each in a process of its own, which alone moves a fast one by a fifth"
METHOD_NAMES = {"GAN": "vanilla GAN", "MSEDistillation": "MSE"}


def write(zoo: pathlib.Path) -> None:
    """Writes it.

    Raises:
        UserError: there is no entry, or the README.md that is there is not a zoo's.
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
    """The README of a zoo of these entries, in Markdown."""
    lines = [HEAD]
    for group in groups(found):
        lines += [f"## {group.name or 'No named teacher'} and its students", "", *_table(group), ""]
        for definition in definitions(group.members, less=("seed", "splits")):
            names = definition["generators"]
            whose = "" if len(names) == len(group.members) else f" of {', '.join(names)}"
            lines.append(f"{', '.join(definition['metrics'])}{whose}: {definition['text']}.  ")
        machines = sorted({entry.metrics["machine"] for entry in group.members})
        lines += [f"images/s: {SPEED}, on {'; '.join(machines)}.", ""]
    classifiers = [entry for entry in found if entry.kind == "classifier"]
    links = (f"- [{entry.name}]({entry.name}/card.md): {accuracy(entry)}" for entry in classifiers)
    return "\n".join([*lines, "## Classifiers", "", *links]) + "\n"


def _table(group: Group) -> list[str]:
    metrics = list(dict.fromkeys(metric for entry in group.members for metric in entry.metrics["metrics"]))
    heads = ["", "entry", "method", "params", "mult-adds", "weights", "images/s", *metrics]
    return [line(*heads), "|---" * len(heads) + "|", *(_row(entry, metrics) for entry in group.members)]


def _row(entry: Entry, metrics: list[str]) -> str:
    network, name, over_seeds = entry.network, entry.name, entry.metrics["over_seeds"]
    return line(
        f'<img src="{name}/samples.png" width="128" alt="samples of {name}">',
        f"[{name}]({name}/card.md)",
        method(entry),
        *(f"{network['params']:,}", f"{network['mult_adds'] / 1e6:,.3g}M", f"{network['bytes'] / 1e6:.3g} MB"),
        f"{network['images_per_second']:,}",
        *(mean_and_spread(over_seeds[metric]["values"]) if metric in over_seeds else "" for metric in metrics),
    )


def method(entry: Entry) -> str:
    """Short name of the method that it was trained by."""
    return METHOD_NAMES.get(entry.metrics["method"], entry.metrics["method"])


def accuracy(entry: Entry) -> str:
    """What a classifier gets right."""
    record = entry.metrics["metrics"]["accuracy"]
    return f"{100 * record['value']:.2f} % of {record['n_real']:,} images right ({record['split']})"
