"""An entry's `card.md`: what a user must know to trust a generator. All of it follows from metrics.json."""

from akdg_tf.reporting.tables import mean_and_spread
from akdg_tf.zoo.entries import LITERT, Entry

METHODS = {
    "AKDG": "distilled from {teacher} by Adversarial Knowledge Distillation (AKDG; Tsunashima et al., ICPR 2020)",
    "MSEDistillation": "made to imitate {teacher} latent by latent (MSE; Aguinaldo et al. 2019)",
    "GAN": "trained as a plain GAN, without a teacher (vanilla; Mescheder et al. 2018)",
    "classifier": "trained on labelled images, for metrics to be computed over",
}
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
BETTER = {"is": "higher", "fid": "lower", "kid": "lower", "precision": "higher", "recall": "higher"}
LOAD = """```python
import akdg_tf

images = akdg_tf.load("{name}").sample(16)  # float32, in [0, 1]
```
"""
LIMITS = """It draws what its training images show, at their size and no other, and cannot be told what to draw. Its
latents are drawn from N(0, I). Scores compare with others over the same classifier, split and numbers of images alone,
and none of them says that an image can be recognised: look at the samples first. What real images score stands in the
repository's README. It may reproduce single training images; that was not tested for."""
CLASSIFIER_LIMITS = "It is a ruler for generators of the same dataset: its outputs for anything else mean nothing."
LICENCE = """Apache-2.0, as all of this repository. The training images are not part of it; their terms are their
publishers'."""


def card(entry: Entry) -> str:
    """The entry's card, in Markdown."""
    metrics, classifier = entry.metrics, entry.kind == "classifier"
    name = metrics["experiment"]
    lines = [f"# {name}", "", _what(entry), ""]
    if not classifier:
        lines += ["![samples](samples.png)", "", LOAD.format(name=name)]
    lines += [
        f"- data: {metrics['dataset']}",
        f"- method: {metrics['method']}, {metrics['steps']:,} steps, seed {metrics['seed']}",
        f"- command: `{metrics['command']}`",
        *_warnings(entry),
        *("", *_table(entry), ""),
        *_definition_lines(entry),
        *_over_seeds(metrics["over_seeds"]),
    ]
    if "litert" in metrics:
        lines += ["", _litert(metrics["litert"])]
    lines += ["", "## Limits", "", CLASSIFIER_LIMITS if classifier else LIMITS, "", "## Licence", "", LICENCE]
    return "\n".join(lines) + "\n"


def _what(entry: Entry) -> str:
    metrics, name = entry.metrics, entry.metrics.get("teacher_name")
    how = METHODS.get(metrics["method"], f"trained by {metrics['method']}")
    kind = {"student": "student generator", "teacher": "teacher generator", "classifier": "classifier"}[entry.kind]
    beside = f", beside [{name}](../{name}/card.md)" if entry.kind == "student" and "{teacher}" not in how else ""
    return f"A {kind}, {metrics['network']}, {how.format(teacher=f'[{name}](../{name}/card.md)')}{beside}."


def _warnings(entry: Entry) -> list[str]:
    """What a student costs more of than its teacher."""
    if entry.kind != "student":
        return []
    costs = {"params": "params", "mult_adds": "mult-adds"}
    more = [label for key, label in costs.items() if entry.network[key] > entry.metrics["teacher"][key]]
    return [f"- **it has more {' and more '.join(more)} than its teacher**"] if more else []


def _table(entry: Entry) -> list[str]:
    """Counts and metrics, with the teacher's and the share of them beside a student's."""
    network, teacher = entry.network, entry.metrics.get("teacher")
    heads = ["", entry.metrics["experiment"], *(["teacher", "student / teacher"] if teacher else [])]
    lines = [line(*heads), "|---" * len(heads) + "|"]
    for key, label in COUNTS.items():
        if key in network:
            share = [f"{teacher[key]:,}", f"{network[key] / teacher[key]:.3g}"] if teacher else []
            lines.append(line(label, f"{network[key]:,}", *share))
    for metric, record in entry.metrics["metrics"].items():
        beside = [number(teacher["metrics"][metric]["value"]), ""] if teacher else []
        better = BETTER.get(metric.partition("[")[0])
        lines.append(line(f"{metric}, {better} is better" if better else metric, number(record["value"]), *beside))
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
            for key, value in (("metrics", metric), ("generators", entry.name)):
                if value not in definition[key]:
                    definition[key].append(value)
    return [{**definition, "text": text} for text, definition in alike.items()]


def _definition_lines(entry: Entry) -> list[str]:
    lines = [f"{', '.join(definition['metrics'])}: {definition['text']}." for definition in definitions([entry])]
    speed = [f"Speed: {entry.metrics['machine']}."] if "machine" in entry.metrics else []
    return [f"{line}  " for line in (*lines, *speed)]


def _over_seeds(over_seeds: dict[str, dict]) -> list[str]:
    several = {metric: row for metric, row in over_seeds.items() if len(row["values"]) > 1}
    lines = ["", "Over seeds (mean ± sample standard deviation, each seed's value):", ""] if several else []
    for metric, row in several.items():
        values = ", ".join(f"{seed}: {number(value)}" for seed, value in zip(row["seeds"], row["values"], strict=True))
        lines.append(f"- {metric}: {mean_and_spread(row['values'])} (seed {values})")
    alone = [metric for metric in over_seeds if metric not in several]
    return [*lines, "", f"Of one seed alone: {', '.join(alone)}."] if alone else lines


def _litert(record: dict) -> str:
    return (
        f"`{LITERT}`: {record['file_size']:,} bytes, weights in {record['weights']}; its images differ from the "
        f"SavedModel's by {record['max_difference']:.1e} at most ({record['samples']} images in [0, 1])."
    )


def number(value) -> str:
    """A value as text: whole numbers with separators, others with four digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def line(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"
