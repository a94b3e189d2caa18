"""An entry that was changed or exchanged is refused, in a folder and from a server."""

import http.client
import shutil

import pytest

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.zoo.checksums import SUMS

pytestmark = pytest.mark.usefixtures("caches_of_its_own")


@pytest.mark.parametrize("name", ["saved_model/saved_model.pb", "saved_model/variables/variables.index", "card.md"])
def test_a_changed_file_is_refused_by_name(published, serve, tmp_path, name):
    zoo = tmp_path / "zoo"
    shutil.copytree(published, zoo, symlinks=True)
    path = zoo / "student" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for place in (zoo, f"http://127.0.0.1:{serve(zoo)}"):
        with pytest.raises(UserError, match=f"student/{name} was changed"):
            akdg_tf.load("student", place)
    assert not list((tmp_path / "cache").rglob("saved_model"))
    assert akdg_tf.load("teacher", zoo).sample(1).shape == (1, 8, 8, 1)


def test_two_entries_that_were_exchanged_are_refused_wherever_they_lie(published, serve, tmp_path):
    zoo = tmp_path / "zoo"
    for name, other in (("student", "teacher"), ("teacher", "student")):
        shutil.copytree(published / name, zoo / other, symlinks=True)
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
def test_checksums_that_are_none_or_lead_out_of_the_entry_are_refused(published, serve, tmp_path, line):
    zoo = tmp_path / "zoo"
    shutil.copytree(published, zoo, symlinks=True)
    (zoo / "student" / SUMS).write_bytes(line)
    for place in (zoo, f"http://127.0.0.1:{serve(zoo)}"):
        with pytest.raises(UserError, match=r"student/SHA256SUMS is not a list of checksums"):
            akdg_tf.load("student", place)
