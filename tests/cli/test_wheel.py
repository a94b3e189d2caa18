"""The wheel, installed where the checkout cannot be seen."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import pytest
from support import ROOT

SOURCES = ("akdg_tf", "gin", "setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE")
LOADED = """
import sys
sys.modules |= dict.fromkeys(("matplotlib", "mlxtend", "sklearn"))  # Keras imports what it finds of them; not so here
import akdg_tf
akdg_tf.load
print(akdg_tf.__file__)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that the wheel is installed in, built from a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("target")
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", f"--wheel-dir={wheels}", source], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "install", "--quiet", "--no-deps", f"--target={target}", wheel], check=True)
    return target


def python(installed, folder, *arguments):
    """Runs Python in a folder, without what links to the checkout: -S passes over an editable installation."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), sysconfig.get_path("purelib")])}
    command = [sys.executable, "-S", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_and_all_data_are_in_it(installed):
    packaged = {path.relative_to(installed) for path in (installed / "akdg_tf").rglob("*") if path.is_file()}
    sources = {path.relative_to(ROOT) for path in (ROOT / "akdg_tf").rglob("*") if path.is_file()}
    sources |= {pathlib.Path("akdg_tf", path.relative_to(ROOT)) for path in (ROOT / "gin").rglob("*.gin")}
    assert {path for path in packaged if path.suffix != ".pyc"} == {path for path in sources if path.suffix != ".pyc"}


@pytest.mark.long
def test_an_experiment_runs_from_an_empty_folder(installed, tmp_path):
    akdg = installed / "bin" / "akdg"
    listing = python(installed, tmp_path, akdg, "run", "--gin_file=toy_ring_teacher", "--stage=config")
    assert f"# {installed / 'akdg_tf' / 'gin' / 'toy.gin'}:" in listing and not list(tmp_path.iterdir())
    table = python(installed, tmp_path, akdg, "run", "--gin_file=toy_ring_teacher", "--smoke")
    assert "SMOKE RUN" in table and "modes" in table
    assert (tmp_path / "runs" / "toy_ring_teacher-smoke" / "result.json").exists()


def test_loading_imports_no_library_of_data_or_pictures(installed, tmp_path):
    assert python(installed, tmp_path, "-c", LOADED).strip() == str(installed / "akdg_tf" / "__init__.py")
