"""Taking the paths of the publisher's machine out of what is published.

A path that a reader cannot use is published by its last name: a gin file that lies elsewhere, and a folder that a
binding names.
"""

import dataclasses
import pathlib
import re
import shlex

from akdg_tf.artifacts.result import Result
from akdg_tf.errors import UserError

_QUOTED_PATH = re.compile(r"""(?P<quote>['"])(?P<path>[/~][^'"\n]*)(?P=quote)""")


def without(result: Result) -> Result:
    """The result without the folders that its gin files and bindings lie in.

    Raises:
        UserError: its command cannot be taken apart.
    """
    try:
        words = shlex.split(result.command)
    except ValueError as error:
        raise UserError(f"the command of {result.experiment} is not one that a shell takes: {error}") from None
    return dataclasses.replace(
        result,
        gin_files=tuple(map(gin_file, result.gin_files)),
        gin_params=tuple(map(bindings, result.gin_params)),
        command=shlex.join(map(_word, words)),
    )


def gin_file(path: str) -> str:
    """A gin file as a reader knows it: one of a folder of the repository as it is, another by its name."""
    parts = pathlib.PurePath(path).parts
    elsewhere = pathlib.PurePath(path).is_absolute() or ".." in parts or path.startswith("~")
    return parts[-1] if elsewhere else path


def bindings(text: str) -> str:
    """Gin bindings in which every quoted absolute path, of a SavedModel or a run, has become its last name."""
    return _QUOTED_PATH.sub(lambda found: f"{found['quote']}{_name(found['path'])}{found['quote']}", text)


def _name(path: str) -> str:
    """Name of a model, which may be given by the folder of its SavedModel."""
    return pathlib.PurePath(path.removesuffix("/").removesuffix("/saved_model")).name or path


def _word(word: str) -> str:
    """A word of a command."""
    flag, equals, value = word.partition("=")
    if flag == "--gin_file":
        value = gin_file(value)
    elif flag == "--gin_param":
        value = bindings(value)
    return f"{flag}{equals}{value}"
