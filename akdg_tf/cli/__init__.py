"""The console command: akdg run | zoo | report."""

import importlib
import importlib.metadata
import sys

COMMANDS = {
    "run": "train, export and evaluate one experiment from its gin file",
    "zoo": "publish, verify, serve and show the model zoo",
    "report": "tables and pictures of finished runs",
}


def main() -> None:
    """Runs the command that the first argument names; each takes the others from `sys.argv`."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name == "--version":
        print(f"akdg {version()}")
    elif name in COMMANDS:
        sys.argv = [f"akdg {name}", *sys.argv[2:]]
        importlib.import_module(f"akdg_tf.cli.{name}").main()
    elif name in ("", "-h", "--help"):
        print(usage())
    else:
        print(f"akdg: there is no command {name!r}: choose {', '.join(COMMANDS)} (see --help)", file=sys.stderr)
        sys.exit(2)


def usage() -> str:
    """The commands, a line each."""
    lines = [f"  akdg {command:8} {what}" for command, what in COMMANDS.items()]
    return "\n".join(["usage: akdg COMMAND ...", "", *lines, "", "akdg COMMAND --help tells more; akdg --version"])


def version() -> str:
    """Of the installed package."""
    try:
        return importlib.metadata.version("akdg_tf")
    except importlib.metadata.PackageNotFoundError:
        return "of a checkout that is not installed"
