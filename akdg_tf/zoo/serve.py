"""Serving a zoo over HTTP: to TensorFlow Hub with its own protocol, and file by file to `akdg_tf.load`."""

import functools
import io
import mimetypes
import pathlib
import tarfile
import urllib.parse
from collections.abc import Callable, Iterable

import waitress

from akdg_tf.errors import UserError
from akdg_tf.files import open_regular
from akdg_tf.zoo import checksums
from akdg_tf.zoo.checksums import SIGNATURE, SUMS
from akdg_tf.zoo.entries import Entry, check_name, entries

PUBLISHER, VERSION = "akdg", "1"
ARCHIVE_QUERY = ("tf-hub-format", "compressed")
LIMITS = {"threads": 8, "connection_limit": 200, "backlog": 128, "channel_timeout": 30}  # seconds without a byte
MOST_REQUEST = 1000  # bytes of a request's body, which nobody needs; Waitress takes 1 GB otherwise
METHODS = ("GET", "HEAD")


class Server:
    """A server that listens; `run` serves. It is a context, which closes it.

    Waitress does the work: it limits connections, and ends those that send nothing.

    Args:
        application: answers requests (WSGI).
        host, port: address to listen at; port 0 chooses a free one.

    Attributes:
        port: the port.

    Raises:
        OSError, OverflowError, ValueError: it cannot listen there.
    """

    def __init__(self, application: Callable, host: str, port: int):
        limits = {**LIMITS, "max_request_body_size": MOST_REQUEST}
        self._server = waitress.create_server(application, host=host, port=port, ident=None, **limits)
        listening = getattr(self._server, "effective_listen", None)  # of a host with several addresses
        self.port = listening[0][1] if listening else self._server.effective_port
        self._closed = False

    def run(self) -> None:
        """Serves until the process is interrupted, or the server is closed."""
        try:
            self._server.run()
        except OSError:  # another thread has closed the sockets
            if not self._closed:
                raise

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *error) -> None:
        self._closed = True
        self._server.close()
        self._server.task_dispatcher.shutdown()


def make_server(zoo: pathlib.Path, host: str = "127.0.0.1", port: int = 8080) -> Server:
    """Makes a server of a zoo. Of an entry, it serves only files that `SHA256SUMS` lists.

    - `/akdg/<name>/1?tf-hub-format=compressed`: the SavedModel as .tar.gz. `hub.load` requests it when it is given
      `http://host:port/akdg/<name>/1`. Without the query, the server sends the card.
    - `/<name>/<file>`: a file of the entry, for `AKDG_ZOO=http://host:port`.
    - `/` and `/README.md`: the zoo's README.

    Args:
        zoo: folder of the zoo.
        host: address to listen at; the default serves only this machine.
        port: 0 chooses a free one.

    Raises:
        UserError: there are no entries in the folder, or the server cannot listen at the address.
    """
    if not host:
        raise UserError("--host is empty: 0.0.0.0 serves all machines, 127.0.0.1 only this one")
    if not entries(zoo):
        raise UserError(f"{zoo} holds no entries: give the folder of a zoo")
    try:
        return Server(functools.partial(answer, zoo), host, port)
    except (OSError, OverflowError, ValueError) as error:
        raise UserError(f"cannot listen at {host}:{port}: {error}; choose another --host or --port") from None


def answer(zoo: pathlib.Path, environ: dict, start_response: Callable) -> Iterable[bytes]:
    """Answers a request with what its path names, or with status 404 if it names nothing that is served (WSGI).

    Only GET and HEAD are answered; other methods get status 405.

    Args:
        zoo: folder of the zoo.
        environ: of the request.
        start_response: is given status and headers.
    """
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")  # as WSGI gives what was percent-encoded
    method, status, kind = environ["REQUEST_METHOD"], "200 OK", "text/plain"
    try:
        if method in METHODS:
            found, kind = content(zoo, path.strip("/").split("/"), urllib.parse.parse_qsl(environ["QUERY_STRING"]))
        else:
            status, found = "405 Method Not Allowed", b"only GET and HEAD\n"
    except (OSError, UserError, ValueError):  # ValueError: a path with a null byte
        status, found = "404 Not Found", b"not found\n"
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(found)))])
    return [] if method == "HEAD" else [found]


def content(zoo: pathlib.Path, parts: list[str], query: list[tuple[str, str]]) -> tuple[bytes, str]:
    """Content and media type for a path.

    Args:
        zoo: folder of the zoo.
        parts: of the path, between its slashes.
        query: names and values.

    Raises:
        OSError, UserError: the path names nothing that is served.
    """
    if parts in ([""], ["README.md"]):
        return _read(zoo / "README.md", zoo), "text/markdown; charset=utf-8"
    if len(parts) == 3 and (parts[0], parts[2]) == (PUBLISHER, VERSION):
        entry = Entry(zoo / check_name(parts[1]))
        if ARCHIVE_QUERY in query:
            _check_no_link(entry.folder, zoo)
            entry.check()
            return archive(entry.folder, tuple(checksums.read(entry.folder).items())), "application/gzip"
        parts = [parts[1], "card.md"]
    entry, name = Entry(zoo / check_name(parts[0])), "/".join(parts[1:])
    if name not in (SUMS, SIGNATURE) and name not in checksums.read(entry.folder):
        raise UserError(f"{name} is not a file of {entry.folder}")
    return _read(entry.folder / name, zoo), mimetypes.guess_type(name)[0] or "application/octet-stream"


def _read(path: pathlib.Path, zoo: pathlib.Path) -> bytes:
    """The content of a file of a zoo.

    Raises:
        OSError: it is missing or not a regular file.
        UserError: it, or a folder above it in the zoo, is a link.
    """
    _check_no_link(path, zoo)
    with open_regular(path) as file:
        return file.read()


def _check_no_link(path, zoo):
    if any(each.is_symlink() for each in (path, *path.parents) if each != zoo and each.is_relative_to(zoo)):
        raise UserError(f"{path} is a link, or lies behind one")


@functools.lru_cache(maxsize=16)
def archive(folder: pathlib.Path, sums: tuple[tuple[str, str], ...]) -> bytes:
    """The SavedModel of an entry as .tar.gz.

    Args:
        folder: of the entry; the caller has checked its files.
        sums: path and SHA-256 of each of its files. They are part of the cache's key, so that a changed entry gets a
            new archive.
    """
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        tar.add(folder / "saved_model", arcname=".")
    return content.getvalue()
