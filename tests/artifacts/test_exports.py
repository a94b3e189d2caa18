"""Optional exports: what fails is named and left out, and costs nothing else."""

import dataclasses
import errno
import logging
import os

from support import SAMPLE_SHAPE, bicubic_generator

from akdg_tf import MLPGenerator
from akdg_tf.artifacts import exports
from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.errors import UserError
from akdg_tf.latents import latent_dim_of


@dataclasses.dataclass
class Text:
    """An export of a text file; `fault` is what it cannot do."""

    file: str
    fault: Exception | None = None

    def write(self, generator, folder):
        if self.fault:
            raise self.fault
        (folder / self.file).write_text(str(latent_dim_of(generator)))


GOOD, BAD, LAST = Text("a.txt"), Text("b.txt", UserError("it has no operation X")), Text("c.txt")
FULL = Text("d.txt", OSError(errno.ENOSPC, "No space left on device"))


def test_a_failing_export_is_named_and_the_others_are_written(tmp_path, caplog):
    found = exports.write_all((GOOD, BAD, LAST), MLPGenerator(4, SAMPLE_SHAPE, width=4), tmp_path)
    assert found == [GOOD, LAST]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "4", "c.txt": "4"}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].startswith("b.txt cannot be written: it has no operation X.")


def test_files_that_an_earlier_export_left_are_removed(tmp_path):
    for name in ("a.txt", "b.txt", "model.tflite", "model.onnx", "mine.txt"):
        (tmp_path / name).write_text("old")
    exports.write_all((GOOD, BAD), MLPGenerator(4, SAMPLE_SHAPE, width=4), tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "4", "mine.txt": "old"}


def test_a_full_disk_costs_no_more_than_the_file(tmp_path, caplog):
    assert exports.write_all((FULL, GOOD), MLPGenerator(4, SAMPLE_SHAPE, width=4), tmp_path) == [GOOD]
    assert caplog.messages[0].startswith("d.txt cannot be written: [Errno 28] No space left on device.")


def test_trying_writes_no_file_that_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert exports.working((GOOD, BAD), MLPGenerator(4, SAMPLE_SHAPE, width=4)) == [GOOD]
    assert os.listdir(tmp_path) == []


def test_an_operation_that_litert_lacks_is_named_and_the_export_left_out(caplog):
    assert exports.working((LiteRT(), GOOD), bicubic_generator(4, SAMPLE_SHAPE)) == [GOOD]
    (line,) = (record.getMessage() for record in caplog.records if record.name == exports.__name__)
    assert line.startswith("model.tflite cannot be written: ") and "it lacks the operation ResizeBicubic." in line
