"""What a hostile server answers, and what a hostile client asks."""

import functools
import hashlib
import mimetypes
import pathlib
import re
import socket
import socketserver
import tempfile
import threading

import pytest
from fuzzing import fuzzed, mutated, one_line, watched
from hypothesis import given
from hypothesis import strategies as st

from akdg_tf.zoo import checksums, download, fetch, serve

MOST = 2000
BODY = b"x" * 500
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Type: text/plain\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    b"HTTP/1.1 404 \x1b[2Jgone\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: file:///etc/passwd\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9999999999\r\n\r\n\x1f\x8b",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
]


class Answers(socketserver.StreamRequestHandler):
    """Answers the path /a/b with `server.files["a/b"]`, anything else with `server.files[""]`, and hangs up."""

    def handle(self):
        self.connection.settimeout(5)
        path = self.rfile.readline().decode(errors="replace").partition(" ")[2].partition(" ")[0].lstrip("/")
        while self.rfile.readline().strip():
            pass
        self.wfile.write(self.server.files.get(path, self.server.files[""]))


@pytest.fixture(scope="module")
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answers) as found:
        found.daemon_threads = True
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as parent:
        yield pathlib.Path(parent)


@fuzzed(60)
@given(answer=mutated(ANSWERS, most=4))
def test_any_answer(server, folder, answer):
    server.files = {"": answer}
    url = f"http://127.0.0.1:{server.server_address[1]}/x"
    with watched(folder):
        saved = one_line(download.save, url, folder / "x", MOST)
        assert saved is None or saved == (hashlib.sha256((folder / "x").read_bytes()).hexdigest(), saved[1])
        assert (folder / "x").stat().st_size <= MOST


def ok(content):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)


names = st.one_of(
    st.sampled_from(
        (
            *(
                "card.md",
                "saved_model/saved_model.pb",
                "metrics.json",
                "../evil",
                "/tmp/evil",
                "a/../../evil",
                "a",
                "a/b",
            ),
            *("variables/x", "saved_model.pb", "SHA256SUMS", "SHA256SUMS.sig", ".part", "x" * 299, "a/" * 9 + "b", "é"),
        )
    ),
    st.text(max_size=8),
)


@fuzzed(30)
@given(listed=st.lists(names, max_size=4), changed=st.sets(st.integers(0, 3), max_size=1))
def test_any_list_of_files(server, folder, listed, changed, monkeypatch):
    """Files lie below the cache, and only those whose content has the stated checksum."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    digest = hashlib.sha256(BODY).hexdigest()
    digests = [digest if number not in changed else "0" * 64 for number in range(len(listed))]
    lines = "".join(f"{each}  {name}\n" for each, name in zip(digests, listed, strict=True))
    server.files = {"": ok(BODY), "x/SHA256SUMS": ok(lines.encode(errors="replace"))}
    with watched(folder):
        found = one_line(fetch.fetch, "x", f"http://127.0.0.1:{server.server_address[1]}")
        if found is not None:
            sums = checksums.read(found.folder)
            assert sums and set(sums) == {line.partition("  ")[2] for line in lines.splitlines()}
            for name in sums:
                assert (found.folder / name).read_bytes() == BODY and not (found.folder / name).is_symlink()


@pytest.fixture(scope="module")
def zoo(folder):
    """A zoo of one entry, beside files that must stay secret."""
    mimetypes.init()  # reads the system's own list
    root = folder / "zoo"
    for name in ("x/card.md", "x/metrics.json", "x/saved_model/saved_model.pb", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"public {name}")
    checksums.seal(root / "x")
    for name in ("secret", "zoo/secret", "zoo/x/secret", "zoo/x/SECRET.md"):
        (folder / name).write_text("secret")
    (root / "x" / "link.md").symlink_to(folder / "secret")
    return root


parts = st.one_of(
    st.sampled_from(
        (
            *("x", "card.md", "metrics.json", "saved_model", "saved_model.pb", "akdg", "1", "..", ".", "", "secret"),
            *("SHA256SUMS", "SHA256SUMS.sig", "link.md", "\0", "%2e%2e", "..\\..", "SECRET.md", "README.md", "\udcff"),
        )
    ),
    st.text(st.characters(max_codepoint=255), max_size=6),
)
queries = st.one_of(st.just("tf-hub-format=compressed"), st.text(max_size=20))


@fuzzed(150)
@given(
    path=st.lists(parts, max_size=6).map(lambda found: "/" + "/".join(found)),
    query=queries,
    method=st.sampled_from(("GET", "HEAD", "POST", "PUT", "", "\x1b")),
)
def test_any_request(zoo, folder, path, query, method):
    path = path.encode(errors="surrogateescape" if re.search("[\udc80-\udcff]", path) else "strict").decode("latin-1")
    environ, answers = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method}, []
    with watched(folder):
        body = b"".join(serve.answer(zoo, environ, lambda status, head: answers.append((status, dict(head)))))
    ((status, head),) = answers
    assert status[:3] in ("200", "404", "405") and b"secret" not in body
    assert method == "HEAD" or int(head["Content-Length"]) == len(body)


REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /x/card.md?a=b HTTP/1.0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET http://[/x HTTP/1.1\r\n\r\n",
]


@pytest.fixture(scope="module")
def port(zoo):
    with serve.Server(functools.partial(serve.answer, zoo), "127.0.0.1", 0) as found:
        threading.Thread(target=found.run, daemon=True).start()
        yield found.port


@fuzzed(30)
@given(request=mutated(REQUESTS, most=4))
def test_any_bytes(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(2**16):
            answer += chunk
    assert b"secret" not in answer and answer[:7] in (b"", b"HTTP/1.")
