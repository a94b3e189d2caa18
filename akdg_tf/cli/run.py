"""Runs one experiment from its gin file: akdg run --gin_file=cifar10_mlp_akdg"""

import os
import sys

from absl import app

from akdg_tf.cli.flags import parse, program
from akdg_tf.errors import UserError


def main() -> None:
    """The command, its arguments taken from `sys.argv`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported, which reads it then
    app.run(_run_or_explain, flags_parser=parse)


def _run_or_explain(_) -> None:
    """Runs the experiment; bad input gives one line and exit code 2."""
    from akdg_tf.cli.stages import run_experiment  # imports TensorFlow, which takes seconds

    try:
        run_experiment()
    except (UserError, OSError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{program()}: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)
