"""Making an entry of a run, what is refused, and what `verify` finds out."""

import json
import re
import shutil

import pytest
import tensorflow as tf
import tensorflow_hub as hub
from made_up_zoo import GIN, random_mlp, write_run, write_zoo
from PIL import Image

from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.zoo import card, publish
from akdg_tf.zoo.__main__ import main
from akdg_tf.zoo.entries import LINKS, Entry, entries
from akdg_tf.zoo.verify import verify


@pytest.fixture(scope="module")
def made_zoo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "zoo"
    write_zoo(folder, {"t": random_mlp(1), "x": random_mlp(2), "y": random_mlp(3)}, teacher="t")
    return folder


@pytest.fixture(autouse=True)
def _folder_with_gin_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gin").mkdir()
    (tmp_path / "gin" / "x.gin").write_text(GIN.format(steps=7))


def test_publish_reports_every_seed_and_says_what_the_entry_is(tmp_path):
    runs = [
        write_run(tmp_path / f"run{k}", random_mlp(k), seed=k, value=value) for k, value in enumerate((1.0, 2.0, 6.0))
    ]
    entry = publish.publish(runs)
    row = entry.metrics["over_seeds"]["fid[c]"]
    assert row == {"mean": 3.0, "stdev": pytest.approx(7**0.5), "values": [1.0, 2.0, 6.0], "seeds": [0, 1, 2]}
    text = (entry.folder / "card.md").read_text()
    assert "distilled from `t` by Adversarial Knowledge Distillation" in text
    assert "`python run.py --gin_file=gin/x.gin --seed=0`" in text and "3 ± 2.6 (seed 0: 1, 1: 2, 2: 6)" in text
    assert "n_real 9, n_fake 9, classifier c, split s" in text and "Apache-2.0" in text and "## Limits" in text
    assert hub.load(str(entry.folder))(tf.zeros((2, 4))).shape == (2, 8, 8, 1)
    assert entry.metrics["litert"]["weights"] == "float32" and entry.metrics["litert"]["max_difference"] < 1e-6
    assert str(tmp_path) not in (entry.folder / "metrics.json").read_text()
    assert "[x](x/card.md) | AKDG |" in (entry.folder.parent / "README.md").read_text()
    assert verify(entry)["samples"] == "redrawn, at most 0 of 255 gray levels apart"


def test_publish_never_replaces_a_different_entry_unasked(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    entry = publish.publish([run])
    publish.publish([run])  # the same: nothing to ask
    other = write_run(tmp_path / "other", random_mlp(), value=2.0)
    with pytest.raises(UserError, match="a different zoo/x is there already: --overwrite replaces it"):
        publish.publish([other])
    assert json.loads((entry.folder / "metrics.json").read_text())["metrics"]["fid[c]"]["value"] == 1.0
    assert [path.name for path in (tmp_path / "zoo").iterdir() if path.is_dir()] == ["x"]
    publish.publish([other], overwrite=True)
    assert json.loads((entry.folder / "metrics.json").read_text())["metrics"]["fid[c]"]["value"] == 2.0


def test_publish_refuses_what_its_command_would_not_make(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    with pytest.raises(UserError, match="same seed"):
        publish.publish([run, run])
    dirty = write_run(tmp_path / "dirty", random_mlp(), seed=3, gin_text=GIN.format(steps=8))
    with pytest.raises(UserError, match="not of one experiment and configuration"):
        publish.publish([run, dirty])
    with pytest.raises(UserError, match=r"not made by gin/x\.gin as they are"):
        publish.publish([dirty])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"smoke": True}, "smoke run"),
        ({"metrics": {}}, "has no metrics"),
        ({"experiment": "../x"}, "is not the name of an entry"),
    ],
)
def test_publish_refuses_runs_that_are_not_to_be_shown(tmp_path, change, says):
    with pytest.raises(UserError, match="not a finished run"):
        publish.publish([tmp_path])
    run = write_run(tmp_path / "run", random_mlp())
    write_json(run / "result.json", json.loads((run / "result.json").read_text()) | change)
    with pytest.raises(UserError, match=says):
        publish.publish([run])
    assert not (tmp_path / "zoo").exists()


def reseal(entry):
    """Makes checksums and card fit what was changed, so that only the change itself can be found."""
    for name in LINKS:
        (entry.folder / name).unlink()
    (entry.folder / "card.md").write_text(card.card(Entry(entry.folder)))
    entry.write_sums()


def edit_card(entry, other):
    (entry.folder / "card.md").write_text("The best generator there is.\n")


def add_file(entry, other):
    (entry.folder / "saved_model" / "more.txt").write_text("more")


def remove_file(entry, other):
    (entry.folder / "config.gin").unlink()


def write_a_wrong_card(entry, other):
    reseal(entry)
    edit_card(entry, other)
    for name in LINKS:
        (entry.folder / name).unlink()
    entry.write_sums()


def claim_fewer_params(entry, other):
    metrics = json.loads((entry.folder / "metrics.json").read_text())
    metrics["student"]["params"] = 1
    write_json(entry.folder / "metrics.json", metrics)
    reseal(entry)


def forget_the_seed(entry, other):
    metrics = json.loads((entry.folder / "metrics.json").read_text())
    del metrics["seed"]
    write_json(entry.folder / "metrics.json", metrics)


def break_the_saved_model(entry, other):
    (entry.folder / "saved_model" / "saved_model.pb").write_bytes(b"broken")
    reseal(entry)


def show_better_samples(entry, other):
    picture = Image.open(entry.folder / "samples.png")
    picture.putpixel((3, 5), tuple((value + 2) % 256 for value in picture.getpixel((3, 5))))
    picture.save(entry.folder / "samples.png")
    reseal(entry)


def exchange_the_litert_model(entry, other):
    shutil.copy(other.folder / "model.tflite", entry.folder / "model.tflite")
    reseal(entry)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit_card, "card.md was changed"),
        (add_file, "saved_model/more.txt is not listed in SHA256SUMS"),
        (remove_file, "config.gin is missing"),
        (write_a_wrong_card, "card.md does not say what metrics.json does: python run.py"),
        (forget_the_seed, "metrics.json lacks seed"),
        (break_the_saved_model, "Cannot parse file"),
        (claim_fewer_params, r"params is \d+, not 1"),
        (show_better_samples, "samples.png is not what the generator draws: 2 gray levels apart|254 gray levels"),
        (exchange_the_litert_model, r"model.tflite differs from m\(z\) by"),
    ],
)
def test_verify_finds_what_was_changed(made_zoo, tmp_path, change, says, capsys):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    x, y = Entry(tmp_path / "zoo" / "x"), Entry(tmp_path / "zoo" / "y")
    assert verify(x)["counts"].startswith(f"{x.network['params']} params")
    change(x, y)
    with pytest.raises(SystemExit, match="2"):
        main(["verify"])
    printed = capsys.readouterr()
    assert re.search(f"x: FAILED: .*({says})", printed.out), printed.out
    assert "y: checksums" in printed.out and printed.err == "zoo: 1 of 3 entries failed\n"


def test_what_is_being_made_is_no_entry(made_zoo, tmp_path):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    (tmp_path / "zoo" / "x").rename(tmp_path / "zoo" / "x.part")
    assert [entry.folder.name for entry in entries(tmp_path / "zoo")] == ["t", "y"]
