"""Paths of the publisher's machine are not published."""

import shlex

import pytest
from made_up_zoo import made_up_result

from akdg_tf.artifacts.result import Change
from akdg_tf.errors import UserError
from akdg_tf.zoo import local_paths


@pytest.mark.parametrize(
    ("given", "published"),
    [
        ("gin/mnist_mlp_akdg.gin", "gin/mnist_mlp_akdg.gin"),
        ("mine.gin", "mine.gin"),
        ("/home/me/a b/mine.gin", "mine.gin"),
        ("../mine.gin", "mine.gin"),
        ("gin/../../mine.gin", "mine.gin"),
        ("~/mine.gin", "mine.gin"),
    ],
)
def test_a_gin_file_is_known_to_a_reader_or_published_by_its_name(given, published):
    assert local_paths.gin_file(given) == published


@pytest.mark.parametrize(
    ("given", "published"),
    [
        ("load_teacher.name='/home/me/t'", "load_teacher.name='t'"),
        ('load_teacher.name = "/home/me/t/saved_model/"', 'load_teacher.name = "t"'),
        ("X.init_from = '~/runs/x@2000'", "X.init_from = 'x@2000'"),
        ("A.b = ('/a/b', 'c/d', '/e')", "A.b = ('b', 'c/d', 'e')"),
        ("A.b = '/'", "A.b = '/'"),
        ("load_teacher.name='../../secret/t'", "load_teacher.name='t'"),
        ("load_teacher.name='runs/../../secret/t'", "load_teacher.name='t'"),
        ("A.b = 'a..b/c'", "A.b = 'a..b/c'"),
        ("A.b = 1 / 2  # don't\nC.d = '/x/y'\n", "A.b = 1 / 2  # don't\nC.d = 'y'\n"),
    ],
)
def test_a_binding_keeps_the_last_name_of_a_path(given, published):
    assert local_paths.bindings(given) == published


def test_a_result_loses_its_folders_and_its_command_is_quoted():
    words = ["python", "run.py", "--gin_file=/a b/x y.gin", "--gin_param=L.name='/c/t'", "--data_dir=DATA", "--seed=0"]
    change = Change(5, ("load_teacher.name = '/home/me/t'",), ("load_teacher.name = '../u'", "Schedule.steps = 9"))
    given = {"gin_files": ("/a b/x y.gin",), "gin_params": ("L.name='/c/t'",), "changes": (change,)}
    result = local_paths.without(made_up_result("x", command=shlex.join(words), **given))
    assert (result.gin_files, result.gin_params) == (("x y.gin",), ("L.name='t'",))
    assert result.changes == (
        Change(5, ("load_teacher.name = 't'",), ("load_teacher.name = 'u'", "Schedule.steps = 9")),
    )
    published = ["python", "run.py", "--gin_file=x y.gin", "--gin_param=L.name='t'", "--data_dir=DATA", "--seed=0"]
    assert result.command == shlex.join(published)


def test_a_command_that_no_shell_takes_is_refused():
    with pytest.raises(UserError, match="the command of x is not valid shell syntax: No closing quotation"):
        local_paths.without(made_up_result("x", command="run 'x"))
