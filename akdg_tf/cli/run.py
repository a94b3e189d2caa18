"""The command `akdg run`: runs one experiment from its gin files."""

import logging
import signal
import sys

from absl import app

from akdg_tf.cli import quiet
from akdg_tf.cli.flags import parse, program
from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)


def main() -> None:
    """Runs the command with the arguments in `sys.argv`."""
    signal.signal(signal.SIGTERM, _terminated)
    app.run(_run_or_explain, flags_parser=parse)


def _run_or_explain(_) -> None:
    """Runs the experiment. Bad input, and what fails outside of it, gives one line and exit code 2."""
    stages = quiet.load("akdg_tf.cli.stages")
    failures = quiet.load("akdg_tf.training.failures")
    try:
        stages.run_experiment()
    except UserError as error:
        _end(str(error))
    except OSError as error:
        _end(f"{error}; {failures.GOES_ON}" if failures.is_disk_full(error) else str(error))
    except failures.OpError as error:
        logger.debug("TensorFlow failed", exc_info=True)
        then = failures.RESUMES if failures.is_lost_worker(error) else failures.GOES_ON
        _end(f"{failures.failure_of(error)}; {then}")
    except KeyboardInterrupt:
        _end("interrupted; the same command continues from the last checkpoint", 130)


def _terminated(number, frame):
    """A scheduler's SIGTERM ends a run as Ctrl-C does: files and folders that are being written are removed."""
    raise KeyboardInterrupt


def _end(line: str, code: int = 2) -> None:
    print(f"{program()}: {line}", file=sys.stderr)
    sys.exit(code)
