"""What is written of entries: an entry's `card.md`, and the zoo's `README.md`. All of it follows from metrics.json."""

from akdg_tf.zoo.entries import LITERT, Entry, by_teacher

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
    lines += ["", *table(entry), "", *_definitions(entry), *_over_seeds(metrics["over_seeds"])]
    if "litert" in metrics:
        lines += ["", _litert(metrics["litert"])]
    return "\n".join([*lines, "", CLASSIFIER_LIMITS if entry.kind == "classifier" else LIMITS])


def command(metrics: dict) -> str:
    """The command that made the run."""
    return f"python run.py {' '.join(f'--gin_file={file}' for file in metrics['gin_files'])} --seed={metrics['seed']}"


def _what(entry: Entry) -> str:
    metrics = entry.metrics
    method = METHODS.get(metrics["method"], f"trained by {metrics['method']}")
    teacher = f"`{metrics['teacher_name']}`" if entry.kind == "student" else ""
    kind = {"student": "student generator", "teacher": "teacher generator", "classifier": "classifier"}[entry.kind]
    return f"A {kind}, {metrics['network']}, {method.format(teacher=teacher)}."


def table(entry: Entry) -> list[str]:
    """Counts and metrics, with the teacher's beside a student's."""
    sides = {entry.name: entry.network} | ({"teacher": entry.metrics["teacher"]} if entry.kind == "student" else {})
    lines = [_line("", *sides), "|---" * (len(sides) + 1) + "|"]
    for key, label in COUNTS.items():
        if key in entry.network:
            lines.append(_line(label, *(f"{side[key]:,}" for side in sides.values())))
    for metric in entry.metrics["metrics"]:
        lines.append(_line(metric, *(_number(side["metrics"][metric]) for side in sides.values())))
    return lines


def _definitions(entry: Entry) -> list[str]:
    """What defines the metrics; those that are defined alike on one line."""
    lines: dict[str, list[str]] = {}
    for metric, record in entry.metrics["metrics"].items():
        text = ", ".join(f"{key} {value}" for key, value in record.items() if key not in ("value", "std"))
        lines.setdefault(text, []).append(metric)
    speed = [f"Speed: {entry.metrics['machine']}."] if "machine" in entry.metrics else []
    return [f"{line}  " for line in (*(f"{', '.join(metrics)}: {text}." for text, metrics in lines.items()), *speed)]


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
    for teacher, group in by_teacher(found).items():
        lines += [f"## {teacher} and its students", ""]
        metrics = list(group[0].metrics["metrics"])
        lines.append(_line("", "entry", "method", "params", "mult-adds", "size", "images/s", *metrics))
        lines.append("|---" * (len(metrics) + 7) + "|")
        lines += [_row(entry, metrics) for entry in group]
        lines += ["", *_definitions(group[0]), ""]
    lines += ["## Classifiers", ""]
    for entry in found:
        if entry.kind == "classifier":
            accuracy = entry.metrics["metrics"]["accuracy"]
            right = f"{100 * accuracy['value']:.2f} % of {accuracy['n_real']:,} images right ({accuracy['split']})"
            lines.append(f"- [{entry.name}]({entry.name}/card.md): {right}")
    return "\n".join(lines) + "\n"


def _row(entry: Entry, metrics: list[str]) -> str:
    network, name = entry.network, entry.name
    values = [entry.metrics["metrics"].get(metric) for metric in metrics]
    return _line(
        f'<img src="{name}/samples.png" width="128" alt="samples of {name}">',
        f"[{name}]({name}/card.md)",
        METHOD_NAMES.get(entry.metrics["method"], entry.metrics["method"]),
        *(f"{network['params']:,}", f"{network['mult_adds'] / 1e6:,.3g}M", f"{network['bytes'] / 1e6:.3g} MB"),
        f"{network['images_per_second']:,}",
        *("" if record is None else _number(record) for record in values),
    )


def _number(record: dict) -> str:
    return f"{record['value']:.4g}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
