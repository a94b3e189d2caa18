"""An entry's `card.md`: what a user must know to trust a generator. Its head is in `card_head.py`.

The card depends only on metrics.json, with one exception: the name of a network with an entry in the same zoo is a link
to that entry's card.
"""

from collections.abc import Iterator, Mapping

from akdg_tf.artifacts.result import CALLABLE, QUANTIZED, OverSeeds, Parent, Result
from akdg_tf.latents import classes_in
from akdg_tf.models.counting import exceeded
from akdg_tf.reporting import markdown, tables
from akdg_tf.reporting.markdown import code, escape
from akdg_tf.zoo import card_head
from akdg_tf.zoo.definitions import definitions
from akdg_tf.zoo.entries import Entry, check_name

KINDS = {"student": "student generator", "teacher": "teacher generator", "classifier": "classifier"}
# For each method with a teacher, the text before the teacher's name and the text after it.
DISTILLED = {
    "AKDG": ("distilled from", "by Adversarial Knowledge Distillation (AKDG; Tsunashima et al., ICPR 2020)"),
    "MSEDistillation": ("trained to imitate", "on the same latents (MSE; Aguinaldo et al. 2019)"),
    "LIT": ("trained to imitate", "block by block (LIT; Koratana et al. 2019)"),
}
TRAINED = {
    "GAN": "trained as a plain GAN, without a teacher (vanilla; Mescheder et al. 2018)",
    "classifier": "trained on labelled images; metrics are computed over it",
}
# By role. The entry of a run's name may hold another run of the same gin files.
ORIGINS = {
    "teacher": "learned from",
    "init_from": "started from the weights of",
    "compressed": "was compressed from a run of",
}
LABELS = {
    "layers": "layers",
    "params": "params",
    "mult_adds": "mult-adds per image",
    "executed_mult_adds": "executed mult-adds per image",
    "bytes": "weights, bytes",
    "file_size": "saved_model/, bytes",
    "compressed_size": "saved_model/ as a zip file, bytes",
    "images_per_second": "images/s, batch 64",
    "latent_dim": "latent_dim",
}
BETTER = {"is": "higher", "fid": "lower", "kid": "lower", "precision": "higher", "recall": "higher"}
LOAD = """```python
import akdg_tf

images = akdg_tf.load("{name}").sample(16{label})  # float32, in [0, 1]
```

Other ways to load it: [Use a student](../../docs/use_a_student.md).
"""
DRAWS = """\
It draws images like its training images, at their size only. You cannot choose what it draws. Its latents are drawn
from N(0, I)."""
DRAWS_CLASSES = """\
It draws images like its training images, at their size only. You choose the class of an image, from 0 to {last}, and
nothing else. The last {classes} entries of a latent are the class, one-hot; the others are drawn from N(0, I)."""
LIMITS = """\
{draws} Its scores can be compared only with scores over the same classifier, split and numbers of images. They do
not tell whether the images can be recognised, so look at the samples first. For the scores of real images (CIFAR-10
only), see [Results](../../docs/results.md#what-the-scale-means). It may reproduce training images; this was not tested.
"""
UNSCORED = "- **unscored**: its configuration binds no evaluations"
UNSCORED_LIMITS = """\
{draws} It was not scored, so look at the samples first. It may reproduce training images; this was not tested.
"""
CLASSIFIER_LIMITS = "It measures generators of the same dataset. Its outputs for other images mean nothing.\n"
CONVERTED_LIMITS = """\
It is an independent feature space for scores: no network of this repository was trained with it. Its scores can be
compared only with each other. Its accuracy was not measured here.
"""
LICENCE = """\
Apache-2.0, like the whole repository. The training images are not part of it. Their publishers' terms apply to them.
"""
CONVERTED_LICENCE = """\
{licence}; see [LICENSE](LICENSE). The training images are not part of it. Their publishers' terms apply to them.
"""


def card(entry: Entry) -> str:
    """The entry's card, in Markdown.

    Raises:
        UserError: metrics.json cannot be read, or the folder's name is not a valid name of an entry.
    """
    result, classifier, name = entry.result, entry.kind == "classifier", check_name(entry.name)
    lines = [*card_head.head(entry), "", f"# {name}", "", " ".join([_what(entry), *_origins(entry)]), ""]
    if not classifier:
        lines += [
            "![samples](samples.png)",
            "",
            LOAD.format(name=name, label=", label=1" * bool(classes_in(result.network.prior))),
        ]
    lines += [
        f"- data: {escape(result.dataset)}, {escape(result.split)}",
        *_making(result),
        f"- command: {code(result.command)}",
        *_gin_files(result),
        *_warnings(result),
        *_changes(result),
        *([UNSCORED] if result.unscored else []),
        *("", *_table(entry), ""),
        *_definition_lines(entry),
        *_over_seeds(result.over_seeds),
        *_exported(entry),
    ]
    lines += ["", "## Limits", "", _limits(entry), "## Licence", "", _licence(result)]
    return "\n".join(lines)


def mentioned(result: Result) -> set[str]:
    """Names of the networks that a card links to if they have an entry."""
    found = {parent.name for parent in _ancestors(result.parents)}
    return found | ({result.teacher.name} if result.teacher else set())


def _ancestors(parents: tuple[Parent, ...]) -> Iterator[Parent]:
    """The parents and all their ancestors. Each parent is followed by its own ancestors."""
    for parent in parents:
        yield parent
        yield from _ancestors(parent.parents)


def _named(entry: Entry, name: str) -> str:
    """A network's name; with an entry in the same zoo, a link to its card."""
    if name == CALLABLE:
        return "a Python callable"
    return markdown.link(name, "..", name, "card.md") if entry.sibling(name) else escape(name)


def _what(entry: Entry) -> str:
    result = entry.result
    kind = f"A {KINDS[entry.kind]}" + (f", {escape(result.network.network)}" if result.network.network else "")
    if result.method in DISTILLED and result.teacher:
        verb, method = DISTILLED[result.method]
        return f"{kind}, {verb} {_named(entry, result.teacher.name)} {method}."
    if result.origin:
        purpose = "; metrics are computed over it" if entry.kind == "classifier" else ""
        return f"{kind}, converted from {escape(result.origin.source)}. It was not trained here{purpose}."
    compared = f", compared with {_named(entry, result.teacher.name)}" if result.teacher else ""
    return f"{kind}, {TRAINED.get(result.method, f'trained by {escape(result.method)}')}{compared}."


def _origins(entry: Entry) -> Iterator[str]:
    """One sentence for each network that it was made from, except the teacher that `_what` names."""
    result = entry.result
    said = result.teacher.name if result.method in DISTILLED and result.teacher else None
    for parent in result.parents:
        if parent.role != "teacher" or parent.name != said:
            yield f"It {_origin(entry, parent)}."
    for parent in _ancestors(result.parents):
        for one in parent.parents:
            yield f"{_named(entry, parent.name)} itself {_origin(entry, one)}."


def _origin(entry: Entry, parent: Parent) -> str:
    verb = ORIGINS.get(parent.role, f"was made ({escape(parent.role)}) from")
    step = f" at step {parent.step:,}" if parent.step is not None else ""
    return f"{verb} {_named(entry, parent.name)}{step}"


def _making(result: Result) -> list[str]:
    """How the network was trained, or how it was converted."""
    if result.origin is None:
        policy = f", {escape(result.dtype_policy)}" if result.dtype_policy else ""
        return [f"- method: {escape(result.method)}, {result.steps:,} steps, seed {result.seed}{policy}"]
    changes, digest = escape(result.origin.changes), escape(result.origin.digest)
    return [f"- method: {escape(result.method)}; {changes}", f"- SHA-256 of the file with the weights: {digest}"]


def _limits(entry: Entry) -> str:
    if entry.kind != "classifier":
        classes = classes_in(entry.result.network.prior)
        draws = DRAWS_CLASSES.format(classes=classes, last=classes - 1) if classes else DRAWS
        return (UNSCORED_LIMITS if entry.result.unscored else LIMITS).format(draws=draws)
    return CONVERTED_LIMITS if entry.converted else CLASSIFIER_LIMITS


def _licence(result: Result) -> str:
    return CONVERTED_LICENCE.format(licence=escape(result.origin.licence)) if result.origin else LICENCE


def _gin_files(result: Result) -> list[str]:
    """One line for each gin file that is not in the repository."""
    own = [file for file in result.gin_files if "/" not in file]
    return [f"- gin file {code(file)}: see [config.gin](config.gin), which holds all its bindings" for file in own]


def _warnings(result: Result) -> list[str]:
    """A line that names the costs in which a student exceeds its teacher, if there are any."""
    more = exceeded(vars(result.network), vars(result.teacher)) if result.teacher else []
    return [f"- **it has more {' and more '.join(more)} than its teacher**"] if more else []


def _changes(result: Result) -> list[str]:
    """One line for each change of the configuration during the training."""
    return [
        f"- **its configuration changed at step {each.step:,}**: from {_codes(each.removed)} to {_codes(each.added)}"
        for each in result.changes
    ]


def _codes(lines: tuple[str, ...]) -> str:
    return ", ".join(map(code, lines)) or "nothing"


def _table(entry: Entry) -> list[str]:
    """Counts and scores; for a student also the teacher's, and the ratio of the counts."""
    result, network, teacher = entry.result, entry.result.network, entry.result.teacher
    head = ["", escape(entry.name), *([_named(entry, teacher.name), "student / teacher"] if teacher else [])]
    rows = []
    for key in tables.counts_of(result):
        ours = getattr(network, key)
        its = getattr(teacher, key) if teacher else None
        rows.append([LABELS[key], tables.count(ours), *([tables.count(its), tables.share(ours, its)] * bool(teacher))])
    for metric, score in network.scores.items():
        better = BETTER.get(metric.partition("[")[0])
        label = escape(metric) + (f", {better} is better" if better else "")
        its = teacher.scores.get(metric) if teacher else None
        beside = [tables.number(its.value) if its else "", ""] if teacher else []
        rows.append([label, tables.number(score.value), *beside])
    return markdown.table(head, rows, "l" + "r" * (len(head) - 1))


def _definition_lines(entry: Entry) -> list[str]:
    lines = [f"{', '.join(map(escape, one.metrics))}: {escape(one.text)}." for one in definitions([entry])]
    speed = [f"Speed: {escape(entry.result.machine)}."] if entry.result.machine else []
    return [f"{line}  " for line in (*lines, *speed)]


def _over_seeds(scores: Mapping[str, OverSeeds]) -> list[str]:
    several = {metric: row for metric, row in scores.items() if len(row.values) > 1}
    lines = ["", "Over seeds (mean ± sample standard deviation, each seed's value):", ""] if several else []
    for metric, row in several.items():
        pairs = zip(row.seeds, row.values, strict=True)
        values = ", ".join(f"{seed}: {tables.number(value)}" for seed, value in pairs)
        lines.append(f"- {escape(metric)}: {tables.mean_and_spread(row.values)} (seed {values})")
    alone = [escape(metric) for metric in scores if metric not in several]
    return [*lines, "", f"Of one seed only: {', '.join(alone)}."] if alone else lines


def _exported(entry: Entry) -> Iterator[str]:
    for name, model in entry.exported.items():
        differ = f"its images differ from the SavedModel's by at most {model.max_difference:.1e}"
        if model.weights in QUANTIZED and model.mean_difference is not None:
            differ += f" and on average by {model.mean_difference:.1e}"
        yield ""
        yield (
            f"`{name}`: {model.file_size:,} bytes, weights in {escape(model.weights)}; {differ} "
            f"({model.samples} images in [0, 1])."
        )
        if model.scores:
            scores = ", ".join(f"{escape(name)} {tables.number(one.value)}" for name, one in model.scores.items())
            yield ""
            yield f"Scores of the images of `{name}`: {scores}."
            yield from _over_seeds(model.over_seeds)
