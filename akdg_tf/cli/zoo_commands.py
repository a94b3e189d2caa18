"""What the commands of `akdg zoo` do."""

import argparse
import logging
import os
import pathlib

from akdg_tf.artifacts.places import ZOO_VARIABLE
from akdg_tf.errors import UserError
from akdg_tf.zoo import publish, serve, verify
from akdg_tf.zoo.entries import ZOO, Entry, entries
from akdg_tf.zoo.gallery import build as gallery

logger = logging.getLogger(__name__)


def default_zoo() -> pathlib.Path:
    """The zoo that is meant where none is named."""
    return pathlib.Path(os.environ.get(ZOO_VARIABLE) or ZOO)


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
        host, port = map(str, server.server_address[:2])
        address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}"
        others = "" if host.startswith("127.") else ", to other machines too"
        print(f"serving {arguments.zoo}{others}: hub.load('{address}/akdg/NAME/1'), AKDG_ZOO={address}", flush=True)
        server.serve_forever()


def run_gallery(arguments: argparse.Namespace) -> None:
    """Writes the gallery."""
    page = gallery.build(arguments.zoo, arguments.output)
    print(f"wrote {page}; python -m http.server --bind 127.0.0.1 --directory {page.parent} shows it")


COMMANDS = {
    "publish": run_publish,
    "verify": run_verify,
    "cards": run_cards,
    "serve": run_serve,
    "gallery": run_gallery,
}
