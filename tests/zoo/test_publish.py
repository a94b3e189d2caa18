"""Making an entry of a run, what is refused, and what `verify` finds out."""

import json
import re
import shutil

import pytest
import tensorflow as tf
import tensorflow_hub as hub
from made_up_zoo import GIN, random_mlp, write_run, write_zoo
from PIL import Image

from akdg_tf.cli.zoo import main
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.zoo import card, checksums, publish
from akdg_tf.zoo.entries import Entry, entries
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
    assert "distilled from [t](../t/card.md) by Adversarial Knowledge Distillation" in text
    assert "`python run.py --gin_file=gin/x.gin --seed=0`" in text and "3 ± 2.6 (seed 0: 1, 1: 2, 2: 6)" in text
    assert "n_real 9, n_fake 9, classifier c, split s" in text and "Apache-2.0" in text and "## Limits" in text
    assert hub.load(str(entry.folder))(tf.zeros((2, 4))).shape == (2, 8, 8, 1)
    assert entry.metrics["litert"]["weights"] == "float32" and entry.metrics["litert"]["max_difference"] < 1e-6
    assert str(tmp_path) not in (entry.folder / "metrics.json").read_text()
    assert "[x](x/card.md) | AKDG |" in (entry.folder.parent / "README.md").read_text()
    assert verify(entry)["samples"] == "redrawn, at most 0 of 255 gray levels apart"


def test_publish_and_cards_touch_nothing_that_is_no_zoo(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    (tmp_path / "README.md").write_text("mine")
    for command in (["publish", "--zoo", ".", "run"], ["cards", "--zoo", "."], ["cards", "--zoo", "empty"]):
        with pytest.raises(SystemExit, match="2"):
            main(command)
    assert (tmp_path / "README.md").read_text() == "mine" and not (tmp_path / "x").exists()
    (tmp_path / "zoo" / "x").mkdir(parents=True)
    (tmp_path / "zoo" / "x" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="zoo/x is not an entry of a zoo"):
        publish.publish([run], overwrite=True)
    assert (tmp_path / "zoo" / "x" / "thesis.txt").read_text() == "mine"
    assert [path.name for path in (tmp_path / "zoo").iterdir()] == ["x"]


def test_cards_are_written_anew_but_of_no_changed_entry(made_zoo, tmp_path):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    entry = Entry(tmp_path / "zoo" / "x")
    (entry.folder / "card.md").write_text("an older wording")
    checksums.seal(entry.folder)
    (tmp_path / "zoo" / "README.md").write_text("# The zoo, in an older wording")
    main(["cards"])
    main(["verify"])
    edit_card(entry, entry)
    with pytest.raises(SystemExit, match="2"):
        main(["cards"])


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
        ({"seed": None, "steps": None}, "result.json lacks seed, steps"),
        ({"experiment": "../x"}, "is not the name of an entry"),
    ],
)
def test_publish_refuses_runs_that_are_not_to_be_shown(tmp_path, change, says):
    with pytest.raises(UserError, match="not a finished run"):
        publish.publish([tmp_path])
    run = write_run(tmp_path / "run", random_mlp())
    result = json.loads((run / "result.json").read_text()) | change
    write_json(run / "result.json", {key: value for key, value in result.items() if value is not None})
    with pytest.raises(UserError, match=says):
        publish.publish([run])
    assert not (tmp_path / "zoo").exists()
    (run / "result.json").write_text("{")
    with pytest.raises(UserError, match=r"holds no sound result\.json"):
        publish.publish([run])


def reseal(entry):
    """Makes card and checksums fit what was changed, so that only the change itself can be found."""
    (entry.folder / "card.md").write_text(card.card(Entry(entry.folder)))
    checksums.seal(entry.folder)


def edit_card(entry, other):
    (entry.folder / "card.md").write_text("The best generator there is.\n")


def add_file(entry, other):
    (entry.folder / "saved_model" / "more.txt").write_text("more")


def remove_file(entry, other):
    (entry.folder / "config.gin").unlink()


def write_a_wrong_card(entry, other):
    with (entry.folder / "card.md").open("a") as file:
        file.write("Its licence is another one.\n")
    checksums.seal(entry.folder)


def exchange_what_the_folder_itself_loads(entry, other):
    (entry.folder / "saved_model.pb").unlink()
    shutil.copy(other.folder / "saved_model" / "saved_model.pb", entry.folder)


def remove_the_litert_model(entry, other):
    (entry.folder / "model.tflite").unlink()
    reseal(entry)


def link_to_a_file_elsewhere(entry, other):
    (entry.folder / "card.md").unlink()
    (entry.folder / "card.md").symlink_to(other.folder / "card.md")


def cut_the_variables_short(entry, other):
    for path in (entry.folder / "saved_model" / "variables").glob("variables.data*"):
        path.write_bytes(path.read_bytes()[:10])
    reseal(entry)


def configure_nonsense(entry, other):
    (entry.folder / "config.gin").write_text("nonsense\n")
    reseal(entry)


def write_no_object(entry, other):
    (entry.folder / "metrics.json").write_text("5")


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
        (write_a_wrong_card, "card.md is not what metrics.json makes"),
        (exchange_what_the_folder_itself_loads, "x/saved_model.pb must be a link to saved_model/saved_model.pb"),
        (remove_the_litert_model, "lacks model.tflite"),
        (link_to_a_file_elsewhere, "card.md was changed|card.md is not listed in SHA256SUMS, or is a link"),
        (forget_the_seed, "metrics.json lacks seed|metrics.json was changed"),
        (write_no_object, "metrics.json holds no JSON object|metrics.json was changed"),
        (configure_nonsense, "config.gin:1: Couldn.t parse statement"),
        (break_the_saved_model, "cannot be loaded: it is damaged"),
        (cut_the_variables_short, "cannot be loaded: it is damaged"),
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
