"""The gin configuration of a run: its bindings, those that the experiment reads, and the experiment they make."""

import contextlib
import logging
import os
import pathlib
from collections.abc import Sequence

import gin
import keras
from gin.config_parser import BindingStatement, ImportStatement

from akdg_tf import configurables  # noqa: F401  (registers what the files bind)
from akdg_tf.errors import UserError, said_in
from akdg_tf.training.bindings import Binding, Configuration, binding_of
from akdg_tf.training.experiment import Experiment
from akdg_tf.training.failures import is_disk_full, is_lost_worker
from akdg_tf.training.gin_files import binding_statement, file_statements, find, first_line, lookup
from akdg_tf.training.make import make_experiment
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

TEACHER_LOADER = "load_teacher"
GIN_PARAM = "--gin_param"
EVALUATIONS = "GeneratorExperiment.evaluations"
COMPRESSED = "compressed.source"
COMMENT_COLUMN = 80  # at most; the comment of a longer binding starts further right

_configuration = Configuration()  # the last one that was parsed; gin keeps its own in a global, too


def parse(gin_files: Sequence[str | os.PathLike], bindings: Sequence[str], imports: bool = True) -> None:
    """Parses gin files, then single bindings. Later bindings override. Replaces what was parsed before.

    Args:
        gin_files: paths or bare names; see `find`.
        bindings: such as "Data.flip=True"; the experiment must read each of them.
        imports: imports the modules and reads the files that the files name; if False, an import or include is an
            error.

    Raises:
        UserError: a file is missing, a binding is malformed, or the experiment does not read one of `bindings`.
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
            raise UserError(f"the experiment does not use {name!r}: remove {GIN_PARAM}={text}, or correct the name")
    _configuration = configuration


def _read(gin_files: Sequence[str | os.PathLike], imports: bool) -> tuple[list[Binding], list[tuple[str, str]]]:
    """Runs the bindings and imports of the files. Returns both, each import with its place."""
    found, imported = [], []
    for file in gin_files:
        for place, statement in file_statements(find(file), imports):
            if isinstance(statement, BindingStatement):
                found.append(_bind(place, statement))
            elif imports:
                _import(place, statement)
                imported.append((statement.format(), place))
            else:
                raise UserError(f"{place}: {statement.format()!r} is refused: it runs code from outside the package")
    return found, imported


def _import(place: str, statement: ImportStatement) -> None:
    """Runs an import. gin records it, so that `config.gin` of a run contains it."""
    line = statement.format()
    if statement.module.startswith("__gin__"):
        raise UserError(f"{place}: {line!r} is not supported: import a module that registers what the file binds")
    try:
        gin.parse_config(line)
    except Exception as error:  # a module may raise anything
        missing = isinstance(error, ModuleNotFoundError)
        hint = "; add its folder to PYTHONPATH" if missing else ""
        raise UserError(f"{place}: {line!r} fails: {first_line(error)}{hint}") from error


def _bind(place: str, statement: BindingStatement, blamed: str | None = None) -> Binding:
    """Binds a parameter in gin.

    Args:
        place: where it is bound, "file:line" or "--gin_param".
        statement: the binding.
        blamed: what an error message begins with, by default the place.

    Raises:
        UserError: there is no such parameter, or it cannot be bound.
    """
    try:
        binding = binding_of(statement, place)
        gin.bind_parameter(binding.key, binding.value)
    except (ValueError, KeyError) as error:  # KeyError: the name is ambiguous
        raise UserError(f"{blamed or place}: {first_line(error)}") from error
    return binding


def effective(gin_files: Sequence[str | os.PathLike], bindings: Sequence[str] = (), imports: bool = True) -> list[str]:
    """The bindings of gin files and single bindings that their experiment reads.

    Args:
        gin_files: gin files of an experiment, or the `config.gin` of a run.
        bindings: see `parse`.
        imports: see `parse`.

    Returns:
        The bindings, "name = value", sorted.

    Raises:
        UserError: see `parse`.
    """
    parse(gin_files, bindings, imports)
    return sorted(f"{binding.name} = {binding.text}" for binding in _configuration.read.values())


def hyperparameters() -> dict[str, bool | int | float | str]:
    """The values that the experiment reads, by name. Values other than numbers, booleans and strings become text."""
    read = _configuration.read.values()
    plain = (bool, int, float, str)
    return {each.name: each.value if isinstance(each.value, plain) else each.text for each in read}


def listing() -> str:
    """The bindings that the experiment reads, as a gin file: one per line, with its place in a comment."""
    lines = [(f"{each.name} = {each.text}", each.place) for each in _configuration.read.values()]
    lines = [*_configuration.imports.items(), *lines]
    column = min(COMMENT_COLUMN, max((len(line) for line, _ in lines), default=0))
    return "\n".join(f"{line:<{column}}  # {place}" for line, place in lines)


def binds_no_evaluations() -> bool:
    """Whether the configuration says that its experiment has no scores: `GeneratorExperiment.evaluations = {}`."""
    bound = [each for each in _configuration.read.values() if each.name == EVALUATIONS]
    return [_configuration.value(each) for each in bound] == [{}]


def bound_teacher() -> str | None:
    """Name of the teacher that the experiment loads, None if it loads no teacher."""
    binding = _teacher_name()
    name = binding and _configuration.value(binding)
    return name if isinstance(name, str) else None


def bind_teacher(name: str) -> None:
    """Replaces the teacher's name in the configuration, after a missing teacher was trained.

    Raises:
        ValueError: the experiment loads no teacher.
    """
    binding = _teacher_name()
    if binding is None:
        raise ValueError("the experiment loads no teacher")
    with gin.unlock_config():
        gin.bind_parameter(binding.key, name)


def bind_compressed(folder: str) -> None:
    """Takes the generator of an experiment with compressions from `folder` as it is, which holds it compressed already.

    An experiment without compressions stays as it is.
    """
    if any(each.name == COMPRESSED for each in _configuration.read.values()):
        with gin.unlock_config():
            gin.bind_parameter(COMPRESSED, folder)
            gin.bind_parameter("compressed.stages", ())


def _teacher_name() -> Binding | None:
    """The binding that names the teacher, None if the experiment loads no teacher."""
    _, selector = gin.config.ConfigurableReference(TEACHER_LOADER, False).config_key
    given = [_configuration.given(call).get("name") for call in _configuration.calls if call[1] == selector]
    return next(filter(None, given), None)


def teacher_gin_file(name: str) -> pathlib.Path | None:
    """The gin file that trains this teacher, as `--gin_file` takes it; None if there is no such file."""
    path = pathlib.Path("gin", f"{name}.gin")
    return path if path.parent == pathlib.Path("gin") and lookup(path) else None


def build(run: Run) -> Experiment:
    """Makes the experiment. The run's seed fixes its initial weights.

    Raises:
        UserError: a required binding is missing, or a value is not valid.
    """
    keras.utils.set_random_seed(run.seed)
    with explained():
        return gin.get_configurable(make_experiment)(run)


@contextlib.contextmanager
def explained():
    """Turns any error in this block into one line, because a bad value in a gin file may cause any error.

    Raises:
        UserError: replaces the error; the traceback is in the debug log.
        OSError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if is_disk_full(error):  # no binding is to blame
            raise
        raise _not_working(error) from error
    except UserError as error:  # gin appends lines that say where the call was
        raise UserError(str(error).partition("\n")[0]) from error
    except Exception as error:  # a bad value of a binding may raise anything, anywhere in Keras and TensorFlow
        if is_lost_worker(error):  # it has nothing to do with the configuration
            raise
        raise _not_working(error) from error


def _not_working(error: Exception) -> UserError:
    logger.debug("building or running the experiment", exc_info=True)
    ours = said_in(str(error))
    return UserError(ours or f"the configuration does not work: {' '.join(str(error).split())[:400]}")
