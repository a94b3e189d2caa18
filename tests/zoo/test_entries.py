"""What an entry is: its name is held, its teacher is found, and students stand with their teachers."""

import os
import shutil

import pytest
from made_up_zoo import made_up_network, write_metrics

from akdg_tf.errors import UserError
from akdg_tf.zoo import checksums
from akdg_tf.zoo.entries import Entry, check_name, entries, groups


def test_two_entries_that_were_exchanged_are_found_out(tmp_path):
    write_metrics(tmp_path / "a")
    write_metrics(tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "b").rename(tmp_path / "a")
    with pytest.raises(UserError, match=r"a/metrics\.json belongs to the entry 'b', but its folder is 'a'"):
        _ = Entry(tmp_path / "a").kind


def test_what_is_being_made_has_its_name_already_and_does_not_count(tmp_path):
    entry = write_metrics(tmp_path / "a")
    for name in ("a.part", "a.old", ".a.part", ".a.old"):
        shutil.copytree(tmp_path / "a", tmp_path / name)
    for name in ("a.part", ".a.part"):
        assert Entry(tmp_path / name).result == entry.result and Entry(tmp_path / name).name == "a"
    assert entries(tmp_path) == [entry]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a.part", "a.old", "a b", "-a", "a\n", "ä"])
def test_a_name_leads_nowhere_else(name, tmp_path):
    with pytest.raises(UserError, match="is not the name of an entry"):
        check_name(name)
    assert write_metrics(tmp_path / "zoo" / "x").sibling(name) is None


def test_the_teacher_of_a_student_is_known_by_its_name(tmp_path):
    teacher = write_metrics(tmp_path / "t")
    student = write_metrics(tmp_path / "x", teacher=made_up_network("t"))
    assert (student.kind, student.teacher_name, student.sibling("t")) == ("student", "t", teacher)
    assert (teacher.kind, teacher.teacher_name) == ("teacher", None)
    assert write_metrics(tmp_path / "y", teacher=made_up_network("callable")).teacher_name is None


def test_students_stand_with_their_teacher_and_none_is_lost(tmp_path):
    teachers = {"a": "big", "big": None, "b": "big", "lonely": None, "c": "not_here", "d": "callable", "e": "a"}
    found = [write_metrics(tmp_path / "judge", kind="classifier")]
    for name, teacher in teachers.items():
        found.append(write_metrics(tmp_path / name, teacher=teacher and made_up_network(teacher)))
    names = [(g.name, g.teacher and g.teacher.name, [entry.name for entry in g.students]) for g in groups(found)]
    assert names == [
        ("big", "big", ["a", "b"]),
        ("lonely", "lonely", []),
        ("not_here", None, ["c"]),
        (None, None, ["d"]),
        ("a", "a", ["e"]),  # a student that teaches another
    ]


@pytest.mark.parametrize("name", ["metrics.json", "SHA256SUMS", "saved_model/pipe"])
def test_a_pipe_inside_an_entry_is_named_and_does_not_block(name, tmp_path):
    entry = write_metrics(tmp_path / "x")
    (tmp_path / "x" / "saved_model").mkdir()
    for file in ("card.md", "saved_model/saved_model.pb"):
        (tmp_path / "x" / file).write_text("x")
    checksums.seal(tmp_path / "x")
    (tmp_path / "x" / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / "x" / name)
    with pytest.raises(UserError, match=rf"x/{name} is "):
        entry.check()


@pytest.mark.parametrize("name", ["./a", "a//b", "a/", "variables/x", "saved_model.pb", "SHA256SUMS.sig", "a\\b", "."])
def test_a_list_names_each_file_in_one_way_and_not_what_lies_behind_its_links(name):
    with pytest.raises(UserError, match="is not a list of checksums"):
        checksums.parse(f"{'0' * 64}  {name}\n".encode(), "x")
