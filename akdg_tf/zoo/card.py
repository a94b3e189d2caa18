"""What is written of entries: an entry's `card.md`, and the zoo's `README.md`. All of it follows from metrics.json."""

from akdg_tf.zoo.entries import LITERT, Entry, groups

METHODS = {
    "AKDG": "distilled from {teacher} by Adversarial Knowledge Distillation (AKDG, ICPR 2020)",
    "MSEDistillation": "made to imitate {teacher} latent by latent (MSE; Aguinaldo et al. 2019)",
    "GAN": "trained as a plain GAN, without a teacher",
    "classifier": "trained on labelled images, for metrics to be computed over",
}
METHOD_NAMES = {"GAN": "vanilla GAN", "MSEDistillation": "MSE"}
COUNTS = {
    "layers": "layers",
    "params": "params",
    "mult_adds": "mult-adds an image",
    "executed_mult_adds": "mult-adds executed",
    "bytes": "weights, bytes",
    "file_size": "saved_model/, bytes",
    "images_per_second": "images/s, batch 64",
    "latent_dim": "latent_dim",
}
LICENCE = """## Licence

Apache-2.0, as all of this repository. The training images are not part of it; their terms are their publishers'.
"""
LIMITS = f"""## Limits

It draws what its training images show, at their size and no other, and cannot be told what to draw. Its latents are
drawn from N(0, I). Scores compare with others over the same classifier, split and numbers of images alone. It may
reproduce single training images; that was not tested for.

{LICENCE}"""
CLASSIFIER_LIMITS = f"""## Limits

It is a ruler for generators of the same dataset, not a product: its outputs for anything else mean nothing.

{LICENCE}"""
README_HEAD = """# The zoo

Published students, the teachers that they were distilled from, and the classifiers that scores are computed over. Made
by `python -m akdg_tf.zoo publish`; `python -m akdg_tf.zoo verify` checks all of it. How to load one: the README above.

An entry holds `saved_model/` (a Reusable SavedModel with the EMA weights), `model.tflite` (students), `card.md`,
`metrics.json`, `config.gin` (operative), `samples.png` and `SHA256SUMS` (`sha256sum -c SHA256SUMS`). Scores here are of
the published seed; the cards have the others.
"""


def card(entry: Entry) -> str:
    """The entry's card, in Markdown."""
    metrics = entry.metrics
    lines = [f"# {entry.name}", "", _what(entry), ""]
    if entry.kind != "classifier":
        lines += ["![samples](samples.png)", ""]
    facts = {
        "data": metrics["dataset"],
        "method": f"{metrics['method']}, {metrics['steps']:,} steps, seed {metrics['seed']}",
        "command": f"`{command(metrics)}`",
    }
    lines += [f"- {name}: {fact}" for name, fact in facts.items()]
    lines += ["", *table(entry), "", *_definition_lines(entry), *_over_seeds(metrics["over_seeds"])]
    if "litert" in metrics:
        lines += ["", _litert(metrics["litert"])]
    return "\n".join([*lines, "", CLASSIFIER_LIMITS if entry.kind == "classifier" else LIMITS])


def command(metrics: dict) -> str:
    """The command that made the run."""
    return f"python run.py {' '.join(f'--gin_file={file}' for file in metrics['gin_files'])} --seed={metrics['seed']}"


def _what(entry: Entry) -> str:
    metrics = entry.metrics
    how = METHODS.get(metrics["method"], f"trained by {metrics['method']}")
    teacher = f"`{metrics['teacher_name']}`" if entry.kind == "student" else ""
    kind = {"student": "student generator", "teacher": "teacher generator", "classifier": "classifier"}[entry.kind]
    return f"A {kind}, {metrics['network']}, {how.format(teacher=teacher)}."


def table(entry: Entry) -> list[str]:
    """Counts and metrics, with the teacher's beside a student's."""
    sides = {entry.name: entry.network} | ({"teacher": entry.metrics["teacher"]} if entry.kind == "student" else {})
    lines = [_line("", *sides), "|---" * (len(sides) + 1) + "|"]
    for key, label in COUNTS.items():
        if key in entry.network:
            lines.append(_line(label, *(f"{side[key]:,}" for side in sides.values())))
    for metric in entry.metrics["metrics"]:
        lines.append(_line(metric, *(number(side["metrics"][metric]["value"]) for side in sides.values())))
    return lines


def definitions(found: list[Entry], less: tuple[str, ...] = ()) -> list[dict]:
    """What defines the metrics of entries: a {"metrics", "generators", "text"} for each different definition.

    Args:
        found: the entries.
        less: what of a metric's record is left out, beside its value and spread.
    """
    alike: dict[str, dict] = {}
    for entry in found:
        for metric, record in entry.metrics["metrics"].items():
            keys = [key for key in record if key not in ("value", "std", *less)]
            text = ", ".join(f"{key} {number(record[key])}" for key in keys)
            definition = alike.setdefault(text, {"metrics": [], "generators": []})
            for key, value in (("metrics", metric), ("generators", entry.folder.name)):
                if value not in definition[key]:
                    definition[key].append(value)
    return [{**definition, "text": text} for text, definition in alike.items()]


def _definition_lines(entry: Entry) -> list[str]:
    lines = [f"{', '.join(definition['metrics'])}: {definition['text']}." for definition in definitions([entry])]
    speed = [f"Speed: {entry.metrics['machine']}."] if "machine" in entry.metrics else []
    return [f"{line}  " for line in (*lines, *speed)]


def _over_seeds(over_seeds: dict[str, dict]) -> list[str]:
    rows = {metric: row for metric, row in over_seeds.items() if len(row["values"]) > 1}
    lines = ["", "Over seeds (mean ± sample standard deviation, each seed's value):", ""] if rows else []
    for metric, row in rows.items():
        values = ", ".join(f"{seed}: {value:.4g}" for seed, value in zip(row["seeds"], row["values"], strict=True))
        lines.append(f"- {metric}: {row['mean']:.4g} ± {row['stdev']:.2g} (seed {values})")
    return lines


def _litert(record: dict) -> str:
    return (
        f"`{LITERT}`: {record['file_size']:,} bytes, weights in {record['weights']}; its images differ from the "
        f"SavedModel's by {record['max_difference']:.1e} at most ({record['samples']} images in [0, 1])."
    )


def readme(found: list[Entry]) -> str:
    """The zoo's README, in Markdown: a table for each teacher, then the classifiers."""
    lines = [README_HEAD]
    for group in groups(found):
        members = [*([group.teacher] if group.teacher else []), *group.students]
        metrics = list(members[0].metrics["metrics"])
        lines += [f"## {group.name or 'No named teacher'} and its students", ""]
        lines.append(_line("", "entry", "method", "params", "mult-adds", "size", "images/s", *metrics))
        lines.append("|---" * (len(metrics) + 7) + "|")
        lines += [_row(entry, metrics) for entry in members]
        lines += ["", *_definition_lines(members[0]), ""]
    classifiers = [entry for entry in found if entry.kind == "classifier"]
    links = (f"- [{entry.name}]({entry.name}/card.md): {accuracy(entry)}" for entry in classifiers)
    lines += ["## Classifiers", "", *links]
    return "\n".join(lines) + "\n"


def _row(entry: Entry, metrics: list[str]) -> str:
    network, name = entry.network, entry.folder.name
    return _line(
        f'<img src="{name}/samples.png" width="128" alt="samples of {name}">',
        f"[{name}]({name}/card.md)",
        method(entry),
        *(f"{network['params']:,}", f"{network['mult_adds'] / 1e6:,.3g}M", f"{network['bytes'] / 1e6:.3g} MB"),
        f"{network['images_per_second']:,}",
        *(number(entry.metrics["metrics"][metric]["value"]) for metric in metrics),
    )


def method(entry: Entry) -> str:
    """Short name of the method that it was trained by."""
    return METHOD_NAMES.get(entry.metrics["method"], entry.metrics["method"])


def accuracy(entry: Entry) -> str:
    """What a classifier gets right."""
    record = entry.metrics["metrics"]["accuracy"]
    return f"{100 * record['value']:.2f} % of {record['n_real']:,} images right ({record['split']})"


def number(value) -> str:
    """A value as text: whole numbers with separators, others with four digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
