"""How a command ends if something fails: one line on stderr and an exit code, without a traceback."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import NoReturn

from akdg_tf.cli import quiet
from akdg_tf.errors import UserError

FAILED, INTERRUPTED = 2, 130  # exit codes

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def in_one_line(program: str, goes_on: str = "", interrupted: str = "") -> Iterator[None]:
    """Ends the process with one line if bad input, the system or TensorFlow makes the block fail.

    What else is raised is a mistake of ours, and keeps its traceback.

    Args:
        program: name of the command, with which the line begins.
        goes_on: what to do once the cause is mended, where the system or TensorFlow failed.
        interrupted: the line after Ctrl-C; by default there is none.

    Raises:
        SystemExit: with the code `FAILED`, or with `INTERRUPTED` after Ctrl-C.
    """
    try:
        yield
    except UserError as error:
        _end(program, str(error))
    except (OSError, UnicodeError) as error:  # UnicodeError: a path that is not UTF-8
        full = isinstance(error, OSError) and quiet.load("akdg_tf.training.failures").is_disk_full(error)
        _end(program, _with(str(error), goes_on if full else ""))
    except KeyboardInterrupt:
        _end(program, interrupted, INTERRUPTED)
    except Exception as error:
        failures = quiet.load("akdg_tf.training.failures")  # which imports TensorFlow
        if not isinstance(error, failures.OpError):
            raise
        logger.debug("TensorFlow failed", exc_info=True)
        advice = failures.RESUMES if failures.is_lost_worker(error) else goes_on
        _end(program, _with(failures.failure_of(error), advice))


def _with(line: str, advice: str) -> str:
    return f"{line}; {advice}" if advice else line


def _end(program: str, line: str, code: int = FAILED) -> NoReturn:
    if line:
        print(f"{program}: {line}", file=sys.stderr)
    sys.exit(code)
