"""An entry holds `model.tflite` and `model.onnx` where its run exported them, and states how they store the weights."""

import dataclasses
import re
import sys
import types

import pytest
from made_up_zoo import made_up_score, random_mlp, write_run

import akdg_tf
from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.artifacts.onnx import ONNX
from akdg_tf.artifacts.result import ExportedModel, read_run
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.zoo import checksums, publish
from akdg_tf.zoo.routes import Difference
from akdg_tf.zoo.verify import recomputed, verify

pytestmark = pytest.mark.usefixtures("folder_with_gin_files")


@pytest.mark.parametrize(("file", "field"), [("model.tflite", "litert"), ("model.onnx", "onnx")])
def test_a_student_without_an_optional_export_is_an_entry_too(file, field, tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    (run / file).unlink()
    entry = publish.publish([run])
    assert getattr(entry.result, field) is None and file not in (entry.folder / "card.md").read_text()
    assert verify(entry)["loads"].startswith("6 routes")
    (entry.folder / file).write_bytes(b"a stranger")
    checksums.seal(entry.folder)
    with pytest.raises(UserError, match=f"it must not hold {re.escape(file)}"):
        verify(entry)


def test_weights_in_float16_are_stated_and_held_to_less_than_a_gray_level(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    ONNX("float16").write(random_mlp(), run)
    entry = publish.publish([run])
    assert entry.result.onnx.weights == "float16" and 1e-6 < entry.result.onnx.max_difference < 1 / 255
    assert verify(entry)["loads"].startswith("7 routes")


@pytest.fixture
def quantized(tmp_path):
    """An entry of two seeds whose `model.tflite` stores its weights in int8, with scores of its own."""
    runs = []
    for seed, fid in enumerate((2.5, 3.5)):
        run = write_run(tmp_path / f"run{seed}", random_mlp(), seed=seed)
        export_and_score(run, "int8_full", fid)
        runs.append(run)
    return publish.publish(runs)


def export_and_score(run, weights, fid):
    """Writes the run's `model.tflite` again, and a score of its images."""
    LiteRT(weights).write(random_mlp(), run)
    size = (run / "model.tflite").stat().st_size
    scored = ExportedModel(size, weights, 64, 0.0, 0.0, {"fid[c]": made_up_score(fid)})
    write_json(run / "result.json", dataclasses.replace(read_run(run), litert=scored).to_json())


@pytest.mark.parametrize(("before", "after"), [(None, "int4"), ("int8_full", "int4"), ("int4", "float32")])
def test_a_file_that_was_written_again_after_the_scores_is_not_published(before, after, tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    if before:
        export_and_score(run, before, 2.5)
    LiteRT(after).write(random_mlp(), run)
    with pytest.raises(
        UserError, match=r"model\.tflite is not the file that was scored: run its command again with --st"
    ):
        publish.publish([run])


def test_a_file_of_another_network_or_a_damaged_one_is_not_published(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    LiteRT().write(random_mlp(seed=1), run)
    with pytest.raises(
        UserError, match=r"model\.tflite differs from m\(z\) by .*; run its command again with --stage=exp"
    ):
        publish.publish([run])
    (run / "model.tflite").write_bytes((run / "model.tflite").read_bytes()[:100])
    with pytest.raises(UserError, match=r"model\.tflite is damaged: export it again"):
        publish.publish([run])


def test_an_entry_of_quantized_weights_states_its_mean_difference_and_its_own_scores(quantized):
    record = quantized.result.litert
    assert (record.weights, record.scores["fid[c]"].value) == ("int8_full", 2.5)
    assert quantized.result.scores_of_file()["fid[c]"].values == (2.5, 3.5)
    assert 1e-5 < record.mean_difference < record.max_difference < 0.1
    assert record.file_size == (quantized.folder / "model.tflite").stat().st_size
    assert verify(quantized)["loads"].startswith("7 routes")
    card = (quantized.folder / "card.md").read_text()
    assert f"by at most {record.max_difference:.1e} and on average by {record.mean_difference:.1e}" in card
    assert "Scores of the images of `model.tflite`: fid[c] 2.5." in card
    assert "- fid[c]: 3 ± 0.71 (seed 0: 2.5, 1: 3.5)" in card


def test_the_file_of_a_network_that_was_fine_tuned_from_another_one_is_found():
    """It differs by less than rounding to int4 may, but by far more than is stated."""
    stated = ExportedModel(9, "int4", 64, 1e-6, 4.4e-8)
    Difference(1.2e-6, 5e-8).check_stated("model.tflite", stated)
    swapped = Difference(0.3, 12.6 / 255)
    swapped.check("model.tflite", "int4")
    with pytest.raises(UserError, match=r"model\.tflite differs from m\(z\) by 3\.0e-01, not by 1\.0e-06"):
        swapped.check_stated("model.tflite", stated)


def test_the_scores_of_the_file_are_computed_again_too(quantized, monkeypatch):
    found = dataclasses.replace(quantized.result, litert=dataclasses.replace(quantized.result.litert, scores={}))
    experiment = types.SimpleNamespace(prepare_data=lambda evaluating: None, evaluate=lambda: found)
    monkeypatch.setattr("akdg_tf.zoo.verify.config.build", lambda run: experiment)
    monkeypatch.setattr("akdg_tf.zoo.verify.reads_folder", lambda dataset: False)
    with pytest.raises(UserError, match=r"its configuration does not compute model\.tflite's fid\[c\]"):
        recomputed(quantized, None)
    found.litert.scores["fid[c]"] = made_up_score(2.6)
    with pytest.raises(UserError, match=r"model\.tflite's fid\[c\] is 2\.6, not 2\.5"):
        recomputed(quantized, None)
    found.litert.scores["fid[c]"] = made_up_score(2.5)
    assert recomputed(quantized, None) == "fid[c] 1"


def test_quantized_weights_of_another_generator_are_found_and_cannot_be_stated_to_be_others(quantized):
    """A looser tolerance cannot be had by stating it."""
    other = random_mlp(seed=5)
    other.set_weights([5 * weight for weight in other.get_weights()])
    LiteRT("int8_full").write(other, quantized.folder)
    checksums.seal(quantized.folder)
    with pytest.raises(UserError, match=r"model\.tflite differs from m\(z\) on average by .*, more than 6\.3e-02"):
        verify(quantized)
    LiteRT("float16").write(random_mlp(), quantized.folder)
    checksums.seal(quantized.folder)
    with pytest.raises(UserError, match=r"the weights of model\.tflite are in float16, not in int8_full"):
        verify(quantized)


def test_without_onnxruntime_an_entry_of_it_is_not_verified_but_loads(tmp_path, monkeypatch):
    entry = publish.publish([write_run(tmp_path / "run", random_mlp())])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"zoo/x/model\.onnx needs onnxruntime: pip install onnxruntime$"):
        verify(entry)
    assert akdg_tf.load(entry.folder).sample(1).shape == (1, 8, 8, 1)
