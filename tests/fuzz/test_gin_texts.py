"""Gin files and bindings of strangers, without their imports: a configuration, or one line; nothing is run."""

import pathlib
import tempfile

import pytest
from fuzzing import fuzzed, mutated, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.training import config
from akdg_tf.training.gin_files import gin_folder

FILES = [
    (gin_folder() / f"{name}.gin").read_bytes()
    for name in ("mnist_mlp_akdg", "mnist_sngan_teacher", "toy_ring_akdg", "cifar10_classifier")
]
EXPERIMENT = """make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.generator = @g/MLPGenerator()
GeneratorExperiment.teacher = @load_teacher
"""
left = st.one_of(
    st.sampled_from(
        ("AKDG.distillation_weight", "g/MLPGenerator.width", "load_teacher.name", "A", "a/b/A", "Nosuch.x", "AKDG", "")
    ),
    st.text(max_size=10),
)
simple = st.sampled_from(
    *[
        (
            "1",
            "'x'",
            "@AKDG()",
            "@g/MLPGenerator",
            "%A",
            "%B",
            "{'a': 1}",
            "(1, 2",
            "[",
            "None",
            "true",
            "1 + 1",
            "-1e999",
        )
    ]
)
value = st.one_of(
    simple,
    st.text(max_size=20),
    st.lists(simple, max_size=4).map(", ".join),
    st.builds(lambda mark, count: mark * count, st.sampled_from("([{-~'\"\\%@#.,\t\n"), st.integers(1, 3000)),
    st.integers(1, 6000).map("9".__mul__),
)
line = st.one_of(
    st.builds("{} = {}".format, left, value),
    st.builds("{}:\n  {} = {}".format, left, left, value),
    st.sampled_from(("import os", "from __gin__ import x", "include 'x.gin'", "include '/etc/passwd'", "import", "\0")),
    value,
)


@pytest.fixture(scope="module")
def path():
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(folder, "x.gin")


def check(path, content, bindings=()):
    path.write_bytes(content)
    with watched(path.parent):
        if one_line(config.effective, [path], bindings, False) is not None:
            assert isinstance(config.listing(), str) and isinstance(config.hyperparameters(), dict)
            one_line(config.bound_teacher)
            one_line(config.binds_no_evaluations)


@fuzzed(30)
@given(content=mutated(FILES))
def test_broken_bytes(path, content):
    check(path, content)


@fuzzed(50)
@given(lines=st.lists(line, max_size=5))
def test_statements_that_hardly_make_sense(path, lines):
    check(path, (EXPERIMENT + "\n".join(lines)).encode(errors="surrogatepass"))


@fuzzed(30)
@given(binding=st.one_of(line, st.builds("{}={}".format, left, value)))
def test_bindings_of_the_command_line(path, binding):
    check(path, EXPERIMENT.encode(), [binding])
