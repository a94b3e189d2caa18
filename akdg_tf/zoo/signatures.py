"""Signatures of entries: an Ed25519 signature of `SHA256SUMS`, in a file beside it.

`SHA256SUMS` covers every file of the entry, and so `metrics.json`, which names the entry. Keys are PEM files as openssl
reads and writes them. A signature is 64 bytes.
"""

import os
import pathlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from akdg_tf.errors import UserError
from akdg_tf.files import read_small, write_bytes
from akdg_tf.places import expanded
from akdg_tf.zoo import checksums
from akdg_tf.zoo.checksums import SIGNATURE, SUMS

PUBLIC_SUFFIX = ".pub"
KEY_VARIABLE = "AKDG_PUBLIC_KEY"  # environment variable: file of the public key that entries must be signed with
SIGNATURE_BYTES, MOST_KEY_BYTES = 64, 10_000


def make_keys(path: pathlib.Path) -> pathlib.Path:
    """Makes a new pair of keys: the private key in `path`, which only its owner may read, the public one beside it.

    Args:
        path: file of the private key. It must not exist.

    Returns:
        File of the public key, `<path>.pub`.

    Raises:
        UserError: one of the files exists, or cannot be written.
    """
    public_path = path.with_name(path.name + PUBLIC_SUFFIX)
    private = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    taken = [each for each in (path, public_path) if each.exists()]
    if taken:
        raise UserError(f"{taken[0]} exists already: name another file")
    try:
        _write_new(path, secret, 0o600)
        _write_new(public_path, public, 0o644)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be written: {error.strerror}") from None
    return public_path


def sign(folder: pathlib.Path, key: str | os.PathLike) -> pathlib.Path:
    """Signs the `SHA256SUMS` of an entry; an older signature is replaced. The caller has checked the entry.

    Args:
        folder: of the entry.
        key: file of the private key.

    Returns:
        File of the signature.

    Raises:
        UserError: the key or `SHA256SUMS` cannot be read.
    """
    path = pathlib.Path(expanded(key))
    try:
        private = serialization.load_pem_private_key(read_small(path, MOST_KEY_BYTES), password=None)
    except TypeError:
        raise UserError(f"{path} is encrypted: give a key without a password") from None
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UserError(f"{path} is not a private key: akdg zoo keygen makes one ({_reason(error)})") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UserError(f"{path} is a key of another kind than Ed25519: akdg zoo keygen makes one")
    write_bytes(folder / SIGNATURE, private.sign(checksums.content(folder)))
    return folder / SIGNATURE


def check(folder: pathlib.Path, key: Ed25519PublicKey) -> None:
    """Checks that an entry's `SHA256SUMS` was signed with a key. The entry's files are not looked at.

    Args:
        folder: of the entry.
        key: see `public_key`.

    Raises:
        UserError: there is no signature, or it is wrong.
    """
    sums = checksums.content(folder)
    try:
        signature = read_small(folder / SIGNATURE, SIGNATURE_BYTES)
    except FileNotFoundError:
        raise UserError(f"{folder} is not signed: it holds no {SIGNATURE}") from None
    except OSError:
        signature = b""
    check_signature(signature, sums, key, str(folder))


def check_signature(signature: bytes, sums: bytes, key: Ed25519PublicKey, source: str) -> None:
    """Checks the signature of the content of a `SHA256SUMS`.

    Args:
        signature: 64 bytes.
        sums: what was signed.
        key: see `public_key`.
        source: folder or URL of the entry, for the error.

    Raises:
        UserError: the signature is wrong.
    """
    try:
        key.verify(signature, sums)
    except InvalidSignature:
        raise UserError(f"{source} is refused: {SIGNATURE} is not the public key's signature of {SUMS}") from None


def public_key(path: str | os.PathLike | None = None) -> Ed25519PublicKey | None:
    """The public key that entries must be signed with.

    Args:
        path: its file. The default is the environment variable AKDG_PUBLIC_KEY.

    Returns:
        The key. None: signatures are not wanted.

    Raises:
        UserError: the file cannot be read, or holds something else.
    """
    given = os.environ.get(KEY_VARIABLE) if path is None else os.fspath(path)
    if not given and path is None:
        return None
    try:
        key = serialization.load_pem_public_key(read_small(pathlib.Path(expanded(given or "")), MOST_KEY_BYTES))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UserError(f"{given!r} is not a public key: akdg zoo keygen makes one ({_reason(error)})") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UserError(f"{given} is a key of another kind than Ed25519: akdg zoo keygen makes one")
    return key


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)[:100]


def _write_new(path: pathlib.Path, content: bytes, mode: int) -> None:
    """Writes a file that does not exist yet."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content)
