"""Whoever wants a signature loads nothing that the owner of the key has not signed, under the name that was signed."""

import shutil
import stat
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from made_up_zoo import random_mlp, write_zoo

import akdg_tf
from akdg_tf.cli import zoo as command
from akdg_tf.errors import UserError
from akdg_tf.files import write_text
from akdg_tf.zoo import checksums, signatures
from akdg_tf.zoo.checksums import SIGNATURE, SUMS
from akdg_tf.zoo.entries import Entry
from akdg_tf.zoo.serve import make_server

PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A zoo of two signed entries, and the file of the public key."""
    folder = tmp_path_factory.mktemp("signed")
    for number, name in enumerate(("a", "b")):
        write_zoo(folder / "zoo", {name: random_mlp(number)}, teacher=name)
    run("keygen", f"--key={folder / 'key'}")
    run("sign", "a", "b", f"--zoo={folder / 'zoo'}", f"--key={folder / 'key'}")
    return folder / "zoo", folder / "key.pub"


@pytest.fixture
def zoo(signed, tmp_path, monkeypatch):
    """A copy of that zoo, which a test may change."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(signatures.KEY_VARIABLE, raising=False)
    shutil.copytree(signed[0], tmp_path / "zoo", symlinks=True)
    return tmp_path / "zoo"


@pytest.fixture
def key(signed):
    return signed[1]


@pytest.fixture
def other_key(tmp_path):
    return signatures.make_keys(tmp_path / "other")


@pytest.fixture
def places(zoo):
    """The zoo as a folder, and as the address of a server."""
    with make_server(zoo, port=0) as server:
        threading.Thread(target=server.run, daemon=True).start()
        yield zoo, f"http://127.0.0.1:{server.port}"


def run(*arguments):
    """One command of `akdg zoo`."""
    command.main([str(each) for each in arguments])


def refused(places, key, says, monkeypatch, tmp_path):
    """Whether `load` refuses the entry "a" from everywhere, without loading or storing anything of it."""
    monkeypatch.setattr(Entry, "load", lambda entry: pytest.fail("it was loaded"))
    for place in places:
        with pytest.raises(UserError, match=says):
            akdg_tf.load("a", place, public_key=key)
    with pytest.raises(UserError, match=says):
        akdg_tf.load(places[0] / "a", public_key=key)
    return not list((tmp_path / "cache").rglob("metrics.json"))


def test_a_signed_entry_is_loaded_from_everywhere_and_without_its_server(zoo, key, monkeypatch):
    with make_server(zoo, port=0) as server:
        threading.Thread(target=server.run, daemon=True).start()
        url = f"http://127.0.0.1:{server.port}"
        akdg_tf.load("a", url)  # without its signature, which is fetched when it is wanted
        for place in (zoo, url):
            assert akdg_tf.load("a", place, public_key=key).sample(1).shape == (1, 8, 8, 1)
    assert akdg_tf.load(zoo / "a", public_key=key).name == "a"
    monkeypatch.setenv(signatures.KEY_VARIABLE, str(key))
    assert akdg_tf.load("a", url).name == "a"


def test_an_entry_without_a_signature_is_refused(places, key, monkeypatch, tmp_path):
    (places[0] / "a" / SIGNATURE).unlink()
    assert refused(places, key, r"a is not signed: .*SHA256SUMS\.sig", monkeypatch, tmp_path)


def test_another_key_is_refused(places, other_key, monkeypatch, tmp_path):
    says = r"a is refused: SHA256SUMS\.sig is not the public key's signature of SHA256SUMS"
    assert refused(places, other_key, says, monkeypatch, tmp_path)


def test_the_key_of_the_environment_counts(zoo, key, other_key, monkeypatch):
    monkeypatch.setenv(signatures.KEY_VARIABLE, str(other_key))
    with pytest.raises(UserError, match="a is refused"):
        akdg_tf.load("a", zoo)
    assert akdg_tf.load("a", zoo, public_key=key).name == "a"  # the argument comes first


def test_a_changed_list_is_refused_although_its_checksums_are_right(places, key, monkeypatch, tmp_path):
    folder = places[0] / "a"
    signature = (folder / SIGNATURE).read_bytes()
    write_text(folder / "card.md", "another card")
    checksums.seal(folder)
    (folder / SIGNATURE).write_bytes(signature)
    assert akdg_tf.load("a", places[0]).card == "another card"
    assert refused(places, key, "a is refused", monkeypatch, tmp_path)


def test_a_changed_file_of_a_signed_entry_is_refused(places, key):
    (places[0] / "a" / "card.md").write_text("another card")
    for place in places:
        with pytest.raises(UserError, match=r"card\.md was changed"):
            akdg_tf.load("a", place, public_key=key)


@pytest.mark.parametrize("signature", [b"", b"x" * 64, b"x" * 65])
def test_what_is_no_signature_is_refused(signature, places, key, monkeypatch, tmp_path):
    (places[0] / "a" / SIGNATURE).write_bytes(signature)
    assert refused(places, key, "a is refused|a is not signed", monkeypatch, tmp_path)


def test_the_signature_of_another_entry_is_refused(places, key, monkeypatch, tmp_path):
    shutil.copy(places[0] / "b" / SIGNATURE, places[0] / "a" / SIGNATURE)
    assert refused(places, key, "a is refused", monkeypatch, tmp_path)


def test_another_signed_entry_in_its_place_is_refused(places, key, monkeypatch, tmp_path):
    """List and signature cover metrics.json, which names the entry."""
    shutil.rmtree(places[0] / "a")
    shutil.copytree(places[0] / "b", places[0] / "a", symlinks=True)
    refused(places, key, r"metrics\.json belongs to the entry 'b', but its folder is 'a'", monkeypatch, tmp_path)


def test_what_is_no_entry_is_not_signed(zoo, key, tmp_path):
    """The list of a signed entry may have been removed."""
    (zoo / "a" / SUMS).unlink()
    akdg_tf.export(random_mlp(), tmp_path / "exported")
    for folder in (zoo / "a", tmp_path / "exported"):
        assert akdg_tf.load(folder).latent_dim == 4
        with pytest.raises(UserError, match=r"is not signed: it holds no SHA256SUMS"):
            akdg_tf.load(folder, public_key=key)


def test_a_signature_lasts_as_long_as_what_was_signed(zoo, key, caplog):
    checksums.seal(zoo / "a")
    signatures.check(zoo / "a", signatures.public_key(key))
    write_text(zoo / "a" / "card.md", "another card")
    checksums.seal(zoo / "a")
    assert not (zoo / "a" / SIGNATURE).exists() and "a has changed, and its signature was removed" in caplog.text


def test_an_entry_that_is_published_again_unchanged_stays_signed(zoo, caplog):
    for name, stays in (("a", True), ("b", False)):
        new = zoo / "new"
        shutil.copytree(zoo / "a", new, symlinks=True)
        (new / SIGNATURE).unlink()
        checksums.keep_signature(zoo / name, new)
        assert (new / SIGNATURE).exists() is stays
        shutil.rmtree(new)
    assert "b has changed, and its signature was removed" in caplog.text


def test_what_was_changed_is_not_signed(zoo, key, capsys):
    (zoo / "a" / "card.md").write_text("another card")
    for name, says in (("a", "card.md was changed"), ("../a", "not the name of an entry"), ("c", "is not an entry")):
        with pytest.raises(SystemExit):
            run("sign", name, f"--zoo={zoo}", f"--key={key.with_name('key')}")
        assert says in capsys.readouterr().err


def test_verify_names_the_entry_that_is_not_signed(zoo, key, capsys):
    (zoo / "b" / SIGNATURE).unlink()
    with pytest.raises(SystemExit):
        run("verify", f"--zoo={zoo}", f"--public_key={key}")
    said = capsys.readouterr()
    assert "a: signature by the public key; checksums" in said.out and "b: FAILED:" in said.out
    assert said.err == "akdg zoo: 1 of 2 entries failed: see the lines with FAILED\n"


def test_a_private_key_is_for_its_owner_and_never_replaced(tmp_path):
    public = signatures.make_keys(tmp_path / "key")
    assert public == tmp_path / "key.pub" and stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(UserError, match=r"key exists already: name another file"):
        signatures.make_keys(tmp_path / "key")
    (tmp_path / "new.pub").write_text("")
    with pytest.raises(UserError, match=r"new\.pub exists already"):
        signatures.make_keys(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(UserError, match="cannot be written: No such file or directory"):
        signatures.make_keys(tmp_path / "nosuch" / "key")


@pytest.fixture
def keys(tmp_path):
    """Files that are no keys of ours, by name."""
    signatures.make_keys(tmp_path / "good")
    foreign = ec.generate_private_key(ec.SECP256R1())
    plain, pkcs8 = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    public = foreign.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    encryption = serialization.BestAvailableEncryption(b"x")
    files = {
        "garbage": b"\xff\0garbage",
        "large": b"x" * 20_000,
        "foreign": foreign.private_bytes(PEM, pkcs8, plain),
        "foreign.pub": public,
        "encrypted": foreign.private_bytes(PEM, pkcs8, encryption),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nosuch", r"is not a public key: .*\(No such file or directory\)"),
        ("garbage", "is not a public key: akdg zoo keygen makes one"),
        ("large", "is not a public key"),
        ("foreign.pub", "is a key of another kind than Ed25519"),
        ("good", "is not a public key"),
        ("", "is not a public key"),
    ],
)
def test_what_is_no_public_key_is_one_line(name, says, keys):
    with pytest.raises(UserError, match=says):
        akdg_tf.load("mnist_mlp_akdg", public_key=str(keys / name) if name else "")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nosuch", "is not a private key"),
        ("garbage", "is not a private key"),
        ("foreign", "is a key of another kind than Ed25519"),
        ("encrypted", "is encrypted: give a key without a password"),
        ("good.pub", "is not a private key"),
    ],
)
def test_what_is_no_private_key_is_one_line(name, says, keys, tmp_path):
    (tmp_path / SUMS).write_text("x")
    with pytest.raises(UserError, match=says):
        signatures.sign(tmp_path, keys / name)
