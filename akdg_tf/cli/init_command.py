"""What `akdg init` does: decides the experiment, writes its gin file, and says how to run it."""

import argparse
import logging
import pathlib
import re
import shlex

from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.models.counting import exceeded
from akdg_tf.models.sizing import Budget, costs
from akdg_tf.places import check_encoding
from akdg_tf.training.gin_files import lookup
from akdg_tf.training.own_experiment import OwnExperiment, Request, decide, teacher_settings
from akdg_tf.training.own_gin import WRITTEN_BY, counted, gin_text
from akdg_tf.zoo.entries import check_name

logger = logging.getLogger(__name__)


def init(arguments: argparse.Namespace) -> str:
    """Writes the gin file into the current folder.

    Args:
        arguments: of `init.parser`.

    Returns:
        The command that runs the experiment.

    Raises:
        UserError: something is missing or does not fit, or a file of this name exists.
    """
    check_texts(arguments)
    given = arguments.name and arguments.name.removesuffix(".gin")
    name = check_name(given or default_name(arguments.teacher, arguments.student))
    path = free_path(name, arguments.overwrite)
    own = decide(request(arguments, arguments.student))
    write_text(path, gin_text(name, own))
    _report(own)
    logger.info("wrote %s. The next command (add --smoke to try it in about a minute):", path)
    return command(path, own)


def check_texts(arguments: argparse.Namespace) -> None:
    """Checks that what goes into the gin file is UTF-8.

    Raises:
        UserError: it is not.
    """
    for text in (arguments.teacher, arguments.data or "", arguments.data_dir or "", *arguments.gin_param):
        check_encoding(text)


def request(arguments: argparse.Namespace, student: str) -> Request:
    """What the arguments ask for, for one kind of student."""
    limits = (arguments.max_mult_adds, arguments.max_params, arguments.max_kb, arguments.max_ms)
    return Request(
        teacher=arguments.teacher,
        teacher_settings=teacher_settings(arguments.gin_param),
        data=arguments.data,
        data_dir=arguments.data_dir,
        student=student,
        side=arguments.side,
        budget=Budget(*limits),
    )


def command(path: pathlib.Path, own: OwnExperiment) -> str:
    """The command that runs the experiment of a gin file."""
    data = [f"--data_dir={own.data_dir}"] if own.data_dir else []
    return shlex.join(["akdg", "run", f"--gin_file={path}", *data])


def default_name(teacher: str, student: str) -> str:
    """The name of an experiment: "mnist_sngan_dcgan_akdg" for a DCGAN student of runs/mnist_sngan_teacher."""
    stem = pathlib.PurePath(teacher.removesuffix("/").removesuffix("/saved_model"))
    words = stem.stem if stem.suffix in (".keras", ".onnx", ".tflite", ".npz") else stem.name
    words = re.sub(r"\W+", "_", words, flags=re.ASCII).strip("_").removesuffix("_teacher") or "own"
    return f"{words}_{student}_akdg"


def free_path(name: str, overwrite: bool) -> pathlib.Path:
    """The gin file to write, NAME.gin in the current folder.

    Args:
        name: its name.
        overwrite: whether a file that this command wrote may be replaced.

    Raises:
        UserError: it exists and may not be replaced, or `akdg run` would find another file by this name.
    """
    path, found, hint = pathlib.Path(f"{name}.gin"), lookup(name), "choose another --name"
    if found is None:
        return path
    if found != path:
        raise UserError(f"there is another gin file of this name, {found}: {hint}")
    with path.open(encoding="utf-8", errors="replace") as file:
        ours = WRITTEN_BY in file.readline()
    if not ours:
        raise UserError(f"{path} exists and was not written by akdg init or akdg design: {hint}")
    if not overwrite:
        raise UserError(f"{path} exists: {hint}, or replace it with --overwrite")
    return path


def _report(own: OwnExperiment) -> None:
    """Logs what teacher and student cost."""
    logger.info("teacher %s: %s per image", own.teacher, counted(own.costs))
    logger.info("student %s: %s", type(own.student.network).__name__, costs(own.student))
    more = exceeded(vars(own.student.cost), own.costs)
    if more:
        logger.warning("the student has more %s than its teacher", " and more ".join(more))
