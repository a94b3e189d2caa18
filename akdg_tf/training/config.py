"""The gin side of a run: parsing with clear errors, and making the experiment that the files bind."""

import logging
import os
import pathlib
from collections.abc import Sequence

import gin
import keras

from akdg_tf.errors import UserError
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

for _class in (keras.optimizers.Adam, keras.optimizers.RMSprop):
    gin.external_configurable(_class, module="keras.optimizers")
gin.external_configurable(keras.optimizers.schedules.PolynomialDecay, module="keras.optimizers.schedules")


@gin.configurable
def make_experiment(run: Run, experiment=gin.REQUIRED):
    """Makes the experiment that the gin files bind, GeneratorExperiment or ClassifierExperiment."""
    return experiment(run)


def parse(gin_files: Sequence[str], bindings: Sequence[str]) -> None:
    """Parses gin files, then single bindings; later ones override.

    Raises:
        UserError: a file is missing, or a binding is malformed or binds nothing.
    """
    for file in gin_files:
        if not os.path.exists(file):
            raise UserError(f"there is no gin file {file!r}: see the folder gin/")
    try:
        gin.parse_config_files_and_bindings(list(gin_files), list(bindings), print_includes_and_imports=False)
    except (ValueError, SyntaxError, OSError, TypeError) as error:
        raise UserError(f"gin configuration: {_one_line(error)}") from error


def build(run: Run, bindings: Sequence[str]):
    """Makes the experiment and checks that every single binding found its use.

    Raises:
        UserError: a required binding is missing, a value does not fit, or a binding binds nothing in this experiment.
    """
    keras.utils.set_random_seed(run.seed)
    try:
        experiment = make_experiment(run)
    except UserError:
        raise
    except (ValueError, RuntimeError, TypeError) as error:
        logger.debug("building the experiment", exc_info=True)
        raise UserError(f"the configuration does not build: {_one_line(error)}") from error
    return experiment


def bound_teacher() -> str | None:
    """Name of the teacher that the configuration names, None if it names none."""
    try:
        return gin.query_parameter("load_teacher.name")
    except ValueError:
        return None


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


def check_used(bindings: Sequence[str]) -> None:
    """Checks that every single binding, "scope/Name.parameter = value", was in force; call when all has been built.

    Raises:
        UserError: one names something that this experiment does not use.
    """
    in_force = gin.operative_config_str()
    for binding in bindings:
        name = binding.partition("=")[0].strip()
        parameter = ".".join(name.split(".")[-2:]) if "." in name else name
        if f"{parameter} =" not in in_force:
            raise UserError(f"the binding {name!r} binds nothing that this experiment uses")
