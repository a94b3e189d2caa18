"""The digest of a folder: what it notices, what it does not mind, and how much it reads."""

import os
import shutil

import pytest

from akdg_tf.data import folder_digest
from akdg_tf.data.folder_digest import FolderDigest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.png").write_bytes(bytes([number]) * 100)
    return folder


def digest(folder, *parts):
    return FolderDigest(folder, sorted(os.listdir(folder))).of(*parts)


def test_a_copied_a_moved_and_a_touched_folder_keep_it(folder, tmp_path):
    first = digest(folder)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)  # with new times
    assert digest(tmp_path / "copy") == first and len(first) == 64
    os.utime(folder / "3.png", (1, 1))
    assert digest(folder) == first
    folder.rename(tmp_path / "moved")
    assert digest(tmp_path / "moved") == first


def test_whatever_changes_the_files_changes_it(folder):
    found = [digest(folder), digest(folder, (8, 8, 3)), digest(folder, (4, 4, 3))]
    (folder / "3.png").write_bytes(b"x" * 100)  # another image of the same size
    found.append(digest(folder))
    (folder / "3.png").rename(folder / "3a.png")
    found.append(digest(folder))
    (folder / "new.png").write_bytes(b"")
    found.append(digest(folder))
    (folder / "new.png").unlink()
    (folder / "0.png").unlink()
    found.append(digest(folder))
    assert len(set(found)) == len(found)


def test_names_and_contents_cannot_be_confused(tmp_path):
    for name, files in {"one": ("a", "b"), "other": ("b", "a")}.items():
        (tmp_path / name).mkdir()
        for number, file in enumerate(files):
            (tmp_path / name / file).write_bytes(bytes([number]))
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_content_is_read_once_and_again_when_a_file_has_changed(folder, monkeypatch):
    read = []
    digest_of = folder_digest._digest_of
    monkeypatch.setattr(
        folder_digest, "_digest_of", lambda path, limit: read.append(path.name) or digest_of(path, limit)
    )
    kept = FolderDigest(folder, sorted(os.listdir(folder)))
    first = kept.of()
    assert kept.of() == first and len(read) == 10
    (folder / "3.png").write_bytes(b"other" * 20)
    assert kept.of() != first and read[10:] == ["3.png"]
    (folder / "3.png").unlink()
    assert kept.of() != first


@pytest.mark.parametrize("limit", [{"WHOLE_BYTES": 999}, {"WHOLE_FILES": 9}])
def test_of_a_large_folder_a_part_is_read(folder, limit, monkeypatch):
    for name, value in {**limit, "SOME_FILES": 4, "SOME_BYTES": 10}.items():
        monkeypatch.setattr(folder_digest, name, value)
    read = []
    digest_of = folder_digest._digest_of
    monkeypatch.setattr(
        folder_digest, "_digest_of", lambda path, limit: read.append((path.name, limit)) or digest_of(path, limit)
    )
    first = digest(folder)
    assert read == [(f"{number}.png", 10) for number in (0, 3, 6, 9)]
    (folder / "3.png").write_bytes(b"x" * 100)  # one that is read
    second = digest(folder)
    (folder / "4.png").write_bytes(b"x" * 101)  # one whose size tells
    assert len({first, second, digest(folder)}) == 3


def test_a_pipe_or_a_link_to_nowhere_does_not_stop_it(folder):
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to(folder / "nowhere")
    assert digest(folder) == digest(folder)
