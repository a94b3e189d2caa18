"""Files over HTTP, streamed to disk. A server that sends too much, too slowly, or from elsewhere is refused."""

import hashlib
import http.client
import pathlib
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

from akdg_tf.errors import UserError

WEB = ("http://", "https://")
TIMEOUT = 60  # seconds to the answer's head, and without a byte of its body
LEAST_SPEED = 10_000  # bytes per second of a body, after the first `TIMEOUT` seconds
CHUNK = 2**16  # bytes


class Unreachable(UserError):
    """A server did not answer, or not completely."""


def get(url: str, most: int) -> bytes:
    """Fetches a small file.

    Args:
        url: of the file.
        most: largest number of bytes.

    Raises:
        Unreachable: the server does not send the whole file in time.
        UserError: the server refuses, redirects to a less secure address, or the file is larger.
    """
    return b"".join(_chunks(url, most))


def save(url: str, path: pathlib.Path, most: int) -> tuple[str, int]:
    """Fetches a file to disk, chunk by chunk; for arguments and errors see `get`.

    Returns:
        Its SHA-256, in hex, and its size in bytes.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in _chunks(url, most):
            digest.update(chunk)
            size += file.write(chunk)
    return digest.hexdigest(), size


def _chunks(url: str, most: int) -> Iterator[bytes]:
    """The body of an answer; for errors see `get`."""
    try:
        began, received = time.monotonic(), 0
        with _answer(url) as answer:
            while chunk := answer.read1(CHUNK):
                received += len(chunk)
                if received > most:
                    raise UserError(f"{url} is larger than {most / 1e6:,.0f} MB, the limit for a file of a zoo")
                if time.monotonic() - began > TIMEOUT + received / LEAST_SPEED:
                    raise Unreachable(f"{url} cannot be fetched: the server sends less than 10 kB per second")
                yield chunk
            if answer.length:  # the number of bytes that are missing
                raise http.client.IncompleteRead(b"", answer.length)
    except urllib.error.HTTPError as error:
        raise UserError(f"the server does not send {url} ({error.code} {error.reason}): check the address") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(f"{url} cannot be fetched: {error or type(error).__name__}") from None


def _answer(url: str) -> http.client.HTTPResponse:
    """The answer, once its head has arrived. The time limits of sockets are per read, so that a thread waits for it."""
    found: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_open, args=(url, found), daemon=True).start()
    try:
        answer = found.get(timeout=TIMEOUT)
    except queue.Empty:
        raise TimeoutError(f"no answer within {TIMEOUT} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _open(url: str, found: queue.SimpleQueue) -> None:
    try:
        found.put(urllib.request.build_opener(_Redirects).open(url, timeout=TIMEOUT))
    except Exception as error:  # it is raised where the answer is awaited
        found.put(error)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects over the web, but not from https to http."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        schemes = {"https"} if req.type == "https" else {"http", "https"}
        if urllib.parse.urlsplit(newurl).scheme.lower() not in schemes:
            raise UserError(f"the server does not send {req.full_url}: it redirects to {newurl[:200]!r}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
