"""The command `akdg run`: runs one experiment from its gin files."""

import signal

from absl import app

from akdg_tf.cli import ending, quiet
from akdg_tf.cli.flags import parse, program

CONTINUES = "the same command continues from the last checkpoint"


def main() -> None:
    """Runs the command with the arguments in `sys.argv`."""
    signal.signal(signal.SIGTERM, _terminated)
    app.run(_run_or_explain, flags_parser=parse)


def _run_or_explain(_) -> None:
    """Runs the experiment. Bad input, and what fails outside of it, gives one line and exit code 2."""
    with ending.in_one_line(program(), f"once that is mended, {CONTINUES}", f"interrupted; {CONTINUES}"):
        quiet.load("akdg_tf.cli.stages").run_experiment()


def _terminated(number, frame):
    """A scheduler's SIGTERM ends a run as Ctrl-C does: files and folders that are being written are removed.

    A training first saves a checkpoint; see `training.stopping`.
    """
    raise KeyboardInterrupt
