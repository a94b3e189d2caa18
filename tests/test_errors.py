"""The error that a user reads."""

from akdg_tf.errors import UserError


def test_it_is_one_line_whatever_it_was_told():
    assert str(UserError("there is\n    no folder\t'x': \n make it")) == "there is no folder 'x': make it"


def test_what_a_terminal_would_obey_is_shown_as_text():
    assert str(UserError("404 \x1b[2Jgone, a\u202eb, \udcff, é")) == r"404 \x1b[2Jgone, a\u202eb, \udcff, é"
