"""A folder that cannot be written, at every stage: one line, what was there stays, and later the same command works."""

import contextlib
import os
import shutil
import subprocess
import sys

import pytest
from faults.test_full_disk import STUDENT, TEACHER
from support import ROOT

from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.cli import zoo

# Root may write anywhere, unless its processes lack these rights.
INNER = "AKDG_TEST_WITHOUT_RIGHTS"
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@contextlib.contextmanager
def read_only(folder):
    """No file can be made or changed below a folder."""
    places = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    modes = {path: path.stat().st_mode for path in places}
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.long
def test_as_root():
    """The test below, in a process that may not write anywhere."""
    if os.environ.get(INNER) or os.geteuid() != 0:
        pytest.skip("the test below runs here")
    if shutil.which("setpriv") is None or subprocess.run([*WITHOUT_RIGHTS, "true"], check=False).returncode:
        pytest.skip("root cannot give up its rights here")
    command = [*WITHOUT_RIGHTS, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, INNER: "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "1 passed, 1 skipped" in done.stdout, done.stdout


@pytest.fixture
def no_root(tmp_path):
    """Skips a test of which root's rights would make nothing of what it tests."""
    with read_only(tmp_path):
        if os.access(tmp_path, os.W_OK):
            pytest.skip("root may write anywhere: see test_as_root")


@pytest.mark.long
@pytest.mark.usefixtures("no_root")
def test_every_stage_goes_on_once_it_may_write(fails, works, tmp_path, monkeypatch, capfd):
    run, banks, entries = (tmp_path / name for name in ("teacher", "banks", "zoo"))
    monkeypatch.setattr("akdg_tf.teachers.bank.BANKS", banks)
    ten, more = ([*TEACHER, f"--gin_param=STEPS={steps}"] for steps in (10, 20))
    assert str(run) in fails(read_only(tmp_path), ten, "train")
    works(ten, "train")
    assert str(run) in fails(read_only(run), [*more, "--allow_config_change"], "train")
    assert steps_in(run / "checkpoints") == [10]
    works([*more, "--allow_config_change"], "train")
    assert str(run) in fails(read_only(run), more, "export")
    works(more, "export")
    assert str(run) in fails(read_only(run), more, "evaluate")
    works(more, "evaluate")
    banks.mkdir()
    assert str(banks) in fails(read_only(banks), STUDENT, "train")
    works(STUDENT, "train")
    command = ["publish", "--zoo", str(entries), str(run)]
    zoo.main(command)
    capfd.readouterr()
    published = {path: path.read_bytes() for path in entries.rglob("*") if path.is_file()}
    for arguments in ([*command, "--overwrite"], ["cards", "--zoo", str(entries)]):
        with read_only(entries), pytest.raises(SystemExit) as end:
            zoo.main(arguments)
        said = capfd.readouterr().err
        assert end.value.code == 2 and len(said.splitlines()) == 1 and str(entries) in said, said
    assert {path: path.read_bytes() for path in entries.rglob("*") if path.is_file()} == published
