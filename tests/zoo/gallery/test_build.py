"""What the gallery is made of: groups, definitions, latents, LiteRT.js as it is pinned, and what `build` refuses."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from made_up_zoo import write_metrics

from akdg_tf import latents
from akdg_tf.artifacts.litert import litert_model
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator
from akdg_tf.zoo.card import definitions
from akdg_tf.zoo.entries import groups
from akdg_tf.zoo.gallery import build as gallery
from akdg_tf.zoo.gallery import litert_js

STUDENT = {"params": 1}


def score(value, **definition):
    return {"value": value, "std": 0.1, "seed": 0, "n_real": 9000, **definition}


def test_students_stand_with_their_teacher_and_none_is_lost(tmp_path):
    teachers = {"a": "big", "big": None, "b": "big", "lonely": None, "c": "not here", "d": "unnamed", "judge": None}
    found = []
    for name, teacher in teachers.items():
        changes = {"teacher": STUDENT, "teacher_name": None if teacher == "unnamed" else teacher} if teacher else {}
        changes |= {"classifier": {}} if name == "judge" else {}
        found.append(write_metrics(tmp_path / name, **changes))
    names = [(g.name, g.teacher and g.teacher.name, [entry.name for entry in g.students]) for g in groups(found)]
    assert names == [
        ("big", "big", ["a", "b"]),
        ("lonely", "lonely", []),
        ("not here", None, ["c"]),
        (None, None, ["d"]),
    ]


def test_scores_that_are_defined_alike_share_a_note(tmp_path):
    fid, kid = score(1.0, split="train"), score(2.0, split="train")
    found = [
        write_metrics(tmp_path / "a", metrics={"fid": fid, "kid": kid}),
        write_metrics(tmp_path / "b", metrics={"fid": score(3.0, split="test")}),
    ]
    assert definitions(found, less=("seed",)) == [
        {"metrics": ["fid", "kid"], "generators": ["a"], "text": "n_real 9,000, split train"},
        {"metrics": ["fid"], "generators": ["b"], "text": "n_real 9,000, split test"},
    ]


def test_the_first_latents_are_those_of_the_evaluation_stream_in_float32(tmp_path):
    drawn = []
    latents.sample(lambda z: drawn.append(z.numpy()) or z, "normal", 5, 64, seed=7)
    entry = write_metrics(tmp_path / "a", seed=7, student={"latent_dim": 5})
    z = json.loads(json.dumps(gallery.first_latents(entry)))
    assert np.array_equal(np.float32(z), drawn[0][:16])


def test_a_model_of_fixed_batch_draws_the_same():
    model = litert_model(DCGANGenerator(6, (16, 16, 1), (8, 6, 4)), (0, 1))
    z = tf.random.stateless_normal((1, 6), (0, 0)).numpy()
    plain, fixed = (Interpreter(model_content=content) for content in (model, litert_js.fixed_batch(model)))
    assert list(plain.get_input_details()[0]["shape_signature"]) == [-1, 6]
    assert list(fixed.get_input_details()[0]["shape_signature"]) == [1, 6]
    images = [one.get_signature_runner("generator")(z=z)["images"] for one in (plain, fixed)]
    assert images[0].shape == (1, 16, 16, 1) and np.array_equal(*images)


def test_the_page_names_no_other_host_and_allows_its_one_inline_script():
    for path in gallery.PAGE.glob("*.*"):
        addresses = set(re.findall(r"https?://[^\"' ]*", path.read_text())) - {"http://www.w3.org/2000/svg"}
        assert not addresses, path.name
    page = (gallery.PAGE / "index.html").read_text()
    (script,) = re.findall(r"<script[^>]*>([^<]+)</script>", page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}'" in page


def test_build_refuses_folders_that_are_not_galleries_and_leaves_them(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "index.html").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "hosted").mkdir()
    (tmp_path / "hosted" / "data.js").write_text(gallery.MARK)
    (tmp_path / "hosted" / "CNAME").write_text("mine")
    for name in ("photos", "file", "hosted"):
        with pytest.raises(UserError, match="is no gallery, or not one alone"):
            gallery.build(tmp_path, tmp_path / name)
    kept = ("photos/index.html", "file", "hosted/CNAME")
    assert [(tmp_path / name).read_text() for name in kept] == ["mine"] * 3


def test_build_refuses_what_is_not_a_whole_zoo(tmp_path):
    with pytest.raises(UserError, match="holds no generators"):
        gallery.build(tmp_path / "zoo", tmp_path / "gallery")
    write_metrics(tmp_path / "zoo" / "a", student=STUDENT, teacher=STUDENT)
    with pytest.raises(UserError, match=r"zoo/a is not an entry of a zoo: it holds no SHA256SUMS"):
        gallery.build(tmp_path / "zoo", tmp_path / "gallery")
    assert not (tmp_path / "gallery").exists()


@pytest.mark.parametrize(
    ("npm", "message"),
    [
        (None, "needs npm"),
        ("echo npm error code EAI_AGAIN >&2; exit 1", "could not fetch @litertjs/core@.*: npm error code EAI_AGAIN"),
        (f"echo else > litertjs-core-{litert_js.VERSION}.tgz", "not the pinned one"),
    ],
)
def test_without_the_pinned_runtime_there_is_one_clear_line(npm, message, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    if npm:
        (tmp_path / "bin" / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (tmp_path / "bin" / "npm").chmod(0o755)
    cache = tmp_path / "akdg_tf" / "npm" / f"litertjs-core-{litert_js.VERSION}.tgz"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"damaged")  # so that it is fetched again
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=message):
        litert_js.vendor(tmp_path / "litert")
    assert cache.read_bytes() == b"damaged"
