"""What the fuzz targets would notice."""

import os
import subprocess
import time

import fuzzing
import pytest
from fuzzing import Forbidden, one_line, watched


@pytest.mark.parametrize(
    "act",
    [
        lambda folder: os.system("true"),
        lambda folder: subprocess.run(["true"], check=True),
        lambda folder: (folder.parent / "outside").write_text("x"),
        lambda folder: (folder / ".." / "outside").write_text("x"),
        lambda folder: (folder.parent / "secret").read_text(),
        lambda folder: os.remove(folder.parent / "secret"),
        lambda folder: (folder / "link").symlink_to("x") or (folder.parent / "link").symlink_to("x"),
        lambda folder: os.rename(folder / "a", folder.parent / "a"),
        lambda folder: time.sleep(10),
    ],
)
def test_what_an_input_must_not_cause_is_noticed(act, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "SECONDS", 0.2)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("x")
    with pytest.raises(Forbidden), watched(tmp_path / "folder"):
        act(tmp_path / "folder")


def test_what_lies_in_the_folder_may_be_changed(tmp_path):
    with watched(tmp_path):
        (tmp_path / "a").write_text("x")
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "b").unlink()


def test_an_error_that_is_not_one_line_for_the_user_is_a_fault():
    with pytest.raises(ZeroDivisionError):
        one_line(lambda: 1 / 0)
