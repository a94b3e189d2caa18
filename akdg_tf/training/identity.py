"""What makes two runs the same: all that their training reads. How a run is scored and exported may change."""

from gin.config_parser import BindingStatement

from akdg_tf.errors import UserError
from akdg_tf.training.bindings import ROOT, Configuration, binding_of
from akdg_tf.training.gin_files import text_statements

FREE = (  # bindings that do not change what is trained
    "GeneratorExperiment.evaluations",
    "GeneratorExperiment.curve",
    "GeneratorExperiment.exports",
    "Schedule.curve_every",
    "Schedule.cpu_budget",
)


def training_lines(config: str) -> list[str]:
    """The lines of a configuration that decide what is trained.

    Args:
        config: text of a `config.gin`.

    Returns:
        The imports, and the bindings that the training reads, "name = value". If they cannot be told, because the text
        binds no experiment or names something unknown: all lines.
    """
    try:
        statements = list(text_statements(config, "config.gin"))
        bindings = [binding_of(each, "") for each in statements if isinstance(each, BindingStatement)]
        if not any(binding.selector.endswith(ROOT) for binding in bindings):
            return config.splitlines()
        read = Configuration(bindings).read_without(FREE).values()
    except (UserError, ValueError, KeyError):
        return config.splitlines()
    imports = [each.format() for each in statements if not isinstance(each, BindingStatement)]
    return [*imports, *(f"{binding.name} = {binding.text}" for binding in read)]
