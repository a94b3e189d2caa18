"""The gallery: one static page of the zoo, with students that draw new images in the browser.

The page itself lies in `page/`; what is written here are its data. Every address in it is relative, and nothing comes
from another host: the folder can be put under any path of any static host.
"""

import dataclasses
import json
import pathlib
import shutil
import urllib.parse

from akdg_tf.errors import UserError
from akdg_tf.files import replacing, write_text
from akdg_tf.zoo import readme
from akdg_tf.zoo.definitions import definitions
from akdg_tf.zoo.entries import LITERT, SAMPLES, Entry, entries, groups
from akdg_tf.zoo.gallery import litert_js
from akdg_tf.zoo.routes import evaluation_latents

PAGE = pathlib.Path(__file__).with_name("page")
PAGE_FILES = ("index.html", "gallery.css", "gallery.js", "live.js", "student.js", "icon.svg")
FOLDERS = ("pictures", "models")
MARK = "window.GALLERY = "  # how data.js begins: what tells a gallery from a folder that is somebody's
LIVE_IMAGES = 16  # the first two rows of samples.png
COUNTS = ("layers", "params", "mult_adds", "file_size", "images_per_second")
VARYING = ("splits", "seed")  # of a score's record, from entry to entry: the page shows means over seeds


def build(zoo: pathlib.Path, output: pathlib.Path) -> pathlib.Path:
    """Writes the gallery of a zoo; an older one is replaced only when the new one is whole.

    Args:
        zoo: folder of entries.
        output: where to write: a folder that is not there, is empty, or is a gallery.

    Returns:
        The page, `index.html`.

    Raises:
        UserError: `output` is something else, the zoo has no generators, an entry lacks a file, or LiteRT.js cannot
            be fetched.
    """
    output = output.resolve()  # `.` has no name to make a folder beside, a link would be replaced
    if output.exists() and not _is_gallery(output):
        raise UserError(f"{output} exists and holds something other than a gallery: name another folder, or remove it")
    found = entries(zoo)
    generators = [entry for entry in found if entry.kind != "classifier"]
    if not generators:
        raise UserError(f"{zoo} holds no generators")
    with replacing(output) as part:
        for folder in FOLDERS:
            (part / folder).mkdir()
        for name in PAGE_FILES:
            shutil.copy(PAGE / name, part)
        for entry in generators:
            entry.check()
            shutil.copy(entry.folder / SAMPLES, part / "pictures" / f"{entry.name}.png")
            if entry.kind == "student" and entry.result.litert:
                _write_model(entry, part / "models")
        litert_js.vendor(part / "litert")
        write_text(part / "data.js", f"{MARK}{json.dumps(_data(found, part), indent=1)};\n")
    return output / "index.html"


def _data(found: list[Entry], part: pathlib.Path) -> dict:
    """What the page shows of the entries whose files lie in `part`."""
    generators = [entry for entry in found if entry.kind != "classifier"]
    names = [{"teacher": group.name, "students": [entry.name for entry in group.students]} for group in groups(found)]
    return {
        "groups": names,
        "generators": [_row(entry, part) for entry in generators],
        "definitions": [dataclasses.asdict(one) for one in definitions(generators, less=VARYING)],
        "classifiers": [f"{entry.name}, {readme.accuracy(entry)}" for entry in found if entry.kind == "classifier"],
    }


def _row(entry: Entry, part: pathlib.Path) -> dict:
    """A generator as the page shows it; a count is None if it is unknown. Addresses are quoted, as names are not."""
    name, network = entry.name, entry.result.network
    address, model = urllib.parse.quote(name), part / "models" / f"{name}.tflite"
    rows = entry.result.scores_over_seeds().items()
    scores = {metric: {"value": row.mean, "spread": row.stdev, "seeds": row.seeds} for metric, row in rows}
    return {
        "name": name,
        "method": readme.method(entry),
        **{key: getattr(network, key) for key in COUNTS},
        "metrics": scores,
        "picture": f"pictures/{address}.png",
        "tflite_size": model.stat().st_size if model.exists() else None,
        "model": f"models/{address}.tflite" if model.exists() else None,
        "latents": f"models/{address}.json" if model.exists() else None,
    }


def _write_model(entry: Entry, folder: pathlib.Path) -> None:
    """The student's model for the browser, and the latents of the first images of its samples.png."""
    model = litert_js.fixed_batch((entry.folder / LITERT).read_bytes())
    (folder / f"{entry.name}.tflite").write_bytes(model)
    (folder / f"{entry.name}.json").write_text(json.dumps(first_latents(entry), separators=(",", ":")))


def first_latents(entry: Entry) -> list[list[float]]:
    """The latents of the first `LIVE_IMAGES` images of `samples.png`; nine digits give back the same float32."""
    return [[float(f"{value:.9g}") for value in row] for row in evaluation_latents(entry, LIVE_IMAGES)]


def _is_gallery(folder: pathlib.Path) -> bool:
    """Whether a folder is empty, or holds a gallery and nothing else: what else is there would be lost."""
    if not folder.is_dir():
        return False
    names, data = {path.name for path in folder.iterdir()}, folder / "data.js"
    written = {*PAGE_FILES, *FOLDERS, "litert", data.name}
    return not names or (names <= written and data.is_file() and data.read_bytes().startswith(MARK.encode()))
