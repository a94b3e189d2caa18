"""What makes two runs the same: all that their training may read. How a run is scored and exported may change."""

from collections.abc import Sequence

from gin.config import ConfigurableReference
from gin.config_parser import BindingStatement

from akdg_tf.data.teacher import NAME
from akdg_tf.errors import UserError
from akdg_tf.training.bindings import MACRO, ROOT, Binding, Configuration, binding_of
from akdg_tf.training.gin_files import text_statements

FREE = (  # bindings that do not change what is trained
    "GeneratorExperiment.evaluations",
    "GeneratorExperiment.curve",
    "GeneratorExperiment.exports",
    "Schedule.curve_every",
    "Schedule.cpu_budget",
)
TEACHER = "GeneratorExperiment.teacher"
KNOWN = (MACRO, "akdg_tf.", "keras.")  # selectors of what is called only by a reference


def training_lines(config: str) -> list[str] | None:
    """The lines of a configuration that may decide what is trained.

    Args:
        config: text of a `config.gin`.

    Returns:
        The imports; the bindings that the training reads, "name = value"; and those of a user's own functions that no
        reference reaches, because the user's code may call them. None if the text binds no experiment or names
        something unknown.
    """
    try:
        statements = list(text_statements(config, "config.gin"))
        bindings = [binding_of(each, "") for each in statements if isinstance(each, BindingStatement)]
        configuration = Configuration(bindings)
        read = configuration.read_without((*FREE, *([TEACHER] if _is_only_compared(bindings) else [])))
        others = [each for each in bindings if each.key not in configuration.read and not _is_known(each)]
        lines = [f"{each.name} = {each.text}" for each in (*read.values(), *others)]
    except (UserError, ValueError, KeyError):
        return None
    if not any(each.selector.endswith(ROOT) for each in bindings):
        return None
    return [*(each.format() for each in statements if not isinstance(each, BindingStatement)), *lines]


def _is_only_compared(bindings: Sequence[Binding]) -> bool:
    """Whether the teacher is only scored and shown: the method learns from none, and its images are not the data."""
    values = {each.name: each.value for each in bindings}
    method = values.get("GeneratorExperiment.method")
    if values.get("Data.name") == NAME or not isinstance(method, ConfigurableReference):
        return False
    return getattr(method.configurable.wrapped, "teacher_role", method) is None


def _is_known(binding: Binding) -> bool:
    return binding.selector.startswith(KNOWN)
