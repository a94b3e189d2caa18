"""The console command: its help is quick and readable, and what is wrong is one line."""

import importlib.metadata
import os
import subprocess
import sys

import pytest
from support import ROOT

LIGHT = "import runpy, sys; sys.argv = ['akdg', *{arguments!r}]; runpy.run_module('akdg_tf', run_name='__main__')"


def akdg(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", "akdg_tf", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), ("akdg init", "akdg run", "akdg zoo", "akdg report")),
        (("--help",), ("akdg init", "akdg run", "akdg zoo", "akdg report")),
        (("--version",), (f"akdg {importlib.metadata.version('akdg_tf')}\n",)),
        (("run", "--help"), ("usage: akdg run --gin_file=FILE", "--gin_param", "--data_dir", "--stage", "'describe'")),
        (("init", "--help"), ("usage: akdg init", "--teacher", "--data", "--max_mult_adds", "--overwrite", "20M")),
        (("zoo", "--help"), ("usage: akdg zoo", "publish", "verify", "cards", "serve", "gallery")),
        (("zoo", "verify", "--help"), ("usage: akdg zoo verify", "--metrics", "AKDG_ZOO")),
    ],
)
def test_help_is_printed_without_tensorflow(arguments, says):
    """TensorFlow, Keras and gin cannot be imported here at all."""
    block = "import sys; sys.modules |= dict.fromkeys(('tensorflow', 'keras', 'gin', 'numpy'))\n"
    code = block + LIGHT.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert all(text in done.stdout for text in says)
    assert max(map(len, done.stdout.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nosuch",), "akdg: unknown command 'nosuch': choose init, design, run, zoo, report (see --help)\n"),
        (
            ("run",),
            "akdg run: no experiment given: name its gin file, such as --gin_file=mnist_mlp_akdg (see --help)\n",
        ),
        (("run", "--nosuch"), "akdg run: Unknown command line flag 'nosuch' (see --help)\n"),
        (
            ("run", "--gin_file=gin/mnist_mlp_akdg.gin", "gin/budget_cpu.gin", "x"),
            "akdg run: unexpected 'gin/budget_cpu.gin' 'x': each file and binding needs its own flag, "
            "--gin_file=gin/budget_cpu.gin or --gin_param=gin/budget_cpu.gin (see --help)\n",
        ),
        (
            ("run", "--gin_file=mnist_mlp_akdg", "--gin_param", "EMA_DECAY=0.9", "LATENT_DIM=2"),
            "akdg run: unexpected 'LATENT_DIM=2': each file and binding needs its own flag, "
            "--gin_file=LATENT_DIM=2 or --gin_param=LATENT_DIM=2 (see --help)\n",
        ),
    ],
)
def test_what_is_wrong_with_the_command_line_is_one_line(arguments, says, tmp_path):
    done = akdg(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", says)
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "runs").write_text("a file in the place of the folder")
    done = akdg("report", "toy_ring", cwd=tmp_path)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("akdg report: ") and len(done.stderr.splitlines()) == 1
