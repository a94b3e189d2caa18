"""The command `akdg run`: runs one experiment from its gin files."""

import sys

from absl import app

from akdg_tf.cli import quiet
from akdg_tf.cli.flags import parse, program
from akdg_tf.errors import UserError


def main() -> None:
    """Runs the command with the arguments in `sys.argv`."""
    app.run(_run_or_explain, flags_parser=parse)


def _run_or_explain(_) -> None:
    """Runs the experiment. Bad input gives one line and exit code 2."""
    stages = quiet.load("akdg_tf.cli.stages")
    try:
        stages.run_experiment()
    except (UserError, OSError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{program()}: interrupted; the same command continues from the last checkpoint", file=sys.stderr)
        sys.exit(130)
