"""The commands of `akdg zoo`."""

import argparse
import logging
import os

from akdg_tf.errors import UserError
from akdg_tf.places import ZOO_VARIABLE
from akdg_tf.zoo import publish, serve, signatures, verify
from akdg_tf.zoo.entries import Entry, check_name, entries
from akdg_tf.zoo.gallery import build as gallery

logger = logging.getLogger(__name__)


def run_publish(arguments: argparse.Namespace) -> None:
    """Publishes runs."""
    entry = publish.publish(arguments.runs, arguments.zoo, arguments.overwrite)
    print(f"published {entry.folder}")


def run_verify(arguments: argparse.Namespace) -> None:
    """Verifies the named entries; without names all entries and the zoo's README. Continues after a failure.

    Raises:
        UserError: at least one entry failed, or the zoo has no entries.
    """
    chosen = [Entry(arguments.zoo / name) for name in arguments.names] or entries(arguments.zoo)
    if not chosen:
        raise UserError(f"{arguments.zoo} holds no entries: give the folder of a zoo")
    key = signatures.public_key(arguments.public_key)
    os.environ[ZOO_VARIABLE] = str(arguments.zoo)  # teachers and classifiers are searched there
    failed = 0
    for entry in chosen:
        try:
            found = verify.verify(entry, arguments.metrics, arguments.data_dir, key)
            print(f"{entry.name}: {'; '.join(f'{name} {what}' for name, what in found.items())}", flush=True)
        except Exception as error:  # TensorFlow may raise anything for a damaged file
            failed += 1
            logger.debug("verifying %s", entry.folder, exc_info=True)
            print(f"{entry.name}: FAILED: {' '.join(str(error).split())[:400]}", flush=True)
    if failed:
        raise UserError(f"{failed} of {len(chosen)} entries failed: see the lines with FAILED")
    if not arguments.names:
        verify.verify_readme(arguments.zoo)
    print(f"{len(chosen)} entries verified")


def run_keygen(arguments: argparse.Namespace) -> None:
    """Makes a pair of keys."""
    public = signatures.make_keys(arguments.key)
    print(f"wrote {arguments.key}, which you keep secret, and {public}, which you give to those who load your entries")


def run_sign(arguments: argparse.Namespace) -> None:
    """Signs entries, each after its files were checked.

    Raises:
        UserError: an entry is not complete, or was changed. Those before it are signed.
    """
    for name in arguments.names:
        entry = Entry(arguments.zoo / check_name(name))
        entry.check()
        print(f"wrote {signatures.sign(entry.folder, arguments.key)}")


def run_cards(arguments: argparse.Namespace) -> None:
    """Writes the cards and the README."""
    publish.rewrite_cards(arguments.zoo)
    print(f"wrote the cards and README.md of {arguments.zoo}")


def run_serve(arguments: argparse.Namespace) -> None:
    """Serves until it is interrupted."""
    with serve.make_server(arguments.zoo, arguments.host, arguments.port) as server:
        host = arguments.host
        address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{server.port}"
        others = "" if host.startswith("127.") or host == "localhost" else ", also to other machines"
        print(f"serving {arguments.zoo}{others}: hub.load('{address}/akdg/NAME/1'), AKDG_ZOO={address}", flush=True)
        server.run()


def run_gallery(arguments: argparse.Namespace) -> None:
    """Writes the gallery."""
    page = gallery.build(arguments.zoo, arguments.output)
    print(f"wrote {page}; to open it, run: python -m http.server --bind 127.0.0.1 --directory {page.parent}")


COMMANDS = {
    "publish": run_publish,
    "verify": run_verify,
    "keygen": run_keygen,
    "sign": run_sign,
    "cards": run_cards,
    "serve": run_serve,
    "gallery": run_gallery,
}
