"""The console command: akdg run | zoo | report."""

import importlib
import os
import sys

COMMANDS = {
    "run": "train, export and evaluate one experiment from its gin file",
    "zoo": "publish, verify, serve and show the model zoo",
    "report": "tables and pictures of finished runs",
}


def main() -> None:
    """Runs the command that the first argument names; each takes the others from `sys.argv`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported; it is quiet from then on
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        lines = [f"  akdg {command:8} {what}" for command, what in COMMANDS.items()]
        wanted = name in ("", "-h", "--help")
        print("\n".join(["usage: akdg COMMAND ...", *lines]), file=sys.stdout if wanted else sys.stderr)
        sys.exit(0 if wanted else 2)
    sys.argv = [f"akdg {name}", *sys.argv[2:]]
    importlib.import_module(f"akdg_tf.cli.{name}").main()
