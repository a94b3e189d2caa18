"""Making an entry of a run, what is refused, and what `verify` finds out."""

import dataclasses
import json
import pathlib
import re
import shlex
import shutil

import pytest
import tensorflow as tf
import tensorflow_hub as hub
from made_up_zoo import (
    GIN,
    GIN_TEXT,
    change_metrics,
    made_up_network,
    made_up_score,
    random_mlp,
    write_run,
    write_zoo,
)
from PIL import Image

from akdg_tf.artifacts import result as results
from akdg_tf.artifacts.result import OverSeeds, Parent
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
    (tmp_path / "gin" / "x.gin").write_text(GIN_TEXT)


def test_publish_reports_every_seed_and_says_what_the_entry_is(tmp_path):
    runs = [
        write_run(tmp_path / f"run{k}", random_mlp(k), seed=k, value=value) for k, value in enumerate((1.0, 2.0, 6.0))
    ]
    entry = publish.publish(runs)
    row = entry.result.over_seeds["fid[c]"]
    assert row == OverSeeds(3.0, pytest.approx(7**0.5), (1.0, 2.0, 6.0), (0, 1, 2))
    text = (entry.folder / "card.md").read_text()
    assert "distilled from t by Adversarial Knowledge Distillation" in text
    assert "`python run.py --gin_file=gin/x.gin --seed=0`" in text and "3 ± 2.6 (seed 0: 1, 1: 2, 2: 6)" in text
    assert (
        "n_real 9, n_fake 9, classifier c, dataset d, split s" in text and "Apache-2.0" in text and "## Limits" in text
    )
    assert hub.load(str(entry.folder))(tf.zeros((2, 4))).shape == (2, 8, 8, 1)
    for name, record in (("model.tflite", entry.result.litert), ("model.onnx", entry.result.onnx)):
        assert (record.weights, record.samples) == ("float32", 64) and record.max_difference < 1e-6
        assert record.file_size == (entry.folder / name).stat().st_size
        assert f"`{name}`: {record.file_size:,} bytes, weights in float32; its images differ from the" in text
    assert entry.result.network.name == "x"  # whatever the run folder was called
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
    with pytest.raises(UserError, match="a different zoo/x exists already: --overwrite replaces it"):
        publish.publish([other])
    assert Entry(entry.folder).result.network.scores["fid[c]"].value == 1.0
    assert [path.name for path in (tmp_path / "zoo").iterdir() if path.is_dir()] == ["x"]
    publish.publish([other], overwrite=True)
    assert Entry(entry.folder).result.network.scores["fid[c]"].value == 2.0


def test_publish_refuses_what_its_command_would_not_make(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    with pytest.raises(UserError, match="same seed"):
        publish.publish([run, run])
    dirty = write_run(tmp_path / "dirty", random_mlp(), seed=3, gin_text=GIN.format(generator="@DCGANGenerator()"))
    with pytest.raises(UserError, match="differ in experiment, steps, dtype policy or configuration"):
        publish.publish([run, dirty])
    with pytest.raises(UserError, match=r"not made by gin/x\.gin as they are now"):
        publish.publish([dirty])
    other = {"gin_params": ("GeneratorExperiment.generator=@SNGANGenerator()",)}
    with pytest.raises(UserError, match=r"not made by gin/x\.gin and --gin_param GeneratorExperiment.generator=@SNGAN"):
        publish.publish([write_run(tmp_path / "another", random_mlp(), gin_text=GIN_TEXT, **other)])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"smoke": True}, "smoke run"),
        ({"network": dataclasses.asdict(made_up_network("x", scores={}))}, "has no scores"),
        ({"seed": None}, "result.json: the field seed must be an integer"),
        ({"experiment": "../x"}, "is not the name of an entry"),
        ({"command": "python run.py 'x"}, "the command of x is not valid shell syntax"),
    ],
)
def test_publish_refuses_runs_that_are_not_to_be_shown(tmp_path, change, says):
    with pytest.raises(UserError, match=r"is not a finished run: it lacks result\.json"):
        publish.publish([tmp_path])
    run = write_run(tmp_path / "run", random_mlp())
    result = json.loads((run / "result.json").read_text()) | change
    write_json(run / "result.json", result)
    with pytest.raises(UserError, match=says):
        publish.publish([run])
    assert not (tmp_path / "zoo").exists()
    (run / "result.json").write_text("{")
    with pytest.raises(UserError, match=r"result\.json is missing or damaged"):
        publish.publish([run])


NONE = "GeneratorExperiment.evaluations = {}\n"


def write_unscored_run(folder, seed=0, evaluations=NONE):
    """A run whose result is marked as unscored; it was made by gin/x.gin, which is written anew."""
    gin_text = GIN_TEXT + evaluations
    pathlib.Path("gin", "x.gin").write_text(gin_text)
    run = write_run(folder, random_mlp(seed), seed=seed, gin_text=gin_text)
    result = results.read_run(run)
    networks = (dataclasses.replace(each, scores={}) for each in (result.network, result.teacher))
    marked = dict(zip(("network", "teacher"), networks, strict=True), unscored=True)
    write_json(run / "result.json", dataclasses.replace(result, **marked).to_json())
    return run


def test_a_run_that_binds_no_evaluations_is_published_as_unscored(tmp_path):
    entry = publish.publish([write_unscored_run(tmp_path / "run")])
    assert json.loads((entry.folder / "metrics.json").read_text())["unscored"] is True
    assert "\n- **unscored**: " in (entry.folder / "card.md").read_text()
    assert "[x](x/card.md) | AKDG, unscored |" in (entry.folder.parent / "README.md").read_text()
    assert verify(entry, metrics=True)["metrics"] == "unscored: its configuration binds no evaluations"
    main(["verify"])


@pytest.mark.parametrize("evaluations", ["", "GeneratorExperiment.evaluations = {'scores': @ImageScores()}\n"])
def test_a_run_that_is_marked_as_unscored_but_binds_evaluations_is_refused(evaluations, tmp_path):
    run = write_unscored_run(tmp_path / "run", evaluations=evaluations)
    with pytest.raises(UserError, match=r"run has no scores: run its command with --stage=evaluate$"):
        publish.publish([run])
    assert not (tmp_path / "zoo").exists()


def test_a_macro_may_bind_no_evaluations(tmp_path):
    macro = "GeneratorExperiment.evaluations = %SCORES\nSCORES = {}\n"
    assert publish.publish([write_unscored_run(tmp_path / "run", evaluations=macro)]).result.unscored


def test_of_several_runs_without_scores_the_first_is_published(tmp_path, caplog):
    runs = [write_unscored_run(tmp_path / f"run{seed}", seed) for seed in (0, 1)]
    entry = publish.publish(runs)
    assert (entry.result.seed, entry.result.over_seeds) == (0, {})
    assert [message for message in caplog.messages if "these runs have no scores" in message] == [
        f"these runs have no scores: only {runs[0]} is published, the others add nothing"
    ]
    assert "seeds" not in (entry.folder / "card.md").read_text()


def test_runs_with_and_without_scores_are_not_published_together(tmp_path):
    scored = write_run(tmp_path / "scored", random_mlp(), seed=1)
    with pytest.raises(UserError, match="these runs differ in experiment, steps, dtype policy or configuration"):
        publish.publish([write_unscored_run(tmp_path / "run"), scored])


GIVEN = "load_teacher.name='/secret/place/t/saved_model'"


def test_publish_takes_a_run_with_gin_params_and_shows_no_path_of_this_machine(tmp_path):
    gin_file = tmp_path / "my files" / "mine.gin"
    gin_file.parent.mkdir()
    gin_file.write_text(GIN_TEXT + "GeneratorExperiment.teacher = @load_teacher\n")
    words = ["python", "run.py", f"--gin_file={gin_file}", f"--gin_param={GIVEN}", "--seed=0"]
    given = {"gin_files": (str(gin_file),), "gin_params": (GIVEN,), "command": shlex.join(words)}
    entry = publish.publish(
        [write_run(tmp_path / "run", random_mlp(), gin_text=f"{gin_file.read_text()}{GIVEN}\n", **given)]
    )
    assert (entry.result.gin_files, entry.result.gin_params) == (("mine.gin",), ("load_teacher.name='t'",))
    words = [words[0], words[1], "--gin_file=mine.gin", "--gin_param=load_teacher.name='t'", "--seed=0"]
    assert shlex.split(entry.result.command) == words
    text = (entry.folder / "card.md").read_text()
    assert f"- command: `{shlex.join(words)}`\n- gin file `mine.gin`: see [config.gin](config.gin)," in text
    assert "load_teacher.name='t'" in (entry.folder / "config.gin").read_text()
    written = [path.read_bytes() for path in entry.folder.rglob("*") if path.is_file()]
    assert not [content for content in written if b"secret" in content or str(tmp_path).encode() in content]


def test_the_cards_of_students_link_to_their_teacher_as_soon_as_it_is_published(tmp_path):
    student = publish.publish([write_run(tmp_path / "run", random_mlp())])
    assert "distilled from t by" in (student.folder / "card.md").read_text()
    (tmp_path / "gin" / "t.gin").write_text(GIN_TEXT)
    publish.publish([write_run(tmp_path / "teacher", random_mlp(), "t", None, gin_files=("gin/t.gin",))])
    assert "distilled from [t](../t/card.md) by" in (student.folder / "card.md").read_text()
    main(["verify"])
    shutil.rmtree(tmp_path / "zoo" / "t")
    with pytest.raises(UserError, match=r"card\.md does not fit metrics\.json in this zoo: akdg zoo cards"):
        verify(Entry(student.folder))


def test_publish_keeps_what_a_run_comes_from(tmp_path):
    parents = (Parent("teacher", "t", "ab", None, (Parent("init_from", "u", None, 2000),)),)
    run = write_run(tmp_path / "run", random_mlp(), parents=parents, data_digest="cd")
    entry = publish.publish([run])
    assert (entry.result.parents, entry.result.data_digest) == (parents, "cd")


def test_a_score_that_other_seeds_lack_is_of_those_that_have_it(tmp_path):
    scores = [(seed, {"fid[c]": made_up_score(1.0)}) for seed in (0, 1)]
    scores[0][1]["kid[c]"] = made_up_score(5.0)
    table = publish.over_seeds(scores)
    assert (table["fid[c]"].seeds, table["kid[c]"]) == ((0, 1), OverSeeds(5.0, None, (5.0,), (0,)))


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


def remove_the_scores(entry, other):
    network = dataclasses.asdict(dataclasses.replace(entry.result.network, scores={}))
    change_metrics(entry, network=network, over_seeds={}, unscored=True)
    reseal(entry)


def configure_nonsense(entry, other):
    (entry.folder / "config.gin").write_text("nonsense\n")
    reseal(entry)


def write_no_object(entry, other):
    (entry.folder / "metrics.json").write_text("5")
    checksums.seal(entry.folder)


def claim_fewer_params(entry, other):
    change_metrics(entry, network=dataclasses.asdict(dataclasses.replace(entry.result.network, params=1)))
    reseal(entry)


def claim_a_cheaper_teacher(entry, other):
    change_metrics(entry, teacher=dataclasses.asdict(dataclasses.replace(entry.result.teacher, mult_adds=1)))
    reseal(entry)


def claim_a_smaller_file(entry, other):
    change_metrics(entry, network=dataclasses.asdict(dataclasses.replace(entry.result.network, file_size=1)))
    reseal(entry)


def claim_a_smaller_zip(entry, other):
    change_metrics(entry, network=dataclasses.asdict(dataclasses.replace(entry.result.network, compressed_size=1)))
    reseal(entry)


def claim_other_weights(entry, other):
    change_metrics(entry, litert=dataclasses.asdict(dataclasses.replace(entry.result.litert, weights="int8")))
    reseal(entry)


def forget_the_seed(entry, other):
    change_metrics(entry, seed=None)
    checksums.seal(entry.folder)


def take_the_others_name(entry, other):
    change_metrics(entry, experiment="y")
    checksums.seal(entry.folder)


def become_the_other_entry(entry, other):
    shutil.rmtree(entry.folder)
    shutil.copytree(other.folder, entry.folder, symlinks=True)


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


def exchange_the_onnx_model(entry, other):
    shutil.copy(other.folder / "model.onnx", entry.folder / "model.onnx")
    reseal(entry)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit_card, "card.md was changed"),
        (add_file, "saved_model/more.txt is not listed in SHA256SUMS"),
        (remove_file, "config.gin is missing"),
        (write_a_wrong_card, "card.md does not fit metrics.json"),
        (exchange_what_the_folder_itself_loads, "x/saved_model.pb must be a link to saved_model/saved_model.pb"),
        (remove_the_litert_model, "x is not a correct entry of a student: it lacks model.tflite"),
        (link_to_a_file_elsewhere, "card.md was changed|card.md is not listed in SHA256SUMS, or is a link"),
        (forget_the_seed, "x/metrics.json: the field seed must be an integer"),
        (take_the_others_name, "x/metrics.json belongs to the entry 'y', but its folder is 'x'"),
        (become_the_other_entry, "x/metrics.json belongs to the entry 'y', but its folder is 'x'"),
        (write_no_object, "x/metrics.json is damaged: it must hold a JSON object"),
        (remove_the_scores, "metrics.json marks it as unscored, but its config.gin binds evaluations"),
        (configure_nonsense, "x/config.gin:1: Couldn.t parse statement"),
        (break_the_saved_model, "cannot be loaded: it is damaged"),
        (cut_the_variables_short, "cannot be loaded: it is damaged"),
        (claim_fewer_params, r"zoo/x: params is \d+, not 1"),
        (claim_a_cheaper_teacher, r"the teacher's mult_adds is \d+, not 1"),
        (claim_a_smaller_file, r"file_size is \d+, not 1"),
        (claim_a_smaller_zip, r"compressed_size is \d+, not 1"),
        (claim_other_weights, "the weights of model.tflite are in float32, not in int8"),
        (show_better_samples, "samples.png is not what the generator draws: 2 gray levels apart|254 gray levels"),
        (exchange_the_litert_model, r"model.tflite differs from m\(z\) by"),
        (exchange_the_onnx_model, r"model.onnx differs from m\(z\) by"),
    ],
)
def test_verify_finds_what_was_changed(made_zoo, tmp_path, change, says, capsys):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    x, y = Entry(tmp_path / "zoo" / "x"), Entry(tmp_path / "zoo" / "y")
    change(x, y)
    with pytest.raises(SystemExit, match="2"):
        main(["verify", "x"])
    printed = capsys.readouterr()
    assert re.search(f"x: FAILED: .*({says})", printed.out), printed.out
    assert printed.err == "akdg zoo: 1 of 1 entries failed: see the lines with FAILED\n"


def test_verify_goes_on_after_an_entry_that_fails(made_zoo, tmp_path, capsys):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    x = Entry(tmp_path / "zoo" / "x")
    assert verify(x)["counts"].startswith(f"{x.result.network.params} params")
    edit_card(x, None)
    with pytest.raises(SystemExit, match="2"):
        main(["verify"])
    printed = capsys.readouterr()
    assert "x: FAILED: " in printed.out and "y: checksums" in printed.out
    assert printed.err == "akdg zoo: 1 of 3 entries failed: see the lines with FAILED\n"


def test_what_is_being_made_is_no_entry(made_zoo, tmp_path):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    (tmp_path / "zoo" / "x").rename(tmp_path / "zoo" / "x.part")
    assert [entry.folder.name for entry in entries(tmp_path / "zoo")] == ["t", "y"]
