"""An entry holds `model.tflite` and `model.onnx` where its run exported them, and states how they store the weights."""

import re
import sys

import pytest
from made_up_zoo import GIN_TEXT, random_mlp, write_run

import akdg_tf
from akdg_tf.artifacts.onnx import ONNX
from akdg_tf.errors import UserError
from akdg_tf.zoo import checksums, publish
from akdg_tf.zoo.verify import verify


@pytest.fixture(autouse=True)
def _folder_with_gin_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gin").mkdir()
    (tmp_path / "gin" / "x.gin").write_text(GIN_TEXT)


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


def test_without_onnxruntime_an_entry_of_it_is_not_verified_but_loads(tmp_path, monkeypatch):
    entry = publish.publish([write_run(tmp_path / "run", random_mlp())])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"zoo/x/model\.onnx needs onnxruntime: pip install onnxruntime$"):
        verify(entry)
    assert akdg_tf.load(entry.folder).sample(1).shape == (1, 8, 8, 1)
