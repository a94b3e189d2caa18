"""Files and folders are written whole or not at all; digests that somebody else worked out."""

import hashlib
import logging
import os
import pathlib
import threading

import pytest

from akdg_tf import files
from akdg_tf.errors import UserError

ROOT = pathlib.Path(files.__file__).parents[1]
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of FIPS 180-2, appendix B.1


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_replaced_at_once_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "x.json"
    files.write_text(path, "old")
    files.write_json(path, {"a": [1, "ü"]})
    assert contents(tmp_path) == {"x.json": '{\n  "a": [\n    1,\n    "\\u00fc"\n  ]\n}\n'}


def test_the_old_file_stays_where_the_new_one_cannot_be_finished(tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    files.write_text(path, "old")

    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(path, "new")
    assert path.read_text() == "old"


def test_a_folder_takes_its_place_when_it_is_filled(tmp_path):
    folder = tmp_path / "model"
    for text in ("old", "new"):
        with files.replacing(folder) as part:
            assert part != folder and not list(part.iterdir())
            (part / text).write_text(text)
    assert contents(tmp_path) == {"model/new": "new"}


def test_of_a_failure_the_old_folder_is_left_and_nothing_else(tmp_path):
    folder = tmp_path / "model"
    with files.replacing(folder) as part:
        (part / "a").write_text("old")
    with pytest.raises(RuntimeError), files.replacing(folder) as part:
        (part / "a").write_text("new")
        raise RuntimeError
    assert contents(tmp_path) == {"model/a": "old"} and os.listdir(tmp_path) == ["model"]


def test_what_a_kill_left_is_no_part_of_the_next_folder(tmp_path):
    folder = tmp_path / "model"
    for name in (".model.part", ".model.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("")
    with files.replacing(folder) as part:
        (part / "a").write_text("whole")
    assert contents(tmp_path) == {"model/a": "whole"} and os.listdir(tmp_path) == ["model"]


def test_folders_of_similar_names_are_not_touched(tmp_path):
    names = ("model.old", "model.part", "model")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text(name)
    with files.replacing(tmp_path / "model") as part:
        (part / "a").write_text("new")
    assert contents(tmp_path) == {"model/a": "new", "model.old/mine": "model.old", "model.part/mine": "model.part"}


def test_strangers_are_the_files_and_links_of_no_pattern(tmp_path):
    for name in ("a.json", "m/x.json", "m/deep/x.json", "m/x.txt", "other"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    assert files.strangers(tmp_path, ["a.*", "m/*.json"]) == ["link", "m/deep/x.json", "m/x.txt", "other"]


def test_the_digest_of_a_file(tmp_path):
    (tmp_path / "x").write_text("abc")
    assert files.sha256(tmp_path / "x") == ABC


def test_the_digest_of_a_folder_is_of_its_files_and_their_names(tmp_path):
    def digest(*names):
        folder = tmp_path / "-".join(names).replace("/", "+")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("abc")
        return files.folder_digest(folder)

    expected = hashlib.sha256(f"a {ABC}\nb/c {ABC}\n".encode()).hexdigest()
    assert digest("b/c", "a") == digest("a", "b/c") == expected != digest("a", "b/d")


def test_the_cache_lies_where_the_desktop_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert files.cache_folder("zoo") == tmp_path / "cache" / "akdg_tf" / "zoo"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_folder("zoo") == tmp_path / ".cache" / "akdg_tf" / "zoo"


def test_a_lock_is_held_by_one_and_the_second_waits_and_says_so(tmp_path, caplog):
    order = []

    def second():
        with files.locked(tmp_path / ".lock"):
            order.append("second")

    with caplog.at_level(logging.INFO):
        with files.locked(tmp_path / ".lock"):
            thread = threading.Thread(target=second)
            thread.start()
            thread.join(0.2)
            order.append("first")
        thread.join(60)
    assert order == ["first", "second"]
    assert any(str(tmp_path) in message and "another process" in message for message in caplog.messages)


def test_no_module_needs_the_locks_of_one_system():
    """`fcntl` is missing on Windows; filelock is not."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "akdg_tf").rglob("*.py")}
    assert len(sources) > 100 and not [path for path, text in sources.items() if "fcntl" in text]


def test_a_pipe_or_a_device_is_no_file(tmp_path):
    """Opening a pipe that nobody writes to would block forever, and /dev/zero never ends."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        for read in (files.read_small, files.sha256):
            with pytest.raises(OSError, match="not a regular file"):
                read(tmp_path / name)


def test_a_small_file_is_read_and_a_large_one_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert files.read_small(tmp_path / "x", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4e-06 MB"):
        files.read_small(tmp_path / "x", 4)


def test_without_a_home_folder_the_cache_is_asked_for_in_one_line(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(pathlib.Path, "home", unknown)
    with pytest.raises(UserError, match="the home folder is unknown: set XDG_CACHE_HOME"):
        files.cache_folder("zoo")
