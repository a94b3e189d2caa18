"""The gin side of a run: what its files bind, what the experiment reads of that, and the experiment that they make."""

import contextlib
import logging
import os
import pathlib
from collections.abc import Sequence

import gin
import keras
from gin.config_parser import BindingStatement, ImportStatement

from akdg_tf import configurables  # noqa: F401  (registers what the files bind)
from akdg_tf.errors import UserError
from akdg_tf.training.bindings import MACRO, Binding, Configuration
from akdg_tf.training.experiment import Experiment
from akdg_tf.training.gin_files import binding_statement, file_statements, find, first_line, lookup
from akdg_tf.training.make import make_experiment
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

TEACHER_LOADER = "load_teacher"
GIN_PARAM = "--gin_param"
COMMENT_COLUMN = 80  # at most; a longer binding moves its own comment to the right

_configuration = Configuration()  # what was parsed last, as gin keeps its own


def parse(gin_files: Sequence[str | os.PathLike], bindings: Sequence[str], imports: bool = True) -> None:
    """Parses gin files, then single bindings, in the place of what was parsed before; later ones override.

    Args:
        gin_files: as `find` takes them.
        bindings: such as "Data.flip=True", each for what the experiment of the files reads.
        imports: runs the modules that the files import; False refuses a file that imports any.

    Raises:
        UserError: a file is missing, or a binding is malformed, or one of `bindings` binds what nothing refers to.
    """
    global _configuration
    gin.clear_config()
    _configuration = Configuration()
    found, imported = _read(gin_files, imports)
    given = [_bind(GIN_PARAM, binding_statement(text), f"{GIN_PARAM}={text}") for text in bindings]
    configuration = Configuration([*found, *given], imported)
    configuration.check_macros()
    try:
        gin.finalize()
    except ValueError as error:
        raise UserError(f"gin configuration: {first_line(error)}") from error
    for text, binding in zip(bindings, given, strict=True):
        if binding.key not in configuration.read:
            name = text.partition("=")[0].strip()
            raise UserError(f"the binding {name!r} binds nothing that this experiment uses")
    _configuration = configuration


def _read(gin_files: Sequence[str | os.PathLike], imports: bool) -> tuple[list[Binding], list[tuple[str, str]]]:
    """Binds what the files bind and runs what they import; returns both, each import with its place."""
    found, imported = [], []
    for file in gin_files:
        for place, statement in file_statements(find(file)):
            if isinstance(statement, BindingStatement):
                found.append(_bind(place, statement))
            elif imports:
                _import(place, statement)
                imported.append((statement.format(), place))
            else:
                raise UserError(f"{place}: {statement.format()!r} runs code that is not part of the package")
    return found, imported


def _import(place: str, statement: ImportStatement) -> None:
    """Runs an import; gin notes it, so that `config.gin` of a run repeats it."""
    line = statement.format()
    if statement.module.startswith("__gin__"):
        raise UserError(f"{place}: {line!r} is not supported: import the module, and register in it what files bind")
    try:
        gin.parse_config(line)
    except Exception as error:  # a module may raise anything
        missing = isinstance(error, ModuleNotFoundError)
        hint = "; is its folder in PYTHONPATH?" if missing else ""
        raise UserError(f"{place}: {line!r} fails: {first_line(error)}{hint}") from error


def _bind(place: str, statement: BindingStatement, blamed: str | None = None) -> Binding:
    """Binds a parameter in gin.

    Args:
        place: where it is bound.
        statement: what is bound.
        blamed: what an error begins with, by default the place.

    Raises:
        UserError: there is no such parameter, or no file may bind it.
    """
    scope, selector, argument, value, _ = statement
    if not argument:
        scope, selector, argument = "/".join(filter(None, (scope, selector))), MACRO, "value"
    try:
        gin.bind_parameter((scope, selector, argument), value)
        complete = gin.config.ParsedBindingKey.parse((scope, selector, argument)).complete_selector
    except (ValueError, KeyError) as error:  # KeyError: of an ambiguous name
        raise UserError(f"{blamed or place}: {first_line(error)}") from error
    return Binding(scope, complete, argument, value, place)


def effective(gin_files: Sequence[str | os.PathLike], bindings: Sequence[str] = (), imports: bool = True) -> list[str]:
    """What these gin files and single bindings give, less what their experiment does not read.

    Args:
        gin_files: gin files of an experiment, or the `config.gin` of a run.
        bindings: as of `parse`.
        imports: as of `parse`.

    Returns:
        The bindings, sorted.

    Raises:
        UserError: as `parse`.
    """
    parse(gin_files, bindings, imports)
    return sorted(f"{binding.name} = {binding.text}" for binding in _configuration.read.values())


def hyperparameters() -> dict[str, bool | int | float | str]:
    """What the experiment reads of the parsed configuration, by name; what is no number or string, as text."""
    read = _configuration.read.values()
    plain = (bool, int, float, str)
    return {each.name: each.value if isinstance(each.value, plain) else each.text for each in read}


def listing() -> str:
    """The bindings that the experiment reads as a gin file, one per line, each with the place that bound it."""
    lines = [(f"{each.name} = {each.text}", each.place) for each in _configuration.read.values()]
    lines = [*_configuration.imports.items(), *lines]
    column = min(COMMENT_COLUMN, max((len(line) for line, _ in lines), default=0))
    return "\n".join(f"{line:<{column}}  # {place}" for line, place in lines)


def bound_teacher() -> str | None:
    """Name of the teacher that the experiment loads, None if it loads none."""
    binding = _teacher_name()
    name = binding and _configuration.value(binding)
    return name if isinstance(name, str) else None


def bind_teacher(name: str) -> None:
    """Names another teacher than the configuration does: the one that was just made."""
    binding = _teacher_name()
    if binding is None:
        raise ValueError("the experiment names no teacher")
    with gin.unlock_config():
        gin.bind_parameter(binding.key, name)


def _teacher_name() -> Binding | None:
    """The binding that names the teacher, None if the experiment loads none."""
    _, selector = gin.config.ConfigurableReference(TEACHER_LOADER, False).config_key
    given = [_configuration.given(call).get("name") for call in _configuration.calls if call[1] == selector]
    return next(filter(None, given), None)


def teacher_gin_file(name: str) -> pathlib.Path | None:
    """The gin file that makes a teacher, as `--gin_file` takes it; None if there is none."""
    path = pathlib.Path("gin", f"{name}.gin")
    return path if path.parent == pathlib.Path("gin") and lookup(path) else None


def build(run: Run) -> Experiment:
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
        raise UserError(f"the configuration does not build: {' '.join(str(error).split())[:400]}") from error
