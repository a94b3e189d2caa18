"""The gallery: one static page of the zoo, with students that draw new images in the browser.

The page itself lies in `page/`; what is written here are its data. Every address in it is relative, and nothing comes
from another host: the folder can be put under any path of any static host.
"""

import collections
import json
import pathlib
import shutil
import urllib.parse
from collections.abc import Mapping

import tensorflow as tf

from akdg_tf import latents
from akdg_tf.errors import UserError
from akdg_tf.files import part_of, replace_folder, write_text
from akdg_tf.zoo import litert_js

PAGE = pathlib.Path(__file__).with_name("page")
PAGE_FILES = ("index.html", "gallery.css", "gallery.js", "live.js", "student.js", "icon.svg")
MARK = "window.GALLERY = "  # how data.js begins: what tells a gallery from a folder that is somebody's
LIVE_IMAGES = 16  # the first two rows of samples.png
COUNTS = ("layers", "params", "mult_adds", "file_size", "images_per_second")
NOT_DEFINING = ("value", "std", "splits", "seed")  # of a score's record: they vary from entry to entry


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
    output = output.absolute()  # `.` has no name to make a folder beside
    if output.exists() and not _is_gallery(output):
        raise UserError(f"{output} is there already and is not a gallery: name another folder, or remove it")
    entries = {path.parent.name: json.loads(path.read_text()) for path in sorted(zoo.glob("*/metrics.json"))}
    generators = {name: record for name, record in entries.items() if record.get("student")}
    if not generators:
        raise UserError(f"{zoo} holds no generators: no metrics.json with a 'student'")
    part = part_of(output)
    shutil.rmtree(part, ignore_errors=True)
    for folder in ("pictures", "models"):
        (part / folder).mkdir(parents=True)
    for name in PAGE_FILES:
        shutil.copy(PAGE / name, part)
    for name, record in generators.items():
        _copy(zoo / name, "samples.png", part / "pictures" / f"{name}.png")
        if record["teacher"]:
            _write_model(zoo / name, record, part / "models")
    litert_js.vendor(part / "litert")
    data = {
        "groups": groups(generators),
        "generators": [_row(name, record, part) for name, record in generators.items()],
        "definitions": definitions(generators),
        "classifiers": [_classifier(name, record) for name, record in entries.items() if "classifier" in record],
    }
    write_text(part / "data.js", f"{MARK}{json.dumps(data, indent=1)};\n")
    replace_folder(part, output)
    return output / "index.html"


def groups(generators: Mapping[str, dict]) -> list[dict]:
    """Teachers with their students.

    Args:
        generators: entry's name to its metrics.json. "teacher_name" is the teacher's entry; None for a teacher.

    Returns:
        A {"teacher": name, "students": [names]} for each teacher, both in the order of `generators`. A teacher that
        has no entry is named all the same; students of no named teacher come last, under None.
    """
    students = collections.defaultdict(list)
    for name, record in generators.items():
        if record.get("teacher"):
            students[record.get("teacher_name")].append(name)
    teachers = [name for name, record in generators.items() if not record.get("teacher")]
    absent = sorted((name for name in students if name not in teachers), key=lambda name: (name is None, name or ""))
    return [{"teacher": name, "students": students[name]} for name in teachers + absent]


def definitions(generators: Mapping[str, dict]) -> list[dict]:
    """What defines the scores: a {"metrics", "generators", "text"} for each different definition.

    Args:
        generators: entry's name to its metrics.json.
    """
    found = {}
    for name, record in generators.items():
        for metric, score in record["metrics"].items():
            parts = [f"{key} {_text(score[key])}" for key in score if key not in NOT_DEFINING]
            definition = found.setdefault(", ".join(parts), {"metrics": [], "generators": []})
            for key, value in (("metrics", metric), ("generators", name)):
                if value not in definition[key]:
                    definition[key].append(value)
    return [{**definition, "text": text} for text, definition in found.items()]


def _row(name: str, record: dict, part: pathlib.Path) -> dict:
    """A generator as the page shows it. Addresses are quoted: a name may hold what means something in one."""
    address, model = urllib.parse.quote(name), part / "models" / f"{name}.tflite"
    scores = {
        metric: {
            "value": record["over_seeds"][metric]["mean"],
            "spread": record["over_seeds"][metric]["stdev"],
            "seeds": record["over_seeds"][metric]["seeds"],
        }
        for metric in record["metrics"]
    }
    return {
        "name": name,
        "method": record["method"],
        **{key: record["student"].get(key) for key in COUNTS},
        "metrics": scores,
        "picture": f"pictures/{address}.png",
        "tflite_size": model.stat().st_size if model.exists() else None,
        "model": f"models/{address}.tflite" if model.exists() else None,
        "latents": f"models/{address}.json" if model.exists() else None,
    }


def _write_model(entry: pathlib.Path, record: dict, folder: pathlib.Path) -> None:
    """The student's model for the browser, and the latents of the first images of its samples.png."""
    model = _copy(entry, "model.tflite", folder / f"{entry.name}.tflite")
    model.write_bytes(litert_js.fixed_batch(model.read_bytes()))
    z = first_latents(record["student"]["latent_dim"], record["seed"])
    (folder / f"{entry.name}.json").write_text(json.dumps(z, separators=(",", ":")))


def first_latents(dim: int, seed: int) -> list[list[float]]:
    """The latents of a generator's first `LIVE_IMAGES` samples of the evaluation stream; see `latents.sample_batches`.

    Nine digits a number, which give back the same float32.
    """
    step = tf.constant(0, tf.int64)
    z = latents.draw("normal", latents.SAMPLING_BATCH, dim, (seed, latents.EVALUATION), step).numpy()
    return [[float(f"{value:.9g}") for value in row] for row in z[:LIVE_IMAGES]]


def _classifier(name: str, record: dict) -> str:
    """One line of what a classifier of the zoo gets right."""
    scores = (
        f"{metric} {_text(score['value'])} on {_text(score['n_real'])} images of {score['split']}"
        for metric, score in record["metrics"].items()
    )
    return f"{name}: {', '.join(scores)}"


def _copy(entry: pathlib.Path, name: str, target: pathlib.Path) -> pathlib.Path:
    if not (entry / name).is_file():
        raise UserError(f"{entry} has no {name}: publish it again")
    return pathlib.Path(shutil.copy(entry / name, target))


def _is_gallery(folder: pathlib.Path) -> bool:
    if not folder.is_dir():
        return False
    data = folder / "data.js"
    return not any(folder.iterdir()) or (data.is_file() and data.read_text().startswith(MARK))


def _text(value) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
