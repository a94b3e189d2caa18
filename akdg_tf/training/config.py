"""The gin side of a run: parsing with clear errors, and making the experiment that the files bind."""

import ast
import contextlib
import logging
import os
import pathlib
import re
import tokenize
from collections.abc import Sequence

import gin
import keras

from akdg_tf import configurables  # noqa: F401  (registers what the files bind)
from akdg_tf.errors import UserError
from akdg_tf.training.make import make_experiment
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)


def parse(gin_files: Sequence[str], bindings: Sequence[str]) -> None:
    """Parses gin files, then single bindings; later ones override.

    Raises:
        UserError: a file is missing, or a binding is malformed, or one of `bindings` binds what nothing refers to.
    """
    for file in gin_files:
        if not os.path.exists(file):
            raise UserError(f"there is no gin file {file!r}: see the folder gin/")
    try:
        gin.parse_config_files_and_bindings(list(gin_files), list(bindings), print_includes_and_imports=False)
    except (ValueError, SyntaxError, OSError, TypeError, tokenize.TokenError) as error:
        raise UserError(f"gin configuration: {_one_line(error)}") from error
    reached = _reachable(_lines())
    for binding in bindings:
        name = binding.partition("=")[0].strip()
        if not any(_applies(name, scope, owner) for scope, owner in reached):
            raise UserError(f"the binding {name!r} binds nothing that this experiment uses")


def effective(gin_files: Sequence[str | os.PathLike]) -> list[str]:
    """What these gin files alone bind, less the bindings that their experiment does not read.

    Args:
        gin_files: gin files of an experiment, or the `config.gin` of a run.

    Returns:
        The bindings, sorted.

    Raises:
        UserError: as `parse`.
    """
    gin.clear_config()
    parse([os.fspath(file) for file in gin_files], [])
    return sorted(f"{name} = {value}" for name, value in _read())


def hyperparameters() -> dict[str, bool | int | float | str]:
    """What the experiment reads of the parsed configuration, by name; what is no number or string, as text."""
    return {name: _plain(value) for name, value in _read()}


def _plain(text: str) -> bool | int | float | str:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):  # a reference, or holds one
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _read() -> list[tuple[str, str]]:
    """Name and value of what is bound and read by the experiment."""
    lines = _lines()
    reached = _reachable(lines)
    return [(name, value) for name, value in lines if any(_applies(name, *call) for call in reached)]


def _lines() -> list[tuple[str, str]]:
    """Name and value of all that is bound."""
    text = gin.config_str(max_line_length=10**6)
    parts = [line.partition(" = ") for line in text.splitlines() if " = " in line and not line.startswith("#")]
    return [(name, value) for name, _, value in parts]


def _owner(path: str) -> str:
    """What a binding belongs to: "Adam" of "keras.optimizers.Adam.beta_1", "STEPS" of the macro "STEPS"."""
    return path.split(".")[-2] if "." in path else path


def _applies(name: str, scope: str, owner: str) -> bool:
    """Whether the binding `name`, such as "d/Adam.beta_1", is read when `owner` is called in `scope`."""
    bound, _, path = name.rpartition("/")
    return _owner(path) == owner and (not bound or f"{scope}/".startswith(f"{bound}/"))


def _reachable(lines: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """(scope, owner) of all that the experiment calls, directly or through others; a reference may enter a scope."""
    references = [(name, re.findall(r"[@%]((?:\w+/)*)([\w.]+)", value)) for name, value in lines]
    reached, left = set(), {("", "make_experiment")}
    while left:
        scope, owner = call = left.pop()
        reached.add(call)
        for name, found in references:
            if _applies(name, scope, owner):
                left |= {(inner.rstrip("/") or scope, path.split(".")[-1]) for inner, path in found} - reached
    return reached


def build(run: Run):
    """Makes the experiment, its weights fixed by the run's seed.

    Raises:
        UserError: a required binding is missing, or a value does not fit.
    """
    keras.utils.set_random_seed(run.seed)
    with explained():
        return gin.get_configurable(make_experiment)(run)


@contextlib.contextmanager
def explained():
    """Turns what building from a bad value raises into one line.

    Raises:
        UserError: in place of whatever was raised; the traceback is in the debug log.
    """
    try:
        yield
    except UserError as error:  # gin adds lines that tell where it was called
        raise UserError(str(error).partition("\n")[0]) from error
    except Exception as error:  # a bad value of a binding may raise anything, anywhere in Keras and TensorFlow
        logger.debug("building the experiment", exc_info=True)
        raise UserError(f"the configuration does not build: {_one_line(error)}") from error


def bound_teacher() -> str | None:
    """Name of the teacher that the experiment loads, None if it loads none."""
    if not any(owner == "load_teacher" for _, owner in _reachable(_lines())):
        return None
    name = gin.query_parameter("load_teacher.name")
    return name if isinstance(name, str) else gin.query_parameter(str(name))  # a macro's text is "%TEACHER"


def bind_teacher(name: str) -> None:
    """Names another teacher than the configuration does: the one that was just made."""
    with gin.unlock_config():
        gin.bind_parameter("load_teacher.name", name)


def teacher_gin_file(name: str) -> pathlib.Path | None:
    """The gin file that makes a teacher, None if there is none."""
    path = pathlib.Path("gin", f"{name}.gin")
    return path if path.exists() else None


def _one_line(error: Exception) -> str:
    return " ".join(line.strip() for line in str(error).splitlines() if line.strip())[:400]
