"""Making an entry of a run, and what is refused."""

import dataclasses
import json
import shlex
import shutil

import pytest
import tensorflow as tf
import tensorflow_hub as hub
from made_up_zoo import GIN, GIN_TEXT, made_up_network, made_up_score, random_mlp, write_run

from akdg_tf.artifacts.result import OverSeeds, Parent
from akdg_tf.cli.zoo import main
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.zoo import publish
from akdg_tf.zoo.entries import Entry
from akdg_tf.zoo.verify import verify

pytestmark = pytest.mark.usefixtures("folder_with_gin_files")


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
