"""Serving a zoo over HTTP: to TensorFlow Hub with its own protocol, and file by file to `akdg_tf.load`."""

import contextlib
import functools
import http.server
import io
import mimetypes
import pathlib
import tarfile
import urllib.parse

from akdg_tf.errors import UserError
from akdg_tf.zoo import checksums
from akdg_tf.zoo.checksums import SUMS
from akdg_tf.zoo.entries import Entry, check_name, entries

PUBLISHER, VERSION = "akdg", "1"
ARCHIVE_QUERY = ("tf-hub-format", "compressed")


def make_server(zoo: pathlib.Path, host: str = "127.0.0.1", port: int = 8080) -> http.server.ThreadingHTTPServer:
    """Makes a server, which `serve_forever` starts. Of an entry, it serves only files that `SHA256SUMS` lists.

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
        return http.server.ThreadingHTTPServer((host, port), functools.partial(Handler, zoo))
    except (OSError, OverflowError) as error:
        raise UserError(f"cannot listen at {host}:{port}: {error}; choose another --host or --port") from None


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection.

    Args:
        zoo: folder of the zoo.
    """

    def __init__(self, zoo: pathlib.Path, *connection):
        self.zoo = zoo
        super().__init__(*connection)

    def do_GET(self):
        """Sends what the path names, or status 404 if it names nothing that is served."""
        url = urllib.parse.urlsplit(self.path)
        parts = urllib.parse.unquote(url.path).strip("/").split("/")
        try:
            content, kind = self._content(parts, urllib.parse.parse_qsl(url.query))
        except (OSError, UserError, ValueError):  # ValueError: a path with a null byte
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(ConnectionError):  # the client has disconnected
                self.wfile.write(content)

    do_HEAD = do_GET

    def _content(self, parts: list[str], query: list[tuple[str, str]]) -> tuple[bytes, str]:
        """Content and media type for a path.

        Raises:
            OSError, UserError: the path names nothing that is served.
        """
        if parts in ([""], ["README.md"]):
            return (self.zoo / "README.md").read_bytes(), "text/markdown; charset=utf-8"
        if len(parts) == 3 and (parts[0], parts[2]) == (PUBLISHER, VERSION):
            entry = self._entry(parts[1])
            if ARCHIVE_QUERY in query:
                entry.check()
                return archive(entry.folder, tuple(checksums.read(entry.folder).items())), "application/gzip"
            parts = [parts[1], "card.md"]
        entry, name = self._entry(parts[0]), "/".join(parts[1:])
        path = (entry.folder / name).resolve()
        listed = name == SUMS or name in checksums.read(entry.folder)
        if not listed or not path.is_relative_to(self.zoo.resolve()):
            raise UserError(f"{name} is not a file of {entry.folder}")
        return path.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream"

    def _entry(self, name: str) -> Entry:
        return Entry(self.zoo / check_name(name))


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
