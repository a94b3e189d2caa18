"""What the gallery is made of: rows, latents, LiteRT.js as it is pinned, and what `build` refuses."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from made_up_zoo import made_up_network, made_up_score, write_metrics

from akdg_tf import latents
from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.result import OverSeeds
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator
from akdg_tf.zoo.gallery import build as gallery
from akdg_tf.zoo.gallery import litert_js


def test_a_row_shows_means_over_seeds_and_unknown_counts_as_such(tmp_path):
    over = {"fid[c]": OverSeeds(2.0, 1.5, (1.0, 3.0), (0, 1))}
    scores = {"fid[c]": made_up_score(1.0), "kid[c]": made_up_score(4.0)}
    network = made_up_network("a", params=None, scores=scores)
    row = gallery._row(write_metrics(tmp_path / "a", network=network, over_seeds=over), tmp_path)
    assert row == {
        "name": "a",
        "method": "vanilla GAN",
        "layers": 2,
        "params": None,
        "mult_adds": 20,
        "file_size": 999,
        "images_per_second": 7,
        "metrics": {
            "fid[c]": {"value": 2.0, "spread": 1.5, "seeds": (0, 1)},
            "kid[c]": {"value": 4.0, "spread": None, "seeds": (0,)},
        },
        "unscored": False,
        "picture": "pictures/a.png",
        "tflite_size": None,
        "model": None,
        "classes": 0,
        "weights": None,
        "latents": None,
    }


def test_a_row_of_an_entry_without_scores_is_marked(tmp_path):
    network = made_up_network("a", scores={})
    row = gallery._row(write_metrics(tmp_path / "a", network=network, unscored=True), tmp_path)
    assert (row["unscored"], row["metrics"]) == (True, {})


def test_the_first_latents_are_those_of_the_evaluation_stream_in_float32(tmp_path):
    drawn = []
    latents.sample(lambda z: drawn.append(z.numpy()) or z, "normal", 5, 64, seed=7)
    entry = write_metrics(tmp_path / "a", seed=7, network=made_up_network("a", latent_dim=5))
    z = json.loads(json.dumps(gallery.first_latents(entry)))
    assert np.array_equal(np.float32(z), drawn[0][:16])


def test_a_latent_without_a_size_is_said_in_one_line(tmp_path):
    entry = write_metrics(tmp_path / "a", network=made_up_network("a", latent_dim=None))
    with pytest.raises(UserError, match=r"a/metrics\.json has no latent_dim"):
        gallery.first_latents(entry)


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
    (tmp_path / "deep" / "pictures").mkdir(parents=True)
    (tmp_path / "deep" / "data.js").write_text(gallery.MARK)
    (tmp_path / "deep" / "pictures" / "notes.txt").write_text("mine")
    for name in ("photos", "file", "hosted", "deep"):
        with pytest.raises(UserError, match="exists and holds something other than a gallery"):
            gallery.build(tmp_path, tmp_path / name)
    kept = ("photos/index.html", "file", "hosted/CNAME", "deep/pictures/notes.txt")
    assert [(tmp_path / name).read_text() for name in kept] == ["mine"] * 4


def test_build_refuses_what_is_not_a_whole_zoo(tmp_path):
    with pytest.raises(UserError, match="holds no generators"):
        gallery.build(tmp_path / "zoo", tmp_path / "gallery")
    write_metrics(tmp_path / "zoo" / "a")
    with pytest.raises(UserError, match=r"zoo/a is not an entry of a zoo: it holds no SHA256SUMS"):
        gallery.build(tmp_path / "zoo", tmp_path / "gallery")
    assert not (tmp_path / "gallery").exists()


@pytest.mark.parametrize(
    ("npm", "message"),
    [
        (None, "needs npm"),
        ("echo npm error code EAI_AGAIN >&2; exit 1", "could not fetch @litertjs/core@.*: npm error code EAI_AGAIN"),
        (f"echo else > litertjs-core-{litert_js.VERSION}.tgz", "has another SHA-512 than the pinned one"),
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
