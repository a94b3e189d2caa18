"""LiteRT.js, which runs .tflite models in a browser: fetched by npm in pinned versions, and what it asks of a model."""

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
SHA512 = {  # of the packages' tarballs, as npm's own `integrity` is written
    "@litertjs/core": "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
    "@litertjs/wasm-utils": "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
}
# One of the four builds of the runtime: the one that every browser with WebAssembly runs. Threads need headers that a
# plain static host does not send, JSPI and relaxed SIMD are not in every browser, and a second build weighs 9 MB more.
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
    """Writes LiteRT.js into a new folder: two modules, one build of the runtime (9 MB), its licence.

    Args:
        folder: is made; holds `FILES`' values, `NOTICE` and `LICENSE` afterwards.

    Raises:
        UserError: npm is not there or cannot fetch a package, or a package is not the pinned one.
    """
    folder.mkdir(parents=True)
    for package, files in FILES.items():
        with tarfile.open(_tarball(package)) as archive:
            for member, name in files.items():
                # The content alone is taken: no path, link or mode of the archive reaches the disk.
                (folder / name).write_bytes(archive.extractfile(member).read())  # type: ignore[union-attr]
    packages = ", ".join(f"{package} {VERSION}" for package in SHA512)
    (folder / "NOTICE").write_text(NOTICE.format(packages=packages))
    (folder / "LICENSE").write_bytes(pathlib.Path(__file__).with_name("page").joinpath("LICENSE").read_bytes())


def fixed_batch(model: bytes) -> bytes:
    """A .tflite model whose batch is 1: LiteRT.js runs no model with an axis of unknown size.

    Args:
        model: content of a .tflite file; its tensors of unknown batch have the shape of batch 1, as the converter
            writes them.

    Returns:
        The same model without the mark of the unknown axes.
    """
    parsed = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    for graph in parsed.subgraphs:
        for tensor in graph.tensors:
            tensor.shapeSignature = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parsed))


def _tarball(package: str) -> pathlib.Path:
    """The package's tarball in the cache; fetched if it is not there, or is not the pinned one."""
    cache = cache_folder("npm")
    path = cache / f"{package.strip('@').replace('/', '-')}-{VERSION}.tgz"
    if not (path.exists() and _is_pinned(path, package)):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _npm_pack(package, pathlib.Path(folder))
            fetched = pathlib.Path(folder, path.name)
            if not _is_pinned(fetched, package):
                raise UserError(f"npm's {package}@{VERSION} is not the pinned one: its SHA-512 differs")
            os.replace(fetched, path)
    return path


def _is_pinned(tarball: pathlib.Path, package: str) -> bool:
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    return base64.b64encode(digest).decode() == SHA512[package]


def _npm_pack(package: str, folder: pathlib.Path) -> None:
    """Fetches the package's tarball into a folder, with npm's own settings of registry and proxy."""
    command = ["npm", "pack", f"{package}@{VERSION}", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=NPM_SECONDS)
    except FileNotFoundError as error:
        raise UserError("the gallery needs npm, which fetches LiteRT.js: install Node.js") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"npm could not fetch {package}@{VERSION} in {NPM_SECONDS} s: is there a network?") from error
    except subprocess.CalledProcessError as error:
        reason = next((line for line in error.stderr.splitlines() if "error" in line), "is there a network?")
        raise UserError(f"npm could not fetch {package}@{VERSION}: {reason}") from error
