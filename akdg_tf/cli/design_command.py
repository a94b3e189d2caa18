"""What `akdg design` does: sizes a student of each kind to a budget, and writes their gin files."""

import argparse
import dataclasses
import logging

from akdg_tf.artifacts import latency
from akdg_tf.cli.init_command import check_texts, command, default_name, free_path, request
from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.models.sizing import FAMILIES, NoStudent, Student
from akdg_tf.reporting import markdown
from akdg_tf.training.own_experiment import OwnExperiment, decide
from akdg_tf.training.own_gin import gin_text
from akdg_tf.zoo.entries import check_name

logger = logging.getLogger(__name__)

HEADS = ["student", "params", "mult-adds", "kB", "ms per image"]


def design(arguments: argparse.Namespace) -> str:
    """Writes one gin file for each kind of student into the current folder.

    Args:
        arguments: of `design.parser`.

    Returns:
        A table of the students, and the commands that run them.

    Raises:
        UserError: no kind of student is within the budget, something does not fit, or a file of this name exists.
    """
    check_texts(arguments)
    paths = {kind: free_path(_name(arguments, kind), arguments.overwrite) for kind in FAMILIES}
    found: dict[str, OwnExperiment] = {}
    for kind in FAMILIES:
        try:
            found[kind] = _timed(decide(request(arguments, kind)))
        except NoStudent as error:
            logger.warning("%s", error)
    if not found:
        raise UserError("no kind of student is within this budget: see the lines above")
    for kind, own in found.items():
        write_text(paths[kind], gin_text(paths[kind].stem, own))
    rows = [_row(own.student) for own in found.values()]
    commands = [command(paths[kind], own) for kind, own in found.items()]
    return "\n".join([*markdown.table(HEADS, rows, "lrrrr"), "", *commands])


def _name(arguments: argparse.Namespace, kind: str) -> str:
    """The name of the experiment with a kind of student."""
    return check_name(f"{arguments.name}_{kind}_akdg") if arguments.name else default_name(arguments.teacher, kind)


def _timed(own: OwnExperiment) -> OwnExperiment:
    """The same experiment, with the time of its student."""
    student = own.student
    if student.milliseconds is None:
        student = dataclasses.replace(student, milliseconds=latency.milliseconds(student.network))
    return dataclasses.replace(own, student=student)


def _row(student: Student) -> list[str]:
    cost = student.cost
    counts = [f"{cost.params:,}", f"{cost.mult_adds:,}", f"{cost.bytes / 1e3:,.0f}"]
    return [type(student.network).__name__, *counts, f"{student.milliseconds:.2g}"]
