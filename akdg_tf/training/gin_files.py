"""Reading gin files: where they and their includes are found, and what each line of them says.

gin's own `parse_config_file` looks for an include in the current folder alone, and does not keep the line that bound a
parameter. So the files are walked here. Statements, values and bindings are gin's: its parser makes them.
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

Statement: TypeAlias = BindingStatement | BlockDeclaration | ImportStatement | IncludeStatement

PACKAGE = pathlib.Path(__file__).resolve().parents[1]

# What gin's parser raises at text that is not gin, and what a reference to something unknown raises.
MALFORMED = (SyntaxError, ValueError, TypeError, KeyError, IndexError, RecursionError, tokenize.TokenError)

LITERALS = {"true": "True or False", "false": "True or False", "none": "None", "null": "None"}  # of other languages
BARE_TEXT = re.compile(r"[A-Za-z_~./][\w~./:+-]*")  # a value that has lost its quotes


def gin_folder() -> pathlib.Path:
    """The folder of the gin files that come with the package: inside an installed one, beside it in a checkout."""
    inside = PACKAGE / "gin"
    return inside if inside.is_dir() else PACKAGE.parent / "gin"


def find(name: str | os.PathLike) -> pathlib.Path:
    """The gin file of a name; arguments as of `lookup`.

    Raises:
        UserError: there is no such file.
    """
    found = lookup(name)
    if found is None:
        raise UserError(f"there is no gin file {os.fspath(name)!r}, neither here nor in {gin_folder()}")
    return found


def lookup(name: str | os.PathLike) -> pathlib.Path | None:
    """The gin file of a name, None if there is none.

    The current folder comes first, then the files that come with the package.

    Args:
        name: a path, such as "gin/toy_ring_akdg.gin", or a bare name, such as "toy_ring_akdg".
    """
    name = os.path.expanduser(name)
    names = [name, f"{name}.gin"]
    if os.path.dirname(name) == "":
        names += [os.path.join("gin", each) for each in names]
    return _first_file([*map(pathlib.Path, names), *_packaged(names)])


def _packaged(names: Iterable[str]) -> list[pathlib.Path]:
    """Where the files "gin/x.gin" or "x.gin" of the package would be."""
    return [gin_folder() / os.path.basename(name) for name in names if os.path.dirname(name) in ("", "gin")]


def _first_file(candidates: Iterable[pathlib.Path]) -> pathlib.Path | None:
    return next((path for path in candidates if os.path.isfile(path)), None)


def file_statements(
    path: pathlib.Path, within: tuple[pathlib.Path, ...] = ()
) -> Iterator[tuple[str, BindingStatement | ImportStatement]]:
    """The bindings and imports of a gin file and of what it includes, in the order in which they apply.

    An import must be run before the next statement is asked for, because that statement may refer to what it registers.

    Args:
        path: the file.
        within: the files that include it.

    Yields:
        "file:line", and the statement.

    Raises:
        UserError: the file cannot be read or is not gin, an include is missing, or the file includes itself.
    """
    shown = _shown(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    within = (*within, path.resolve())
    for statement in _parsed(text, lambda line: f"{shown}:{line}"):
        place = f"{shown}:{statement.location.line_num}"
        if isinstance(statement, IncludeStatement):
            yield from file_statements(_included(statement.filename, path, place, within), within)
        elif isinstance(statement, BindingStatement | ImportStatement):  # the head of a block binds nothing
            yield place, statement


def binding_statement(text: str) -> BindingStatement:
    """The one binding that a `--gin_param` gives.

    Raises:
        UserError: it is not one binding.
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
        raise UserError(f"{place}: include {name!r} makes a file include itself")
    return found


def _shown(path: pathlib.Path) -> str:
    """How a file is named: from the current folder where it lies below that, else by its whole path."""
    path, here = path.absolute(), pathlib.Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _parsed(text: str, place: Callable[[int], str]) -> Iterator[Statement]:
    """The statements of a text; an error is one line that begins with `place` of its line number."""
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
    """What to write in the place of a word that is no value, None if that is not what is wrong.

    Args:
        lines: the line with the error.
        message: what gin says of it.
    """
    name, _, value = (part.strip() for part in "".join(lines).partition("#")[0].partition("="))
    word = value if BARE_TEXT.fullmatch(value) else message.partition("Failed to parse token ")[2].strip("'")
    if word.lower() in LITERALS:
        return f"write {LITERALS[word.lower()]}, not {word}"
    if not BARE_TEXT.fullmatch(word):
        return None
    return f"strings want quotes: {name}={word!r}" if word == value else f"strings want quotes: {word!r}"


def first_line(error: Exception) -> str:
    """What an exception of gin says, less the lines in which gin adds the place."""
    message = error.msg if isinstance(error, SyntaxError) else error.args[0] if error.args else error
    return " ".join(str(message).partition("\n  In ")[0].split())[:400] or type(error).__name__
