"""The command line of the zoo: akdg zoo publish | verify | cards | serve | gallery; its help imports no TensorFlow."""

import argparse
import logging
import pathlib
import sys

from akdg_tf.cli import quiet
from akdg_tf.errors import UserError

logger = logging.getLogger(__name__)

GALLERY = pathlib.Path("runs", "gallery")


def main(argv: list[str] | None = None) -> None:
    """Runs one command; what is wrong is one line, and exit code 2."""
    arguments = parser().parse_args(argv)
    zoo_commands = quiet.load("akdg_tf.cli.zoo_commands")
    arguments.zoo = arguments.zoo or zoo_commands.default_zoo()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        zoo_commands.COMMANDS[arguments.command](arguments)
    except (UserError, OSError) as error:
        print(f"zoo: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--zoo", type=pathlib.Path, help="folder of the zoo; by default AKDG_ZOO, else zoo/")
    top = argparse.ArgumentParser(prog="akdg zoo", description="The model zoo.")
    commands = top.add_subparsers(required=True, dest="command", metavar="publish | verify | cards | serve | gallery")
    command = commands.add_parser("publish", parents=[common], help="make an entry of a finished run")
    command.add_argument("runs", nargs="+", type=pathlib.Path, help="run folder; more of other seeds are reported too")
    command.add_argument("--overwrite", action="store_true", help="replace a different entry that is there")
    command = commands.add_parser("verify", parents=[common], help="check entries: all, or those that are named")
    command.add_argument("names", nargs="*", metavar="NAME", help="entry")
    command.add_argument("--metrics", action="store_true", help="compute the metrics once more, too")
    command.add_argument("--data_dir", help="folder with the data, for the metrics of datasets that read files")
    commands.add_parser("cards", parents=[common], help="write all cards and the README anew, from metrics")
    command = commands.add_parser("serve", parents=[common], help="serve the zoo over HTTP, to hub.load and AKDG_ZOO")
    command.add_argument("--host", default="127.0.0.1", help="address; the default is reached from this machine alone")
    command.add_argument("--port", type=int, default=8080, help="port; 0 takes a free one")
    command = commands.add_parser("gallery", parents=[common], help="write a static page that draws in the browser")
    command.add_argument("--output", type=pathlib.Path, default=GALLERY, help=f"folder to write; default {GALLERY}")
    return top
