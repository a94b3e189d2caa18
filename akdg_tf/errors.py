"""The error type for messages that users read."""

import contextlib
import os
import re
from collections.abc import Iterator

_OURS = re.compile(r"\bUserError: (.*)")


class UserError(Exception):
    """Bad input: the message is one line that says what is wrong and what to do.

    The commands print it and exit with code 2, without a traceback. Characters that cannot be printed are escaped: a
    hostile server may send escape sequences for the terminal.
    """

    def __str__(self):
        line = " ".join(super().__str__().split())
        return line if line.isprintable() else "".join(map(_printable, line))


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


@contextlib.contextmanager
def loading(path: str | os.PathLike) -> Iterator[None]:
    """Makes any error of a foreign runtime that loads a file one line. They raise what they like, also private classes.

    Raises:
        UserError: it cannot load the file.
    """
    try:
        yield
    except Exception as error:
        raise UserError(f"{path} cannot be loaded: {' '.join(str(error).split())[:200]}") from error


def said_in(text: str) -> str | None:
    """The line of a `UserError` in the text of another error, None if there is none.

    TensorFlow hands an exception of Python code on as the text of its own error.
    """
    found = _OURS.search(text)
    return found and found[1]
