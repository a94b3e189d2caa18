"""Every route to a published student, in a process of its own, against the model in memory; and who is refused."""

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
from made_up_zoo import random_dcgan, random_mlp, write_zoo
from PIL import Image
from support import ROOT

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.reporting.pictures import tile
from akdg_tf.zoo import checksums, download
from akdg_tf.zoo.checksums import SUMS
from akdg_tf.zoo.serve import make_server

ATOL = 1e-5
LOAD = """
import sys
import keras, numpy as np, onnxruntime, tensorflow as tf, tensorflow_hub as hub, tf_keras
from ai_edge_litert.interpreter import Interpreter
import akdg_tf

folder, url, z_file, images_file = sys.argv[1:]
z = tf.constant(np.load(z_file))
images = {
    "akdg_tf.load": akdg_tf.load("student").generator(z),  # of the environment's AKDG_ZOO, which is the server
    "hub.load": hub.load(folder)(z),
    "hub.load over HTTP": hub.load(f"{url}/akdg/student/1")(z),
    "hub.KerasLayer": hub.KerasLayer(folder, trainable=True)(z),
    "TFSMLayer": keras.layers.TFSMLayer(f"{folder}/saved_model", call_endpoint="serving_default")(z)["images"],
    "ONNX": onnxruntime.InferenceSession(f"{folder}/model.onnx").run(None, {"z": z.numpy()})[0],
    "LiteRT": Interpreter(f"{folder}/model.tflite").get_signature_runner("generator")(z=z.numpy())["images"],
}
images = {name: np.asarray(value) for name, value in images.items()}

# Fine-tuning: the layer's weights move, and the loss falls.
layer = hub.KerasLayer(folder, trainable=True)
model = tf_keras.Sequential([layer, tf_keras.layers.GlobalAveragePooling2D()])
model.compile(tf_keras.optimizers.SGD(0.1), "mse")
before = [weight.numpy() for weight in layer.trainable_weights]
losses = model.fit(z, tf.zeros((len(z), images["hub.load"].shape[-1])), epochs=5, verbose=0).history["loss"]
assert before and all((old != new.numpy()).any() for old, new in zip(before, layer.trainable_weights))
assert losses[-1] < losses[0], losses
np.savez(images_file, **images)
"""


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """A zoo of two, and the models in memory that it was made of."""
    zoo = tmp_path_factory.mktemp("load") / "zoo"
    models = {"teacher": random_mlp(), "student": random_dcgan(3, channels=3)}
    write_zoo(zoo, models, teacher="teacher")
    return zoo, models


@pytest.fixture
def serve():
    """A function that serves a zoo until the test ends, and returns its port."""
    servers = []

    def function(zoo):
        servers.append(make_server(zoo, port=0))
        threading.Thread(target=servers[-1].run, daemon=True).start()
        return servers[-1].port

    yield function
    for server in servers:
        server.__exit__()


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    monkeypatch.delenv("AKDG_ZOO", raising=False)


def test_every_route_in_a_new_process_equals_the_model_in_memory(students, serve, tmp_path):
    zoo, models = students
    url = f"http://localhost:{serve(zoo)}"
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    np.save(tmp_path / "z.npy", z)
    arguments = [str(zoo / "student"), url, str(tmp_path / "z.npy"), str(tmp_path / "images.npz")]
    environment = {**os.environ, "AKDG_ZOO": url}
    command = [sys.executable, "-c", LOAD, *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = (models["student"](z).numpy() + 1) / 2
    assert expected.shape == (5, 16, 16, 3) and expected.std() > 0.02
    images = np.load(tmp_path / "images.npz")
    assert len(images) == 7
    for route, values in images.items():
        np.testing.assert_allclose(values, expected, atol=ATOL, err_msg=route)


def test_a_loaded_generator_samples_what_its_picture_shows(students):
    zoo, _ = students
    loaded = akdg_tf.load("student", zoo)
    images = loaded.sample(64, seed=0)
    assert images.shape == (64, 16, 16, 3) and images.dtype == np.float32 and 0 <= images.min() <= images.max() <= 1
    shown = np.asarray(Image.open(zoo / "student" / "samples.png"))
    np.testing.assert_array_equal(tile(images * 2 - 1, 8), shown)
    np.testing.assert_allclose(loaded.sample(3, seed=0), images[:3], atol=1e-6)
    assert np.abs(loaded.sample(3) - loaded.sample(3)).max() > 1e-3  # without a seed, others each time
    assert "\n# student\n" in loaded.card and loaded.metrics.teacher.name == "teacher"
    with pytest.raises(UserError, match="the number of images is 0: it must be at least 1"):
        loaded.sample(0)


def test_the_published_zoo_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert akdg_tf.load("mnist_mlp_akdg").sample(2, seed=0).shape == (2, 32, 32, 1)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nosuch", "there is no entry 'nosuch' in the zoo .*; choose one of student, teacher"),
        ("../zoo/student", "is not the name of an entry"),
        ("", "is not the name of an entry"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(students, name, says):
    with pytest.raises(UserError, match=says):
        akdg_tf.load(name, students[0])


def test_a_classifier_draws_nothing():
    with pytest.raises(UserError, match="mnist_classifier is a classifier"):
        akdg_tf.load("mnist_classifier", ROOT / "zoo")


@pytest.mark.parametrize("name", ["saved_model/saved_model.pb", "saved_model/variables/variables.index", "card.md"])
def test_a_changed_file_is_refused_by_name(students, serve, tmp_path, name):
    zoo = tmp_path / "zoo"
    shutil.copytree(students[0], zoo, symlinks=True)
    path = zoo / "student" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for place in (zoo, f"http://127.0.0.1:{serve(zoo)}"):
        with pytest.raises(UserError, match=f"student/{name} was changed"):
            akdg_tf.load("student", place)
    assert not list((tmp_path / "cache").rglob("saved_model"))
    assert akdg_tf.load("teacher", zoo).sample(1).shape == (1, 8, 8, 1)


def test_a_fetched_entry_is_kept_and_fetched_anew_when_it_was_published_anew(students, serve, tmp_path, caplog):
    zoo = tmp_path / "zoo"
    shutil.copytree(students[0], zoo, symlinks=True)
    url = f"http://127.0.0.1:{serve(zoo)}/"
    images = akdg_tf.load("student", url).sample(2, seed=1)
    np.testing.assert_array_equal(akdg_tf.load("student", zoo).sample(2, seed=1), images)
    (kept,) = (tmp_path / "cache").rglob("student")
    (kept / "card.md").write_text("changed")  # in the cache: it is fetched again
    assert "\n# student\n" in akdg_tf.load("student", url).card
    assert "card.md was changed" in caplog.text and "fetching the entry again" in caplog.text
    stamp = (kept / SUMS).stat().st_mtime_ns
    akdg_tf.load("student", url)
    assert (kept / SUMS).stat().st_mtime_ns == stamp
    (zoo / "student" / "card.md").write_text("# student, once more\n")
    checksums.seal(zoo / "student")
    assert akdg_tf.load("student", url).card == "# student, once more\n"


def test_two_entries_that_were_exchanged_are_refused_wherever_they_lie(students, serve, tmp_path):
    zoo = tmp_path / "zoo"
    for name, other in (("student", "teacher"), ("teacher", "student")):
        shutil.copytree(students[0] / name, zoo / other, symlinks=True)
    port = serve(zoo)
    for place in (zoo, f"http://127.0.0.1:{port}"):
        with pytest.raises(
            UserError, match=r"metrics\.json belongs to the entry 'teacher', but its folder is 'student'"
        ):
            akdg_tf.load("student", place)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/akdg/student/1?tf-hub-format=compressed")
    assert connection.getresponse().status == 404
    connection.close()


def test_loading_needs_neither_a_plotting_library_nor_a_data_set():
    """Keras takes a plotting library where there is one, and does without."""
    program = "import sys; sys.modules.update(matplotlib=None, mlxtend=None); import akdg_tf; print(akdg_tf.load)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


DIGEST = b"0" * 64


@pytest.mark.parametrize(
    "line",
    [
        DIGEST + b"  ../../evil\n",
        DIGEST + b"  /etc/passwd\n",
        DIGEST + b"  a/../../evil\n",
        DIGEST + b"  null\0\n",
        DIGEST + b"  card.md\n" + DIGEST + b"  card.md\n",
        b"x  card.md\n",
        b"card.md\n",
        b"\xff\xfe\n",
        b"<html>\n",
        b"",
        b"\n" * 100_000,
        b"".join(DIGEST + b"  %d\n" % number for number in range(2000)),
        DIGEST + b"  " + b"a/" * 2000 + b"b\n",
    ],
)
def test_checksums_that_are_none_or_lead_out_of_the_entry_are_refused(students, serve, tmp_path, line):
    zoo = tmp_path / "zoo"
    shutil.copytree(students[0], zoo, symlinks=True)
    (zoo / "student" / SUMS).write_bytes(line)
    for place in (zoo, f"http://127.0.0.1:{serve(zoo)}"):
        with pytest.raises(UserError, match=r"student/SHA256SUMS is not a list of checksums"):
            akdg_tf.load("student", place)


def test_a_server_that_is_not_there_or_lacks_the_entry_is_said_in_one_line(students, serve):
    url = f"http://127.0.0.1:{serve(students[0])}"
    with pytest.raises(UserError, match=r"the server does not send http://.*/nosuch/SHA256SUMS \(404 Not Found\)"):
        akdg_tf.load("nosuch", url)
    for place in ("http://127.0.0.1:1", "http://a b/"):
        with pytest.raises(UserError, match="cannot be fetched"):
            akdg_tf.load("student", place)


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


def test_what_a_server_says_cannot_reach_the_terminal(tmp_path):
    with socketserver.TCPServer(("127.0.0.1", 0), Hostile) as server:
        server.answer = b"HTTP/1.1 404 \x1b[2J\x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UserError, match="404") as caught:
            akdg_tf.load("student", f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert str(caught.value).isprintable() and r"\x1b[2J" in str(caught.value)


def test_a_fetched_entry_is_there_when_its_server_is_not(students, caplog):
    with make_server(students[0], port=0) as server:
        threading.Thread(target=server.run, daemon=True).start()
        url = f"http://127.0.0.1:{server.port}"
        images = akdg_tf.load("student", url).sample(2, seed=1)
    np.testing.assert_array_equal(akdg_tf.load("student", url).sample(2, seed=1), images)
    assert "which was fetched before" in caplog.text


def test_a_cache_that_cannot_be_written_is_said_in_one_line(students, serve, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match="student cannot be stored in"):
        akdg_tf.load("student", f"http://127.0.0.1:{serve(students[0])}")


def test_hub_gets_nothing_of_a_changed_entry(students, serve, tmp_path):
    zoo = tmp_path / "zoo"
    shutil.copytree(students[0], zoo, symlinks=True)
    (zoo / "student" / "saved_model" / "variables" / "variables.index").write_bytes(b"changed")
    connection = http.client.HTTPConnection("127.0.0.1", serve(zoo), timeout=10)
    connection.request("GET", "/akdg/student/1?tf-hub-format=compressed")
    assert connection.getresponse().status == 404
    connection.close()


@pytest.fixture
def get(students, serve, tmp_path):
    """A function that asks a server for a path exactly as it is given, and returns status and content."""
    zoo = tmp_path / "served" / "zoo"
    shutil.copytree(students[0], zoo, symlinks=True)
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


def test_the_server_gives_each_listed_file_and_the_card(get, students):
    zoo, _ = students
    for name, digest in checksums.read(zoo / "student").items():
        status, content = get(f"/student/{name}")
        assert status == 200 and hashlib.sha256(content).hexdigest() == digest
    assert get("/akdg/student/1") == (200, (zoo / "student" / "card.md").read_bytes())
    assert get("/")[1].startswith(b"# The zoo") and get("/student/card.md", "HEAD") == (200, b"")
    assert json.loads(get("/student/metrics.json")[1])["experiment"] == "student"


def test_a_server_listens_to_this_machine_alone_and_says_when_it_cannot(students, tmp_path):
    with make_server(students[0], port=0) as server:
        with pytest.raises(UserError, match=r"cannot listen at 127\.0\.0\.1"):
            make_server(students[0], port=server.port)
        assert server._server.socket.getsockname()[0] == "127.0.0.1"
    for arguments, says in (((tmp_path,), "holds no entries"), ((students[0], ""), "--host is empty")):
        with pytest.raises(UserError, match=says):
            make_server(*arguments)


def test_a_server_that_is_closed_ends_its_threads_without_an_error(students):
    before = threading.active_count()
    for _ in range(20):  # the sockets may close at any moment of the server's loop
        with make_server(students[0], port=0) as server:
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/").read()
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert threading.active_count() <= before


@pytest.mark.parametrize("path", ["/linked/card.md", "/akdg/linked/1", "/akdg/linked/1?tf-hub-format=compressed"])
def test_the_server_gives_nothing_of_an_entry_that_is_a_link(path, students, tmp_path):
    zoo = tmp_path / "zoo"
    shutil.copytree(students[0], zoo, symlinks=True)
    (zoo / "student").rename(tmp_path / "linked")
    (zoo / "linked").symlink_to(tmp_path / "linked")
    with make_server(zoo, port=0) as server:
        threading.Thread(target=server.run, daemon=True).start()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}")
