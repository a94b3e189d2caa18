"""Two configurations make one run if they train the same."""

import gin
import pytest

from akdg_tf import configurables  # noqa: F401  (registers what the bindings name)
from akdg_tf.training.identity import training_lines

EXPERIMENT = """
make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.schedule = @Schedule()
GeneratorExperiment.evaluations = {'scores': @ImageScores()}
Schedule.steps = %STEPS
STEPS = 100
ImageScores.samples = %SAMPLES
SAMPLES = 10
"""


@pytest.mark.parametrize(
    "change",
    [
        "SAMPLES = 20",
        "ImageScores.samples = 30",
        "GeneratorExperiment.evaluations = {'scores': @ImageScores(), 'points': @points/PointScores()}",
        "GeneratorExperiment.curve = {'curve': @curve/ImageScores()}\nSchedule.curve_every = 10",
        "GeneratorExperiment.exports = (@LiteRT(),)\nLiteRT.weights = 'float16'",
        "R1Penalty.gamma = 3.0",  # nothing reads it
        "Schedule.cpu_budget = 'x.gin'",
    ],
)
def test_scores_exports_and_what_nothing_reads_may_change(change):
    assert training_lines(EXPERIMENT + change) == training_lines(EXPERIMENT)


@pytest.mark.parametrize(
    "change",
    [
        "STEPS = 200",
        "Schedule.batch_size = 7",
        "make_experiment.dtype_policy = 'auto'",
        "import math",
    ],
)
def test_whatever_is_trained_otherwise_is_another_run(change):
    assert training_lines(EXPERIMENT + change) != training_lines(EXPERIMENT)


TEACHER = "GeneratorExperiment.teacher = @load_teacher\nload_teacher.name = '{}'\n"


@pytest.mark.parametrize(
    ("method", "same"),
    [
        ("GeneratorExperiment.method = @GAN\n", True),
        ("GeneratorExperiment.method = @AKDG\n", False),
        ("GeneratorExperiment.method = @MSEDistillation\n", False),
        ("GeneratorExperiment.method = @GAN\nGeneratorExperiment.data = @Data()\nData.name = 'teacher'\n", False),
        ("GeneratorExperiment.method = %METHOD\nMETHOD = @GAN\n", False),  # a macro is not looked through
        ("", False),
    ],
)
def test_a_teacher_that_is_only_compared_with_may_change(method, same):
    one, other = (training_lines(EXPERIMENT + method + TEACHER.format(name)) for name in ("a", "b"))
    assert one is not None and (one == other) == same


@gin.configurable
def called_by_the_users_own_network(width=1):
    """Nothing refers to it."""


def test_what_the_users_own_code_may_read_makes_another_run():
    helper = "called_by_the_users_own_network.width = {}\n"
    assert training_lines(EXPERIMENT + helper.format(1)) != training_lines(EXPERIMENT + helper.format(2))


@pytest.mark.parametrize("text", ["", "R1Penalty.gamma = 3.0", EXPERIMENT + "Nobody.knows = 1", "not gin at all ("])
def test_a_text_that_cannot_be_understood_is_said_to_be(text):
    assert training_lines(text) is None
