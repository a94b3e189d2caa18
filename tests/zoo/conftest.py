"""What tests of the zoo share: a small zoo, a server of one, caches of its own, a folder with gin files."""

import threading

import pytest
from made_up_zoo import GIN_TEXT, random_mlp, write_zoo

from akdg_tf.zoo.serve import make_server


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A zoo of two small generators, of which tests change copies alone."""
    zoo = tmp_path_factory.mktemp("published") / "zoo"
    write_zoo(zoo, {"teacher": random_mlp(1), "student": random_mlp()}, teacher="teacher")
    return zoo


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


@pytest.fixture
def caches_of_its_own(tmp_path, monkeypatch):
    """Nothing was fetched before, and the environment names no zoo."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    monkeypatch.delenv("AKDG_ZOO", raising=False)


@pytest.fixture
def folder_with_gin_files(tmp_path, monkeypatch):
    """The current folder, with the gin file of `made_up_zoo.write_run`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gin").mkdir()
    (tmp_path / "gin" / "x.gin").write_text(GIN_TEXT)
