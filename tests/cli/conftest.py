"""Runs of `run.py` within the test's own process, which has imported TensorFlow already."""

import logging
import sys
import types

import gin
import pytest
from absl.testing import flagsaver
from support import ROOT

from akdg_tf.cli.flags import parse
from akdg_tf.cli.run import _run_or_explain


@pytest.fixture
def run_here(monkeypatch, capfd, caplog):
    """A function like `support.run`, but the run takes place in this process. Its log lines are part of `stderr`."""

    def function(*arguments, cwd=ROOT):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, arguments)])
        gin.clear_config()
        caplog.clear()
        capfd.readouterr()
        code = 0
        with flagsaver.flagsaver(), caplog.at_level(logging.INFO, "akdg_tf"):
            try:
                _run_or_explain(parse(sys.argv))
            except SystemExit as end:
                code = end.code
        said = capfd.readouterr()
        return types.SimpleNamespace(returncode=code, stdout=said.out, stderr=said.err + caplog.text)

    return function
