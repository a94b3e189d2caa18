"""The chain of what a network was made from."""

import dataclasses
import json

import pytest
from support import made_up_result, make_teacher

from akdg_tf import FrozenGenerator
from akdg_tf.artifacts import lineage
from akdg_tf.artifacts.result import Parent

TEACHER = Parent("teacher", "t", "abc")
STUDENT = Parent("init_from", "s", None, 7, (TEACHER,))


def write(folder, name, **settings):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(made_up_result(**settings).to_json()))


@pytest.mark.parametrize("name", ["metrics.json", "result.json"])
def test_a_parent_tells_its_own_parents_and_theirs(name, tmp_path):
    write(tmp_path / "entry", name, parents=(STUDENT,))
    assert lineage.parent("init_from", "x", "d", tmp_path / "entry", 5) == Parent("init_from", "x", "d", 5, (STUDENT,))


def test_what_was_published_goes_before_what_was_run(tmp_path):
    write(tmp_path / "entry", "metrics.json", parents=(TEACHER,))
    write(tmp_path / "entry", "result.json", parents=(STUDENT,))
    assert lineage.parent("init_from", "x", None, tmp_path / "entry").parents == (TEACHER,)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 99}', '{"network": "MLPGenerator"}'])
def test_the_chain_ends_where_a_result_cannot_be_read(content, tmp_path):
    (tmp_path / "metrics.json").write_text(content)
    assert lineage.parent("teacher", "x", None, tmp_path).parents == ()


def test_nothing_beside_it_and_no_folder_at_all(tmp_path):
    assert lineage.parent("teacher", "x", None, tmp_path) == lineage.parent("teacher", "x", None, None)


def test_a_generator_tells_its_name_its_digest_and_the_result_beside_its_saved_model(tmp_path):
    teacher, model = make_teacher()
    write(tmp_path / "entry", "metrics.json", parents=(STUDENT,))
    inside = FrozenGenerator(model, 4, folder=tmp_path / "entry" / "saved_model")
    expected = Parent("teacher", "entry", teacher.digest(), None, (STUDENT,))
    assert lineage.of_generator("teacher", inside) == expected
    assert lineage.of_generator("teacher", FrozenGenerator(model, 4, folder=tmp_path / "entry")) == expected
    assert lineage.of_generator("teacher", teacher) == Parent("teacher", "callable", teacher.digest())


def test_a_parent_comes_back_from_json():
    assert lineage.from_json(json.loads(json.dumps(dataclasses.asdict(STUDENT)))) == STUDENT
