"""The command line of the zoo: akdg zoo publish | verify | cards | serve | gallery."""

import argparse
import logging
import os
import pathlib
import sys

from akdg_tf.artifacts.places import ZOO_VARIABLE
from akdg_tf.errors import UserError
from akdg_tf.zoo import publish, serve, verify
from akdg_tf.zoo.entries import ZOO, Entry, entries
from akdg_tf.zoo.gallery import build as gallery

logger = logging.getLogger(__name__)

GALLERY = pathlib.Path("runs", "gallery")


def main(argv: list[str] | None = None) -> None:
    """Runs one command; what is wrong is one line, and exit code 2."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        arguments.run(arguments)
    except (UserError, OSError) as error:
        print(f"zoo: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    common = argparse.ArgumentParser(add_help=False)
    default = pathlib.Path(os.environ.get(ZOO_VARIABLE) or ZOO)
    common.add_argument("--zoo", type=pathlib.Path, default=default, help=f"folder of the zoo; default {default}/")
    top = argparse.ArgumentParser(prog="akdg zoo", description="The model zoo.")
    commands = top.add_subparsers(required=True, metavar="publish | verify | cards | serve | gallery")
    command = commands.add_parser("publish", parents=[common], help="make an entry of a finished run")
    command.add_argument("runs", nargs="+", type=pathlib.Path, help="run folder; more of other seeds are reported too")
    command.add_argument("--overwrite", action="store_true", help="replace a different entry that is there")
    command.set_defaults(run=run_publish)
    command = commands.add_parser("verify", parents=[common], help="check entries: all, or those that are named")
    command.add_argument("names", nargs="*", metavar="NAME", help="entry")
    command.add_argument("--metrics", action="store_true", help="compute the metrics once more, too")
    command.add_argument("--data_dir", help="folder with the data, for the metrics of datasets that read files")
    command.set_defaults(run=run_verify)
    command = commands.add_parser("cards", parents=[common], help="write all cards and the README anew, from metrics")
    command.set_defaults(run=run_cards)
    command = commands.add_parser("serve", parents=[common], help="serve the zoo over HTTP, to hub.load and AKDG_ZOO")
    command.add_argument("--host", default="127.0.0.1", help="address; the default is reached from this machine alone")
    command.add_argument("--port", type=int, default=8080, help="port; 0 takes a free one")
    command.set_defaults(run=run_serve)
    command = commands.add_parser("gallery", parents=[common], help="write a static page that draws in the browser")
    command.add_argument("--output", type=pathlib.Path, default=GALLERY, help=f"folder to write; default {GALLERY}")
    command.set_defaults(run=run_gallery)
    return top


def run_publish(arguments: argparse.Namespace) -> None:
    """Publishes runs."""
    entry = publish.publish(arguments.runs, arguments.zoo, arguments.overwrite)
    print(f"published {entry.folder}")


def run_verify(arguments: argparse.Namespace) -> None:
    """Verifies entries, and the zoo's README if none is named; goes on after one that fails, and ends with code 2."""
    chosen = [Entry(arguments.zoo / name) for name in arguments.names] or entries(arguments.zoo)
    if not chosen:
        raise UserError(f"there is no entry of a zoo in {arguments.zoo}")
    os.environ[ZOO_VARIABLE] = str(arguments.zoo)  # where teachers and classifiers are looked up
    failed = 0
    for entry in chosen:
        try:
            found = verify.verify(entry, arguments.metrics, arguments.data_dir)
            print(f"{entry.name}: {'; '.join(f'{name} {what}' for name, what in found.items())}", flush=True)
        except Exception as error:  # whatever a damaged file makes TensorFlow raise
            failed += 1
            logger.debug("verifying %s", entry.folder, exc_info=True)
            print(f"{entry.name}: FAILED: {' '.join(str(error).split())[:400]}", flush=True)
    if failed:
        raise UserError(f"{failed} of {len(chosen)} entries failed")
    if not arguments.names:
        verify.verify_readme(arguments.zoo)
    print(f"{len(chosen)} entries verified")


def run_cards(arguments: argparse.Namespace) -> None:
    """Writes the cards and the README."""
    publish.rewrite_cards(arguments.zoo)
    print(f"wrote the cards and README.md of {arguments.zoo}")


def run_serve(arguments: argparse.Namespace) -> None:
    """Serves until it is interrupted."""
    with serve.make_server(arguments.zoo, arguments.host, arguments.port) as server:
        host, port = server.server_address[:2]
        address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}"
        others = "" if host.startswith("127.") else ", to other machines too"
        print(f"serving {arguments.zoo}{others}: hub.load('{address}/akdg/NAME/1'), AKDG_ZOO={address}", flush=True)
        server.serve_forever()


def run_gallery(arguments: argparse.Namespace) -> None:
    """Writes the gallery."""
    page = gallery.build(arguments.zoo, arguments.output)
    print(f"wrote {page}; python -m http.server --bind 127.0.0.1 --directory {page.parent} shows it")
