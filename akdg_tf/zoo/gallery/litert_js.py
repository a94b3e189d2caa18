"""LiteRT.js, which runs .tflite models in a browser: its pinned files, fetched by npm, and models that it can run."""

import base64
import hashlib
import os
import pathlib
import subprocess
import tarfile
import tempfile

from tensorflow.lite.tools import flatbuffer_utils

from akdg_tf.errors import UserError
from akdg_tf.files import cache_folder

VERSION = "2.5.3"
SHA512 = {  # of the packages' tarballs, in base64 as in npm's `integrity`
    "@litertjs/core": "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
    "@litertjs/wasm-utils": "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
}
# The runtime has four builds. This one runs in every browser with WebAssembly. The others need threads, which require
# headers that a plain static host does not send, or JSPI or relaxed SIMD, which some browsers lack. A second build
# would add 9 MB.
FILES = {
    "@litertjs/core": {
        "package/dist/index.js": "core.js",
        "package/wasm/litert_wasm_compat_internal.js": "litert_wasm_compat_internal.js",
        "package/wasm/litert_wasm_compat_internal.wasm": "litert_wasm_compat_internal.wasm",
    },
    "@litertjs/wasm-utils": {"package/dist/index.js": "wasm_utils.js"},
}
NPM_SECONDS = 300
NOTICE = """LiteRT.js: {packages}, copied unchanged from npm.
Copyright Google LLC. Licensed under the Apache License, Version 2.0: see LICENSE.
"""


def vendor(folder: pathlib.Path) -> None:
    """Writes LiteRT.js into a new folder: two modules, one build of the runtime (9 MB), notice and licence.

    Args:
        folder: is created; it gets the files in `FILES`, `NOTICE` and `LICENSE`.

    Raises:
        UserError: npm is not installed or cannot fetch a package, or a package does not match its checksum.
    """
    folder.mkdir(parents=True)
    for package, files in FILES.items():
        with tarfile.open(_tarball(package)) as archive:
            for member, name in files.items():
                # Only the content is used: no path, link or mode of the archive reaches the disk.
                (folder / name).write_bytes(archive.extractfile(member).read())  # type: ignore[union-attr]
    packages = ", ".join(f"{package} {VERSION}" for package in SHA512)
    (folder / "NOTICE").write_text(NOTICE.format(packages=packages), encoding="utf-8")
    (folder / "LICENSE").write_bytes(pathlib.Path(__file__).with_name("page").joinpath("LICENSE").read_bytes())


def fixed_batch(model: bytes) -> bytes:
    """A .tflite model with the fixed batch size 1, because LiteRT.js cannot run a model with an axis of unknown size.

    Args:
        model: content of a .tflite file. The converter has written tensors of unknown batch size with the shape of
            batch 1.

    Returns:
        The same model without the marks of unknown axes.
    """
    parsed = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    for graph in parsed.subgraphs:
        for tensor in graph.tensors:
            tensor.shapeSignature = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parsed))


def _tarball(package: str) -> pathlib.Path:
    """The package's tarball in the cache. It is fetched if it is missing or does not match its checksum."""
    cache = cache_folder("npm")
    path = cache / f"{package.strip('@').replace('/', '-')}-{VERSION}.tgz"
    if not (path.exists() and _is_pinned(path, package)):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _npm_pack(package, pathlib.Path(folder))
            fetched = pathlib.Path(folder, path.name)
            if not _is_pinned(fetched, package):
                raise UserError(
                    f"npm's {package}@{VERSION} has another SHA-512 than the pinned one: check the registry"
                )
            os.replace(fetched, path)
    return path


def _is_pinned(tarball: pathlib.Path, package: str) -> bool:
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    return base64.b64encode(digest).decode() == SHA512[package]


def _npm_pack(package: str, folder: pathlib.Path) -> None:
    """Fetches the package's tarball into a folder. npm uses its own settings of registry and proxy."""
    command = ["npm", "pack", f"{package}@{VERSION}", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=NPM_SECONDS)
    except FileNotFoundError as error:
        raise UserError("the gallery needs npm, which fetches LiteRT.js: install Node.js") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"npm could not fetch {package}@{VERSION} in {NPM_SECONDS} s: check the network") from error
    except subprocess.CalledProcessError as error:
        reason = next((line for line in error.stderr.splitlines() if "error" in line), "check the network")
        raise UserError(f"npm could not fetch {package}@{VERSION}: {reason}") from error
