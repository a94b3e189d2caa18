"""Stages of runs that fail because something cannot be written, and that work."""

import pytest

KEPT = ("checkpoints/*", "saved_model/**/*", "result.json")


@pytest.fixture
def fails(run_here, tmp_path):
    """Runs a command while `fault`, a context, lasts. It ends with one line and changes no file that was there."""

    def function(fault, arguments, stage):
        kept = [path for place in KEPT for path in tmp_path.glob(f"*/{place}")]
        before = {path: path.read_bytes() for path in kept if path.is_file()}
        with fault:
            done = run_here(*(each.replace("TMP", str(tmp_path)) for each in arguments), f"--stage={stage}")
        lines = [line for line in done.stderr.splitlines() if line.startswith("run.py: ")]
        assert (done.returncode, len(lines)) == (2, 1), done.stderr
        assert "Traceback" not in done.stderr
        for path, content in before.items():
            assert path.read_bytes() == content, path
        return lines[0]

    return function


@pytest.fixture
def works(run_here, tmp_path):
    """Runs a command, which succeeds."""

    def function(arguments, stage):
        done = run_here(*(each.replace("TMP", str(tmp_path)) for each in arguments), f"--stage={stage}")
        assert done.returncode == 0, done.stderr

    return function
