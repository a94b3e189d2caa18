"""The error that a user reads."""

from akdg_tf.errors import UserError


def test_it_is_one_line_whatever_it_was_told():
    assert str(UserError("there is\n    no folder\t'x': \n make it")) == "there is no folder 'x': make it"
