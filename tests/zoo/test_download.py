"""What a hostile server answers is said in one line, and nothing of it is kept."""

import contextlib
import socketserver
import threading
import urllib.error
import urllib.request

import pytest

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.zoo import download

pytestmark = pytest.mark.usefixtures("caches_of_its_own")


class Hostile(socketserver.StreamRequestHandler):
    """Answers each request with the server's `answer`, whatever was asked, and hangs up."""

    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(self.server.answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\ncut short",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"\n" * 2_000_000,
        b"",
    ],
)
def test_whatever_a_server_sends_is_said_in_one_line(answer, tmp_path):
    with socketserver.TCPServer(("127.0.0.1", 0), Hostile) as server:
        server.answer = answer
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UserError, match=r"cannot be fetched|the server does not send http|larger than 1 MB"):
            akdg_tf.load("student", f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert not list((tmp_path / "cache").rglob("student*"))


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_sends_a_byte_at_a_time_is_given_up(head, tmp_path, monkeypatch):
    """In the head of its answer, or in its body; the time limit of a socket is per read, and would never end it."""
    monkeypatch.setattr(download, "TIMEOUT", 0.5)

    class Slow(socketserver.StreamRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                self.wfile.write(head)
                while not stopped.wait(0.1):
                    self.wfile.write(b"x")

    stopped = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UserError, match=r"no answer within 0.5 seconds|sends less than 10 kB per second"):
            akdg_tf.load("student", f"http://127.0.0.1:{server.server_address[1]}")
        stopped.set()
        server.shutdown()


def test_a_redirect_from_https_to_http_is_refused():
    request = urllib.request.Request("https://a/b")
    with pytest.raises(UserError, match="it redirects to 'http://a/c'"):
        download._Redirects().redirect_request(request, None, 302, "", {}, "http://a/c")
    assert download._Redirects().redirect_request(request, None, 302, "", {}, "https://a/c").full_url == "https://a/c"


def test_what_a_server_says_cannot_reach_the_terminal(tmp_path):
    with socketserver.TCPServer(("127.0.0.1", 0), Hostile) as server:
        server.answer = b"HTTP/1.1 404 \x1b[2J\x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UserError, match="404") as caught:
            akdg_tf.load("student", f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert str(caught.value).isprintable() and r"\x1b[2J" in str(caught.value)
