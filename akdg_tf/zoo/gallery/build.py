"""The gallery: one static page of the zoo, with students that draw new images in the browser.

The files of the page are in `page/`; this module writes its data. All addresses are relative, and nothing is loaded
from other hosts, so the folder works under any path of any static host.
"""

import dataclasses
import json
import pathlib
import shutil
import urllib.parse

from akdg_tf.errors import UserError
from akdg_tf.files import replacing, strangers, write_text
from akdg_tf.latents import classes_in
from akdg_tf.reporting import pareto, pictures
from akdg_tf.zoo import readme
from akdg_tf.zoo.definitions import definitions
from akdg_tf.zoo.entries import LITERT, SAMPLES, Entry, entries, groups
from akdg_tf.zoo.gallery import litert_js
from akdg_tf.zoo.routes import evaluation_latents

PAGE = pathlib.Path(__file__).with_name("page")
PAGE_FILES = ("index.html", "gallery.css", "gallery.js", "live.js", "student.js", "icon.svg")
FOLDERS = ("pictures", "models")
WRITTEN = (*PAGE_FILES, "data.js", "pictures/*.png", "models/*.tflite", "models/*.json", "litert/*")  # all its files
MARK = "window.GALLERY = "  # the start of data.js, which identifies a folder as a gallery
LIVE_IMAGES = 16  # the first two rows of samples.png
COUNTS = ("layers", "params", "mult_adds", "file_size", "images_per_second")
VARYING = ("splits", "seed")  # fields of a score that the page's notes leave out; the page shows means over seeds


def build(zoo: pathlib.Path, output: pathlib.Path) -> pathlib.Path:
    """Writes the gallery of a zoo. An older gallery is replaced only when the new one is complete.

    Args:
        zoo: folder of the zoo.
        output: folder to write. It must not exist, be empty, or hold a gallery.

    Returns:
        The page, `index.html`.

    Raises:
        UserError: `output` holds something else, the zoo has no generators, an entry is damaged, or LiteRT.js cannot be
            fetched.
    """
    output = output.resolve()  # gives `.` a name, and makes sure that a link is followed and not replaced
    if output.exists() and not _is_gallery(output):
        raise UserError(f"{output} exists and holds something other than a gallery: name another folder, or remove it")
    found = entries(zoo)
    generators = [entry for entry in found if entry.kind != "classifier"]
    if not generators:
        raise UserError(f"{zoo} holds no generators: give the folder of a zoo")
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
        comparisons = _write_comparisons(zoo, part / "pictures")
        litert_js.vendor(part / "litert")
        write_text(
            part / "data.js", f"{MARK}{json.dumps(_data(found, part) | {'comparisons': comparisons}, indent=1)};\n"
        )
    return output / "index.html"


def _write_comparisons(zoo: pathlib.Path, folder: pathlib.Path) -> list[dict]:
    """Draws the FID against the costs for each group of comparable students; the page's data on these pictures."""
    found = pareto.groups(zoo, timed=False)
    for definition, name in pareto.names(found).items():
        pictures.save_png(pareto.picture(found[definition]), folder / f"{name}.png")
    return [
        {"definition": definition, "picture": f"pictures/{name}.png"}
        for definition, name in pareto.names(found).items()
    ]


def _data(found: list[Entry], part: pathlib.Path) -> dict:
    """The page's data for some entries, whose files are in `part`."""
    generators = [entry for entry in found if entry.kind != "classifier"]
    names = [{"teacher": group.name, "students": [entry.name for entry in group.students]} for group in groups(found)]
    return {
        "groups": names,
        "generators": [_row(entry, part) for entry in generators],
        "definitions": [dataclasses.asdict(one) for one in definitions(generators, less=VARYING)],
        "classifiers": [
            f"{entry.name}, {readme.about_classifier(entry)}" for entry in found if entry.kind == "classifier"
        ],
    }


def _row(entry: Entry, part: pathlib.Path) -> dict:
    """The page's data for one generator. An unknown count is None. Addresses are URL-quoted, names are not."""
    name, network = entry.name, entry.result.network
    address, model = urllib.parse.quote(name), part / "models" / f"{name}.tflite"
    rows = entry.result.scores_of_file().items()
    scores = {metric: {"value": row.mean, "spread": row.stdev, "seeds": row.seeds} for metric, row in rows}
    return {
        "name": name,
        "method": readme.method(entry),
        **{key: getattr(network, key) for key in COUNTS},
        "metrics": scores,
        "unscored": entry.result.unscored,
        "picture": f"pictures/{address}.png",
        "tflite_size": model.stat().st_size if model.exists() else None,
        "model": f"models/{address}.tflite" if model.exists() else None,
        "classes": classes_in(network.prior),
        "weights": entry.result.litert.weights if entry.result.litert and model.exists() else None,
        "latents": f"models/{address}.json" if model.exists() else None,
    }


def _write_model(entry: Entry, folder: pathlib.Path) -> None:
    """Writes a student's model for the browser, and the latents of the first images of its `samples.png`."""
    model = litert_js.fixed_batch((entry.folder / LITERT).read_bytes())
    (folder / f"{entry.name}.tflite").write_bytes(model)
    (folder / f"{entry.name}.json").write_text(json.dumps(first_latents(entry), separators=(",", ":")))


def first_latents(entry: Entry) -> list[list[float]]:
    """The latents of the first `LIVE_IMAGES` images of `samples.png`, with nine digits, which determine a float32."""
    return [[float(f"{value:.9g}") for value in row] for row in evaluation_latents(entry, LIVE_IMAGES)]


def _is_gallery(folder: pathlib.Path) -> bool:
    """Whether a folder is empty or holds only a gallery. Anything else in it would be lost."""
    if not folder.is_dir():
        return False
    data = folder / "data.js"
    if strangers(folder, WRITTEN):
        return False
    return not any(folder.iterdir()) or (data.is_file() and data.read_bytes().startswith(MARK.encode()))
