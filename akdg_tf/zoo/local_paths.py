"""Removing the paths of the publisher's machine from what is published.

Only the last part of such a path is published. This concerns gin files outside the repository, and folders in bindings.
"""

import dataclasses
import pathlib
import re
import shlex

from akdg_tf.artifacts.result import Change, Result
from akdg_tf.errors import UserError

_QUOTED_PATH = re.compile(r"""(?P<quote>['"])(?P<path>(?:[/~]|(?:[^'"\n]*/)?\.\.(?:/|(?=['"])))[^'"\n]*)(?P=quote)""")


def without(result: Result) -> Result:
    """The result without local paths in its gin files, bindings, changes of bindings, and command.

    Raises:
        UserError: the command is not valid shell syntax.
    """
    try:
        words = shlex.split(result.command)
    except ValueError as error:
        raise UserError(f"the command of {result.experiment} is not valid shell syntax: {error}") from None
    return dataclasses.replace(
        result,
        gin_files=tuple(map(gin_file, result.gin_files)),
        gin_params=tuple(map(bindings, result.gin_params)),
        command=shlex.join(map(_word, words)),
        changes=tuple(map(_change, result.changes)),
    )


def gin_file(path: str) -> str:
    """A gin file as it is published: its path if that is relative to the repository, otherwise only its name."""
    parts = pathlib.PurePath(path).parts
    elsewhere = pathlib.PurePath(path).is_absolute() or ".." in parts or path.startswith("~")
    return parts[-1] if elsewhere else path


def bindings(text: str) -> str:
    """Gin bindings as they are published: of a quoted path that is absolute or goes up, only the last part is left."""
    return _QUOTED_PATH.sub(lambda found: f"{found['quote']}{_name(found['path'])}{found['quote']}", text)


def _change(change: Change) -> Change:
    """A change of the configuration as it is published."""
    removed, added = (tuple(map(bindings, lines)) for lines in (change.removed, change.added))
    return dataclasses.replace(change, removed=removed, added=added)


def _name(path: str) -> str:
    """The last part of a path, without a final `saved_model`: the name of a run or an entry."""
    return pathlib.PurePath(path.removesuffix("/").removesuffix("/saved_model")).name or path


def _word(word: str) -> str:
    """One word of a command as it is published."""
    flag, equals, value = word.partition("=")
    if flag == "--gin_file":
        value = gin_file(value)
    elif flag == "--gin_param":
        value = bindings(value)
    return f"{flag}{equals}{value}"
