"""README is short, and what it and the other pages tell a reader to type is accepted."""

import functools
import re
import shlex

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from support import ROOT

from akdg_tf.cli import design, init, report, run, zoo  # noqa: F401  (run defines the flags)
from akdg_tf.errors import UserError
from akdg_tf.reporting import report as reports
from akdg_tf.training import config

README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OTHERS = {".", "tensorboard", ".venv/bin/ruff", "python -m http.server"}
OTHERS |= {".venv/bin/python -m pytest", ".venv/bin/python -m pip"}
OTHERS |= {"export", "sed", "pip", "hf", "sbatch", "kubectl", "npm"}
# The guides with files of their own are run by `test_guides.py`.
PAGES = [page for page in sorted(ROOT.glob("docs/*.md")) if 'title="' not in page.read_text()]
PAGES = [README, ROOT / "CONTRIBUTING.md", *PAGES]


def blocks(page, language):
    """The code blocks of a page."""
    return [code for found, code in BLOCK.findall(page.read_text()) if found == language]


def commands(page):
    """The shell commands of a page, each as its words."""
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    words = [tuple(shlex.split(line, comments=True)) for line in lines]
    return [command for command in words if command]


COMMANDS = list(dict.fromkeys(command for page in PAGES for command in commands(page)))


def check_run(arguments):
    """The flags are known and each binding is one that the experiment uses."""
    with flagsaver.flagsaver():
        positional = flags.FLAGS(["akdg run", *arguments])[1:]
        assert not positional and flags.FLAGS.gin_file
        config.parse(flags.FLAGS.gin_file, flags.FLAGS.gin_param)


def check_make(targets):
    found = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets and set(targets) <= set(found)


def check_report(arguments, monkeypatch):
    asked = []

    @functools.wraps(reports.main)
    def ask(families, **_):
        asked.extend(families)

    monkeypatch.setattr(reports, "main", ask)
    report.main(arguments)
    stems = [path.stem for path in (ROOT / "gin").glob("*.gin")]
    families = [name for name in asked if name not in reports.PAGES]
    assert asked and all(any(stem.startswith(f"{family}_") for stem in stems) for family in families)


def check_other(words):
    """A program whose arguments are not ours to parse; a new one is added to `OTHERS` knowingly."""
    program = " ".join(words[:3]) if words[1] == "-m" else words[0]
    assert program in OTHERS


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_is_accepted(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    first, second, rest = command[0], command[1], list(command[2:])
    if (first, second) in (("python", "run.py"), ("akdg", "run")):
        check_run(rest)
    elif (first, second) == ("akdg", "zoo"):
        zoo.parser().parse_args(rest)  # exits where it is wrong
    elif (first, second) == ("akdg", "init"):
        init.parser().parse_args(rest)
    elif (first, second) == ("akdg", "design"):
        design.parser().parse_args(rest)
    elif (first, second) == ("akdg", "report"):
        check_report(rest, monkeypatch)
    elif first == "make":
        check_make(command[1:])
    elif first == "python" and second.startswith("benchmarks/"):
        assert (ROOT / second).exists()
    else:
        check_other(command)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nosuch=1", "--gin_file=gin/mnist_mlp_akdg.gin"],
        ["--gin_file=gin/mnist_mlp_akdg.gin", "gin/budget_cpu.gin"],
        ["--gin_file=gin/mnist_mlp_akdg.gin", "--gin_param=SNGANGenerator.width=9"],
    ],
)
def test_a_command_that_the_flags_do_not_take_is_found(arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises((AssertionError, flags.Error, UserError)):
        check_run(arguments)


def test_readme_is_short():
    text = README.read_text()
    assert len(text.split()) <= 1200 and len(text.splitlines()) <= 130


def test_readme_shows_the_two_commands_and_how_to_run_and_a_picture():
    shown = {command[:2] for command in commands(README)}
    assert {("make", "demo"), ("make", "test"), ("python", "run.py"), ("akdg", "run")} <= shown
    assert len(re.findall(r"^!\[", README.read_text(), re.MULTILINE)) == 1


def test_readme_loads_a_student_in_one_line(monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = blocks(README, "python")
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    images = names["images"]
    assert images.shape == (16, 32, 32, 1) and images.dtype == np.float32
    assert 0 <= images.min() < 0.1 and 0.9 < images.max() <= 1
