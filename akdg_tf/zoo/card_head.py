"""The YAML head of an entry's card, which Hugging Face's hub reads: licence, tags, data, scores.

Strings are written as JSON, which is valid YAML. What could be markup in a viewer that does not know the head is
escaped, too.
"""

import json
import re
from collections.abc import Iterator

from akdg_tf.artifacts.result import Result, Score
from akdg_tf.zoo.entries import LITERT, ONNX, Entry

TASKS = {"classifier": "image-classification"}  # by kind; all others draw images
DRAWS = "unconditional-image-generation"
METHOD_TAGS = {
    "GAN": ("gan",),
    "AKDG": ("gan", "akdg", "knowledge-distillation"),
    "MSEDistillation": ("knowledge-distillation",),
    "LIT": ("knowledge-distillation",),
}
FORMAT_TAGS = {LITERT: "tflite", ONNX: "onnx"}
DATASETS = {  # the hub's names of the registered datasets
    "mnist5k": "ylecun/mnist",
    "mnist": "ylecun/mnist",
    "fashion_mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
    "imagenet": "ILSVRC/imagenet-1k",
}
OURS = "apache-2.0"
LICENCES = (OURS, "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0")  # ids of the hub
FENCE = "---"


def head(entry: Entry) -> list[str]:
    """The lines of the head, with the lines that enclose it.

    Raises:
        UserError: metrics.json cannot be read.
    """
    result = entry.result
    task = TASKS.get(entry.kind, DRAWS)
    scores = result.network.scores
    fields = {
        **_licence(result),
        "library_name": "akdg_tf",
        "pipeline_tag": task,
        "tags": _tags(entry),
        "datasets": [DATASETS[result.dataset]] if result.dataset in DATASETS else [],
        "metrics": list(dict.fromkeys(map(_metric, scores))),
    }
    lines = [f"{key}: {_quoted(value)}" for key, value in fields.items() if value]
    return [FENCE, *lines, *(_model_index(entry.name, task, scores) if scores else ()), FENCE]


def _licence(result: Result) -> dict[str, str]:
    """Of the weights. A licence that the hub has no id for is named by the entry's LICENSE."""
    name = result.origin.licence.partition(",")[0].strip().lower() if result.origin else OURS
    if name in LICENCES:
        return {"license": name}
    return {"license": "other", "license_name": "see-license", "license_link": "LICENSE"}


def _tags(entry: Entry) -> list[str]:
    method = METHOD_TAGS.get(entry.result.method, ())
    return [*method, "tensorflow", "keras", *(FORMAT_TAGS[name] for name in entry.exported)]


def _metric(name: str) -> str:
    """The kind of a score: "fid" of "fid[mnist-classifier]"."""
    return name.partition("[")[0]


def _model_index(name: str, task: str, scores: dict[str, Score]) -> Iterator[str]:
    """The scores, grouped by the samples that they were computed with, each with all that defines it."""
    yield "model-index:"
    yield f"- name: {_quoted(name)}"
    yield "  results:"
    for dataset, split in dict.fromkeys((score.dataset, score.split) for score in scores.values()):
        yield f"  - task: {_quoted({'type': task})}"
        yield f"    dataset: {_quoted({'type': DATASETS.get(dataset, dataset), 'name': dataset, 'split': split})}"
        yield "    metrics:"
        for metric, score in scores.items():
            if (score.dataset, score.split) == (dataset, split):
                less = ("dataset", "split")
                definition = {key: value for key, value in score.definition().items() if key not in less}
                record = {"type": _metric(metric), "name": metric, "value": score.value, "args": definition}
                yield f"    - {_quoted(record)}"


def _quoted(value: object) -> str:
    """A value as JSON on one line, without characters that YAML refuses or that a viewer could take for markup."""
    text = "".join(each if each.isprintable() else "?" for each in json.dumps(value, ensure_ascii=False))
    return re.sub(r"[<>&`|]|(?<=\])\(", lambda found: f"\\u{ord(found[0]):04x}", text)
