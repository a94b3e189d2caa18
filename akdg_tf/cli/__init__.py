"""The console command: akdg init | design | run | zoo | report."""

import importlib
import importlib.metadata
import sys

COMMANDS = {
    "init": "write the gin file of an experiment of your own",
    "design": "propose the largest students within a budget, and write their gin files",
    "run": "train, export and evaluate one experiment from its gin file",
    "zoo": "publish, verify, serve and show the model zoo",
    "report": "tables and pictures of finished runs",
}


def main() -> None:
    """Runs the command that the first argument names. It reads the other arguments from `sys.argv`."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name == "--version":
        print(f"akdg {version()}")
    elif name in COMMANDS:
        sys.argv = [f"akdg {name}", *sys.argv[2:]]
        importlib.import_module(f"akdg_tf.cli.{name}").main()
    elif name in ("", "-h", "--help"):
        print(usage())
    else:
        print(f"akdg: unknown command {name!r}: choose {', '.join(COMMANDS)} (see --help)", file=sys.stderr)
        sys.exit(2)


def usage() -> str:
    """The help text: one line per command."""
    lines = [f"  akdg {command:8} {what}" for command, what in COMMANDS.items()]
    more = ["akdg COMMAND --help shows the help of a command.", "akdg --version shows the version."]
    return "\n".join(["usage: akdg COMMAND ...", "", *lines, "", *more])


def version() -> str:
    """Version of the installed package."""
    try:
        return importlib.metadata.version("akdg_tf")
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown: the package is not installed)"
