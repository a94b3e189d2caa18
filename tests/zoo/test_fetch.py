"""An entry that was fetched is kept, and fetched anew when it was published anew."""

import shutil
import threading

import numpy as np
import pytest

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.zoo import checksums
from akdg_tf.zoo.checksums import SUMS
from akdg_tf.zoo.serve import make_server

pytestmark = pytest.mark.usefixtures("caches_of_its_own")


def test_a_fetched_entry_is_kept_and_fetched_anew_when_it_was_published_anew(published, serve, tmp_path, caplog):
    zoo = tmp_path / "zoo"
    shutil.copytree(published, zoo, symlinks=True)
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


def test_a_server_that_is_not_there_or_lacks_the_entry_is_said_in_one_line(published, serve):
    url = f"http://127.0.0.1:{serve(published)}"
    with pytest.raises(UserError, match=r"the server does not send http://.*/nosuch/SHA256SUMS \(404 Not Found\)"):
        akdg_tf.load("nosuch", url)
    for place in ("http://127.0.0.1:1", "http://a b/"):
        with pytest.raises(UserError, match="cannot be fetched"):
            akdg_tf.load("student", place)


def test_a_fetched_entry_is_there_when_its_server_is_not(published, caplog):
    with make_server(published, port=0) as server:
        threading.Thread(target=server.run, daemon=True).start()
        url = f"http://127.0.0.1:{server.port}"
        images = akdg_tf.load("student", url).sample(2, seed=1)
    np.testing.assert_array_equal(akdg_tf.load("student", url).sample(2, seed=1), images)
    assert "which was fetched before" in caplog.text


def test_a_cache_that_cannot_be_written_is_said_in_one_line(published, serve, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match="student cannot be stored in"):
        akdg_tf.load("student", f"http://127.0.0.1:{serve(published)}")
