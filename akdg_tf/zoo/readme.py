"""The zoo's `README.md`: its entries in tables with pictures, grouped by teacher."""

import pathlib
import urllib.parse

from akdg_tf.errors import UserError
from akdg_tf.files import read_small, write_text
from akdg_tf.reporting import markdown, tables
from akdg_tf.reporting.markdown import attribute, escape
from akdg_tf.zoo.definitions import definitions
from akdg_tf.zoo.entries import LITERT, SAMPLES, Entry, Group, check_name, entries, groups

TITLE = "# The zoo"
HEAD = f"""{TITLE}

Published students, the teachers that they were distilled from, and the classifiers that scores are computed over.
`akdg zoo verify` checks all of them. How to load an entry: [Use a student](../docs/use_a_student.md). How the CIFAR-10
networks were trained, most steps of them in PyTorch: [Results](../docs/results.md#how-they-were-trained). The scores of
real CIFAR-10 images: [What the scale means](../docs/results.md#what-the-scale-means).

An entry holds `saved_model/` (a Reusable SavedModel with the EMA weights), `model.tflite` (students), `model.onnx`
(where exported), `card.md`, `metrics.json`, `config.gin` (the configuration as used), `samples.png` and `SHA256SUMS`
(`sha256sum -c SHA256SUMS`). An entry that was trained elsewhere and only converted here has a `LICENSE` in place of
`config.gin`. A score with ± is the mean ± the sample standard deviation over several seeds; a score without ± is of one
seed. FID and KID: lower is better; the others: higher. Each picture shows 64 samples, not selected.
"""
SPEED = "the SavedModel at batch 64, one process per entry (on a shared machine it can vary by a factor of two)"
METHOD_NAMES = {"GAN": "vanilla GAN", "MSEDistillation": "MSE"}


def write(zoo: pathlib.Path) -> None:
    """Writes the README of a zoo.

    Raises:
        UserError: there are no entries, an entry cannot be read, or the folder holds the README.md of something else.
    """
    path, found = zoo / "README.md", entries(zoo)
    if not found:
        raise UserError(f"{zoo} holds no entries: give the folder of a zoo")
    check_place(zoo)
    write_text(path, readme(found))


def check_place(zoo: pathlib.Path) -> None:
    """Checks that a folder can hold a zoo.

    Raises:
        UserError: the folder holds the README.md of something else.
    """
    path = zoo / "README.md"
    if path.exists() and not read_small(path).startswith(TITLE.encode()):
        raise UserError(f"{path} is not the README of a zoo: choose another folder for the zoo")


def readme(found: list[Entry]) -> str:
    """The README of a zoo of these entries, in Markdown.

    Raises:
        UserError: an entry cannot be read, or its folder's name is not a valid name of an entry.
    """
    for entry in found:
        check_name(entry.name)
    lines = [HEAD]
    for group in groups(found):
        lines += [f"## {_title(group)}", "", *_table(group), ""]
        for one in definitions(group.members, less=("seed", "splits")):
            whose = "" if len(one.generators) == len(group.members) else f" of {', '.join(map(escape, one.generators))}"
            lines.append(f"{', '.join(map(escape, one.metrics))}{whose}: {escape(one.text)}.  ")
        unscored = [escape(entry.name) for entry in group.members if entry.result.unscored]
        lines += [f"Unscored, because the configuration binds no evaluations: {', '.join(unscored)}.  "] * bool(
            unscored
        )
        machines = sorted({escape(entry.result.machine or tables.UNKNOWN) for entry in group.members})
        lines += [f"images/s: {SPEED}, on {'; '.join(machines)}.", ""]
    classifiers = [entry for entry in found if entry.kind == "classifier"]
    links = (f"- {_link(entry)}: {escape(about_classifier(entry))}" for entry in classifiers)
    return "\n".join([*lines, "## Classifiers", "", *links]) + "\n"


def _title(group: Group) -> str:
    if not group.name:
        return "Students of an unnamed teacher"
    return escape(group.name) + " and its students" * bool(group.students)


def _table(group: Group) -> list[str]:
    metrics = list(dict.fromkeys(metric for entry in group.members for metric in entry.result.network.scores))
    head = ["", "entry", "method", "params", "mult-adds", "weights", LITERT, "images/s", *map(escape, metrics)]
    align = "lll" + "r" * (len(head) - 3)
    return markdown.table(head, (_row(entry, metrics) for entry in group.members), align)


def _row(entry: Entry, metrics: list[str]) -> list[str]:
    network, scores = entry.result.network, entry.result.scores_over_seeds()
    address, alt = urllib.parse.quote(entry.name), attribute(f"samples of {entry.name}")
    return [
        f'<img src="{address}/{SAMPLES}" width="128" alt="{alt}">',
        _link(entry),
        escape(method(entry)) + ", unscored" * entry.result.unscored,
        tables.count(network.params),
        tables.UNKNOWN if network.mult_adds is None else tables.millions(network.mult_adds),
        tables.UNKNOWN if network.bytes is None else f"{network.bytes / 1e6:.3g} MB",
        _file(entry),
        tables.count(network.images_per_second),
        *(tables.mean_and_spread(scores[metric].values) if metric in scores else "" for metric in metrics),
    ]


def _file(entry: Entry) -> str:
    """Size of `model.tflite` and how it stores the weights; "" if there is none."""
    file = entry.result.litert
    return f"{file.file_size / 1e6:.3g} MB, {escape(file.weights)}" if file else ""


def _link(entry: Entry) -> str:
    return markdown.link(entry.name, entry.name, "card.md")


def method(entry: Entry) -> str:
    """Short name of the method that the entry was trained by."""
    return METHOD_NAMES.get(entry.result.method, entry.result.method)


def about_classifier(entry: Entry) -> str:
    """The accuracy of a classifier, as text; for one that was converted, its source, licence and purpose."""
    origin = entry.result.origin
    if origin:
        return f"an independent space for scores, not trained here; from {origin.source}; licence: {origin.licence}"
    score = entry.result.network.scores.get("accuracy")
    if score is None:
        return "accuracy unknown"
    return f"correct on {100 * score.value:.2f} % of {score.n_real:,} images ({score.split})"
