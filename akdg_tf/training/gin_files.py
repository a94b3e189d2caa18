"""Reading gin files: finding them and their includes, and parsing their statements.

gin's own `parse_config_file` finds includes only in the current folder, and does not record the line of a binding. So
the files are read here, statement by statement, with gin's parser.
"""

import io
import os
import pathlib
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import gin
from gin import config_parser
from gin.config_parser import BindingStatement, BlockDeclaration, ImportStatement, IncludeStatement

from akdg_tf.errors import UserError
from akdg_tf.files import read_small

Statement: TypeAlias = BindingStatement | BlockDeclaration | ImportStatement | IncludeStatement

MOST_BYTES, DEEPEST = 10**6, 50  # bytes of a file; levels of includes
PACKAGE = pathlib.Path(__file__).resolve().parents[1]

# What gin's parser raises for text that is not gin, and for references to unknown names.
MALFORMED = (SyntaxError, ValueError, TypeError, KeyError, IndexError, RecursionError, tokenize.TokenError)

LITERALS = {"true": "True or False", "false": "True or False", "none": "None", "null": "None"}  # misspelt literals
BARE_TEXT = re.compile(r"[A-Za-z_~./][\w~./:+-]*")  # a string without quotes


def gin_folder() -> pathlib.Path:
    """The folder of the package's gin files: inside an installed package, beside it in a checkout."""
    inside = PACKAGE / "gin"
    return inside if inside.is_dir() else PACKAGE.parent / "gin"


def find(name: str | os.PathLike) -> pathlib.Path:
    """Like `lookup`, but a missing file is an error.

    Raises:
        UserError: there is no such file.
    """
    found = lookup(name)
    if found is None:
        raise UserError(f"there is no gin file {os.fspath(name)!r}, neither here nor in {gin_folder()}")
    return found


def lookup(name: str | os.PathLike) -> pathlib.Path | None:
    """The gin file of this name, None if there is no such file.

    It is searched in the current folder first, then among the package's gin files.

    Args:
        name: a path, such as "gin/toy_ring_akdg.gin", or a bare name, such as "toy_ring_akdg".
    """
    name = os.path.expanduser(name)
    names = [name, f"{name}.gin"]
    if os.path.dirname(name) == "":
        names += [os.path.join("gin", each) for each in names]
    return _first_file([*map(pathlib.Path, names), *_packaged(names)])


def _packaged(names: Iterable[str]) -> list[pathlib.Path]:
    """The paths that "gin/x.gin" or "x.gin" would have among the package's gin files."""
    return [gin_folder() / os.path.basename(name) for name in names if os.path.dirname(name) in ("", "gin")]


def _first_file(candidates: Iterable[pathlib.Path]) -> pathlib.Path | None:
    return next((path for path in candidates if os.path.isfile(path)), None)


def file_statements(
    path: pathlib.Path, includes: bool = True, within: tuple[pathlib.Path, ...] = ()
) -> Iterator[tuple[str, BindingStatement | ImportStatement]]:
    """The bindings and imports of a gin file and its includes, in the order in which they apply.

    The caller must run an import before it takes the next statement, which may refer to what the import registers.

    Args:
        path: the file.
        includes: reads the files that it includes; if False, an include is an error.
        within: the files that include it, directly or indirectly.

    Yields:
        The place, "file:line", and the statement.

    Raises:
        UserError: the file cannot be read or is not valid gin, an include is missing or not wanted, or the file
            includes itself.
    """
    shown = _shown(path)
    try:
        text = read_small(path, MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    within = (*within, path.resolve())
    for statement in _parsed(text, lambda line: f"{shown}:{line}"):
        place = f"{shown}:{statement.location.line_num}"
        if isinstance(statement, IncludeStatement):
            if not includes:
                raise UserError(f"{place}: include {statement.filename!r} is refused: it reads another file")
            yield from file_statements(_included(statement.filename, path, place, within), includes, within)
        elif isinstance(statement, BindingStatement | ImportStatement):  # the head of a block has no effect
            yield place, statement


def text_statements(text: str, name: str) -> Iterator[BindingStatement | ImportStatement]:
    """The bindings and imports of a text without includes, such as the `config.gin` of a run.

    Args:
        text: the text.
        name: names it in error messages.

    Raises:
        UserError: it is not valid gin.
    """
    for statement in _parsed(text, lambda line: f"{name}:{line}"):
        if isinstance(statement, BindingStatement | ImportStatement):
            yield statement


def binding_statement(text: str) -> BindingStatement:
    """Parses the value of a `--gin_param`.

    Raises:
        UserError: it is not exactly one binding.
    """
    statements = list(_parsed(text, lambda _: f"--gin_param={text}"))
    if len(statements) != 1 or not isinstance(statements[0], BindingStatement):
        raise UserError(f"--gin_param={text}: give one binding, such as AKDG.distillation_weight=0.5")
    return statements[0]


def _included(name: str, path: pathlib.Path, place: str, within: tuple[pathlib.Path, ...]) -> pathlib.Path:
    """The file that `path` includes: beside it, or from its parent, the current or the package's folder."""
    folder = path.absolute().parent
    found = _first_file([folder / name, folder.parent / name, pathlib.Path(name), *_packaged([name])])
    if found is None:
        raise UserError(f"{place}: there is no file {name!r} to include")
    if found.resolve() in within:
        raise UserError(f"{place}: include {name!r} makes a file include itself: remove it")
    if len(within) >= DEEPEST:
        raise UserError(f"{place}: include {name!r} is the {DEEPEST}th level of includes: include the files directly")
    return found


def _shown(path: pathlib.Path) -> str:
    """A file's path in messages: relative if it is below the current folder, otherwise absolute."""
    path, here = path.absolute(), pathlib.Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _parsed(text: str, place: Callable[[int], str]) -> Iterator[Statement]:
    """The statements of a text. Errors are one line and begin with `place(line number)`."""
    parser = None
    try:
        parser = config_parser.ConfigParser(io.StringIO(text), gin.config.ParserDelegate())
        while statement := parser.parse_statement():
            yield statement
    except MALFORMED as error:
        line = getattr(error, "lineno", None) or (parser.current_token.start[0] if parser else 1)
        hint = _lost_quotes(text.splitlines()[line - 1 : line], first_line(error))
        raise UserError(f"{place(line)}: {hint or first_line(error)}") from error


def _lost_quotes(lines: list[str], message: str) -> str | None:
    """A correction for a string without quotes or a misspelt literal, None if the line has another error.

    Args:
        lines: the line with the error, or nothing.
        message: gin's error message.
    """
    name, _, value = (part.strip() for part in "".join(lines).partition("#")[0].partition("="))
    word = value if BARE_TEXT.fullmatch(value) else message.partition("Failed to parse token ")[2].strip("'")
    if word.lower() in LITERALS:
        return f"write {LITERALS[word.lower()]}, not {word}"
    if not BARE_TEXT.fullmatch(word):
        return None
    return f"strings need quotes: {name}={word!r}" if word == value else f"strings need quotes: {word!r}"


def first_line(error: Exception) -> str:
    """The error message of gin, on one line, without the lines in which gin adds the place."""
    message = error.msg if isinstance(error, SyntaxError) else error.args[0] if error.args else error
    return " ".join(str(message).partition("\n  In ")[0].split())[:400] or type(error).__name__
