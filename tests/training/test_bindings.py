"""What an experiment reads: references are followed through values, macros and scopes, as gin itself follows them."""

import gin
import pytest

from akdg_tf import configurables  # noqa: F401  (registers what the bindings name)
from akdg_tf.errors import UserError
from akdg_tf.training.bindings import ROOT, Binding, Configuration, binding_of

EXPERIMENT = "make_experiment.experiment = @GeneratorExperiment\nGeneratorExperiment.optimizers = @Optimizers()\n"
OPTIMIZER = "Optimizers.generator = "
TWO = OPTIMIZER + "@Adam()\nOptimizers.discriminator = @d/Adam()\n"


def read(text):
    """Names of the bindings of a text that its experiment reads, but for the experiment itself."""
    parser = gin.config_parser.ConfigParser(EXPERIMENT + text, gin.config.ParserDelegate())
    bindings = [binding_of(statement, "") for statement in parser]
    found = [binding.name for binding in Configuration(bindings).read.values()]
    return set(found) - {f"{ROOT}.experiment", "GeneratorExperiment.optimizers"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("GeneratorExperiment.init_from = 'x'\nClassifierExperiment.held_out = 1", {"GeneratorExperiment.init_from"}),
        (OPTIMIZER + "@Adam()\nAdam.beta_1 = 0.0\nRMSprop.rho = 0.9", {"Adam.beta_1"}),
        (OPTIMIZER + "@Adam\nkeras.optimizers.Adam.beta_1 = 0.0", {"Adam.beta_1"}),
        (OPTIMIZER + "(@Adam(),)\nAdam.beta_1 = 0.0", {"Adam.beta_1"}),
        (OPTIMIZER + "{'a': [1, (@Adam(), 2)]}\nAdam.beta_1 = 0.0", {"Adam.beta_1"}),
        (OPTIMIZER + "{'a': '@Adam()'}\nAdam.beta_1 = 0.0", set()),  # text, not a reference
        (OPTIMIZER + "%O\nO = %P\nP = @Adam()\nQ = 1\nAdam.beta_1 = 0.0", {"O", "P", "Adam.beta_1"}),
        (OPTIMIZER + "@Adam()\nd/Adam.beta_1 = 0.0", set()),
        (OPTIMIZER + "@d/Adam()\nd/Adam.beta_1 = 0.0", {"d/Adam.beta_1"}),
        (OPTIMIZER + "@d/Adam()\nAdam.beta_1 = 0.0", {"Adam.beta_1"}),
        (OPTIMIZER + "@d/e/Adam()\nd/Adam.beta_1 = 0.0\ne/Adam.beta_2 = 0.0", {"d/Adam.beta_1"}),
        (OPTIMIZER + "@dd/Adam()\nd/Adam.beta_1 = 0.0", set()),
        # of two scopes, the inner one's value is the one that is given
        (OPTIMIZER + "@d/Adam()\nAdam.beta_1 = 0.1\nd/Adam.beta_1 = 0.0", {"d/Adam.beta_1"}),
        (TWO + "Adam.beta_1 = 0.1\nd/Adam.beta_1 = 0.0", {"Adam.beta_1", "d/Adam.beta_1"}),
        # what is called in a scope calls others in it; a macro is a scope too
        (
            OPTIMIZER + "@d/Adam()\nAdam.learning_rate = @CosineDecay()\nd/CosineDecay.alpha = 0.0",
            {"Adam.learning_rate", "d/CosineDecay.alpha"},
        ),
        (OPTIMIZER + "%O\nO = @Adam()\nO/Adam.beta_1 = 0.0", {"O", "O/Adam.beta_1"}),
        # a circle ends
        (OPTIMIZER + "@Adam()\nAdam.learning_rate = @Adam()", {"Adam.learning_rate"}),
    ],
)
def test_what_is_read(text, names):
    expected = {line.split(" = ")[0] for line in TWO.splitlines() if line in text} | names
    if text.startswith(OPTIMIZER):
        expected.add(OPTIMIZER.split(" = ")[0])
    assert read(text) == expected


def test_without_an_experiment_nothing_is_read():
    binding = Binding("", gin.config.ConfigurableReference("GAN", True).config_key[1], "d_steps", 1, "")
    assert Configuration([binding]).read == {}


def test_a_number_that_python_refuses_to_print_is_one_line():
    parser = gin.config_parser.ConfigParser(f"Schedule.steps = 0x{'f' * 4000}", gin.config.ParserDelegate())
    (binding,) = (binding_of(statement, "x.gin:1") for statement in parser)
    with pytest.raises(
        UserError, match=r"^x\.gin:1: the value of Schedule.steps cannot be printed \(Exceeds the limit"
    ):
        _ = binding.text
