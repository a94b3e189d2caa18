"""What a server of a zoo gives, what it does not, and how it ends."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import threading
import urllib.error
import urllib.request

import pytest

from akdg_tf.errors import UserError
from akdg_tf.zoo import checksums
from akdg_tf.zoo.checksums import SUMS
from akdg_tf.zoo.serve import make_server


@pytest.fixture
def get(published, serve, tmp_path):
    """A function that asks a server for a path exactly as it is given, and returns status and content."""
    zoo = tmp_path / "served" / "zoo"
    shutil.copytree(published, zoo, symlinks=True)
    (zoo.parent / "secret.txt").write_text("secret")
    (zoo / "secret.txt").write_text("secret")
    (zoo / "student" / "secret.txt").write_text("not listed")
    (zoo / "student" / "link.txt").symlink_to(zoo.parent / "secret.txt")
    port = serve(zoo)

    def function(path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    function.port, function.zoo = port, zoo
    return function


def test_many_half_sent_requests_do_not_keep_others_from_being_served(get):
    """They are ended when they have sent nothing for a while."""
    port = get.port
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for connection in waiting:
        connection.send(b"GET / HTTP/1.1\r\n")
    assert get("/student/card.md")[0] == 200
    for connection in waiting:
        connection.close()


@pytest.mark.parametrize("line", [b"GET http://[/x HTTP/1.1\r\n\r\n", b"\0\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"])
def test_what_is_no_path_ends_its_connection_and_no_other(get, line):
    with socket.create_connection(("127.0.0.1", get.port), timeout=10) as connection:
        connection.send(line)
        assert connection.recv(1000)[:7] in (b"", b"HTTP/1.")  # Waitress hangs up on an address that it cannot parse
    assert get("/")[0] == 200


def test_only_get_and_head_are_answered_and_bodies_are_small(get):
    assert get("/student/card.md", "POST") == (405, b"only GET and HEAD\n")
    with socket.create_connection(("127.0.0.1", get.port), timeout=10) as connection:
        connection.send(b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")  # Waitress takes 1 GB unless it is told otherwise


def test_a_pipe_in_the_place_of_a_file_is_not_served_and_does_not_block(get):
    for name, path in (
        ("student/card.md", "/student/card.md"),
        (f"student/{SUMS}", f"/student/{SUMS}"),
        ("README.md", "/"),
    ):
        (get.zoo / name).unlink()
        os.mkfifo(get.zoo / name)
        assert get(path)[0] == 404


def test_hub_gets_nothing_of_a_changed_entry(published, serve, tmp_path):
    zoo = tmp_path / "zoo"
    shutil.copytree(published, zoo, symlinks=True)
    (zoo / "student" / "saved_model" / "variables" / "variables.index").write_bytes(b"changed")
    connection = http.client.HTTPConnection("127.0.0.1", serve(zoo), timeout=10)
    connection.request("GET", "/akdg/student/1?tf-hub-format=compressed")
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/student/../../secret.txt",
        "/student/..%2f..%2fsecret.txt",
        "/student/%2e%2e/secret.txt",
        "/akdg/..%2fstudent/1?tf-hub-format=compressed",
        "/akdg/../1?tf-hub-format=compressed",
        "/secret.txt",
        "/student/secret.txt",
        "/student/link.txt",
        "/student/%00",
        "//etc/passwd",
        "/student",
        "/akdg/student/2",
        "/akdg/nosuch/1?tf-hub-format=compressed",
        "/..%5c..%5csecret.txt",
    ],
)
def test_the_server_gives_nothing_but_listed_files(get, path):
    status, content = get(path)
    assert status == 404 and b"secret" not in content.replace(path.encode(), b"")


def test_the_server_gives_each_listed_file_and_the_card(get, published):
    for name, digest in checksums.read(published / "student").items():
        status, content = get(f"/student/{name}")
        assert status == 200 and hashlib.sha256(content).hexdigest() == digest
    assert get("/akdg/student/1") == (200, (published / "student" / "card.md").read_bytes())
    assert get("/")[1].startswith(b"# The zoo") and get("/student/card.md", "HEAD") == (200, b"")
    assert json.loads(get("/student/metrics.json")[1])["experiment"] == "student"


def test_a_server_listens_to_this_machine_alone_and_says_when_it_cannot(published, tmp_path):
    with make_server(published, port=0) as server:
        with pytest.raises(UserError, match=r"cannot listen at 127\.0\.0\.1"):
            make_server(published, port=server.port)
        assert server._server.socket.getsockname()[0] == "127.0.0.1"
    for arguments, says in (((tmp_path,), "holds no entries"), ((published, ""), "--host is empty")):
        with pytest.raises(UserError, match=says):
            make_server(*arguments)


def test_a_server_that_is_closed_ends_its_threads_without_an_error(published):
    before = threading.active_count()
    for _ in range(20):  # the sockets may close at any moment of the server's loop
        with make_server(published, port=0) as server:
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/").read()
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert threading.active_count() <= before


@pytest.mark.parametrize("path", ["/linked/card.md", "/akdg/linked/1", "/akdg/linked/1?tf-hub-format=compressed"])
def test_the_server_gives_nothing_of_an_entry_that_is_a_link(path, published, tmp_path):
    zoo = tmp_path / "zoo"
    shutil.copytree(published, zoo, symlinks=True)
    (zoo / "student").rename(tmp_path / "linked")
    (zoo / "linked").symlink_to(tmp_path / "linked")
    with make_server(zoo, port=0) as server:
        threading.Thread(target=server.run, daemon=True).start()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}")
