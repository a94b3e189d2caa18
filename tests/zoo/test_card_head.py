"""The YAML head of a card, as Hugging Face's hub reads it.

Its library huggingface_hub is too large a dependency for this test. With its version 2.4.0 the head of every entry was
read once by `ModelCard.load`, and `model_index_to_eval_results` and back gave the same `model-index`.
"""

import pytest
import yaml
from made_up_zoo import made_up_network, made_up_origin, made_up_score, write_metrics
from support import ROOT

from akdg_tf.artifacts.result import ExportedModel
from akdg_tf.zoo import card
from akdg_tf.zoo.entries import entries

HOSTILE = "\"x': [<script>alert(1)</script>]\n---\n# b [c](http://evil) `d` |e| \ud800\u2028\x7f\x00 &lt; %Y ä 絵"


def head(entry):
    """The head as the hub reads it: the YAML between the first two lines of three dashes."""
    first, text, _ = card.card(entry).split("---\n", 2)
    assert first == ""
    return yaml.safe_load(text)


def test_a_student_is_described_by_its_method_data_formats_and_scores(tmp_path):
    scores = {
        "fid[c]": made_up_score(1.5, dataset="mnist5k", split="train (5,000)"),
        "is[c]": made_up_score(2.0, dataset="mnist5k", split="train (5,000)", splits=10),
        "fid_to_teacher[c]": made_up_score(3.0, dataset="teacher", split="t"),
        "fid[d]": made_up_score(4.0, classifier="d", dataset="mnist5k", split="train (5,000)"),
    }
    record = {"teacher": made_up_network("t"), "dataset": "mnist5k", "onnx": ExportedModel(9, "float32", 64, 0.0)}
    found = head(write_metrics(tmp_path / "x", network=made_up_network("x", scores=scores), **record))
    results = found.pop("model-index")
    assert found == {
        "license": "apache-2.0",
        "library_name": "akdg_tf",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "akdg", "knowledge-distillation", "tensorflow", "keras", "onnx"],
        "datasets": ["ylecun/mnist"],
        "metrics": ["fid", "is", "fid_to_teacher"],
    }
    args = {"n_real": 9, "n_fake": 9, "classifier": "c", "resize": "none", "seed": 0}
    real = [
        {"type": "fid", "name": "fid[c]", "value": 1.5, "args": args},
        {"type": "is", "name": "is[c]", "value": 2.0, "args": {**args, "splits": 10}},
        {"type": "fid", "name": "fid[d]", "value": 4.0, "args": {**args, "classifier": "d"}},
    ]
    teacher = [{"type": "fid_to_teacher", "name": "fid_to_teacher[c]", "value": 3.0, "args": args}]
    task = {"type": "unconditional-image-generation"}
    datasets = [
        {"type": "ylecun/mnist", "name": "mnist5k", "split": "train (5,000)"},
        {"type": "teacher", "name": "teacher", "split": "t"},
    ]
    expected = zip(datasets, (real, teacher), strict=True)
    assert results == [
        {"name": "x", "results": [{"task": task, "dataset": data, "metrics": rows} for data, rows in expected]}
    ]


def test_without_scores_there_is_no_index_and_unknown_data_are_not_named(tmp_path):
    network = made_up_network("x", scores={})
    found = head(write_metrics(tmp_path / "x", network=network, method="Mine", dataset="folder"))
    assert found == {
        "license": "apache-2.0",
        "library_name": "akdg_tf",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["tensorflow", "keras"],
    }


@pytest.mark.parametrize(
    ("licence", "stated"),
    [
        ("MIT, O", {"license": "mit"}),
        ("Apache-2.0, Copyright (c) 2020, O", {"license": "apache-2.0"}),
        ("Mine", {"license": "other", "license_name": "see-license", "license_link": "LICENSE"}),
    ],
)
def test_a_converted_classifier_keeps_its_licence(licence, stated, tmp_path):
    origin = made_up_origin(licence=licence)
    found = head(write_metrics(tmp_path / "x", kind="classifier", method="converted", origin=origin))
    assert {key: value for key, value in found.items() if key.startswith("license")} == stated
    assert found["pipeline_tag"] == found["model-index"][0]["results"][0]["task"]["type"] == "image-classification"


def test_no_text_from_metrics_json_leaves_its_quotes(tmp_path):
    scores = {HOSTILE: made_up_score(1.0, classifier=HOSTILE, split=HOSTILE, dataset=HOSTILE)}
    entry = write_metrics(tmp_path / "x", network=made_up_network("x", scores=scores), dataset=HOSTILE)
    (result,) = head(entry)["model-index"][0]["results"]
    shown = HOSTILE.replace("\ud800", "?").replace("\u2028", "?").replace("\x7f", "?")
    assert result["dataset"] == {"type": shown, "name": shown, "split": shown}
    assert [(row["name"], row["args"]["classifier"]) for row in result["metrics"]] == [(shown, shown)]


@pytest.mark.parametrize("entry", entries(ROOT / "zoo"), ids=lambda entry: entry.name)
def test_the_head_of_every_published_card_holds_its_scores(entry):
    _, text, _ = (entry.folder / "card.md").read_text().split("---\n", 2)
    found = yaml.safe_load(text)
    rows = [row for index in found.get("model-index", []) for each in index["results"] for row in each["metrics"]]
    assert {row["name"]: row["value"] for row in rows} == {
        name: score.value for name, score in entry.result.network.scores.items()
    }
