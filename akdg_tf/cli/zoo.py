"""The command line of `akdg zoo`. Its help does not import TensorFlow."""

import argparse
import logging
import pathlib

from akdg_tf.cli import ending, quiet
from akdg_tf.places import expanded

logger = logging.getLogger(__name__)

GALLERY = pathlib.Path("runs", "gallery")


def main(argv: list[str] | None = None) -> None:
    """Runs one command. Bad input gives one line and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with ending.in_one_line("akdg zoo"):
        arguments = parser().parse_args(argv)
        zoo_commands = quiet.load("akdg_tf.cli.zoo_commands")
        arguments.zoo = arguments.zoo or quiet.load("akdg_tf.zoo.entries").default_zoo()
        zoo_commands.COMMANDS[arguments.command](arguments)


def folder(path: str) -> pathlib.Path:
    """A folder that an argument names, in which the home folder replaces ~.

    Raises:
        UserError: the home folder is unknown.
    """
    return pathlib.Path(expanded(path))


def parser() -> argparse.ArgumentParser:
    """The parser of the commands and their arguments."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--zoo", type=folder, help="folder of the zoo; the default is $AKDG_ZOO, or zoo/")
    top = argparse.ArgumentParser(prog="akdg zoo", description="The model zoo.")
    top.set_defaults(zoo=None)
    commands = top.add_subparsers(required=True, dest="command", metavar="COMMAND")
    command = commands.add_parser("publish", parents=[common], help="make an entry from a finished run")
    command.add_argument(
        "runs", nargs="+", type=folder, help="run folder; further ones, with other seeds, add their scores"
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing entry that is different")
    command = commands.add_parser("verify", parents=[common], help="check all entries, or the named ones")
    command.add_argument("names", nargs="*", metavar="NAME", help="entry")
    command.add_argument("--metrics", action="store_true", help="also compute the scores again")
    command.add_argument(
        "--data_dir", type=expanded, help="folder with the data, for --metrics with datasets that read files"
    )
    command.add_argument(
        "--public_key",
        metavar="FILE",
        help="public key that the entries must be signed with; the default is $AKDG_PUBLIC_KEY",
    )
    command = commands.add_parser("keygen", help="make a private and a public key, with which entries are signed")
    command.add_argument(
        "--key", type=folder, required=True, metavar="FILE", help="new private key; the other: FILE.pub"
    )
    command = commands.add_parser("sign", parents=[common], help="sign entries")
    command.add_argument("names", nargs="+", metavar="NAME", help="entry")
    command.add_argument("--key", type=folder, required=True, metavar="FILE", help="private key of akdg zoo keygen")
    commands.add_parser("cards", parents=[common], help="write all cards and the README again, from the metrics")
    command = commands.add_parser("serve", parents=[common], help="serve the zoo over HTTP, for hub.load and AKDG_ZOO")
    command.add_argument("--host", default="127.0.0.1", help="address; the default serves only this machine")
    command.add_argument("--port", type=int, default=8080, help="port; 0 chooses a free one")
    command = commands.add_parser("gallery", parents=[common], help="write a static page where students draw images")
    command.add_argument("--output", type=folder, default=GALLERY, help=f"output folder; default {GALLERY}")
    return top
