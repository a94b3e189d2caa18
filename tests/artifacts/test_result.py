"""A result is what was written, or one line that names what is wrong with it."""

import dataclasses
import json

import pytest
from made_up_zoo import made_up_network, made_up_origin, made_up_result, made_up_score

from akdg_tf.artifacts import result as results
from akdg_tf.artifacts.result import ExportedModel, OverSeeds, Parent, Result
from akdg_tf.errors import UserError
from akdg_tf.files import write_json

WHOLE = made_up_result(
    "x",
    teacher=made_up_network("t"),
    parents=(Parent("teacher", "t", "ab", None, (Parent("init_from", "u", None, 2000),)),),
    gin_params=("A.b='c'",),
    over_seeds={"fid[c]": OverSeeds(1.5, 0.7, (1, 2.0), (0, 1))},
    litert=ExportedModel(9, "float32", 64, 1e-7),
    onnx=ExportedModel(8, "float16", 64, 1e-3),
)


def as_json(**changes):
    """A whole result as parsed JSON, with other fields."""
    return json.loads(json.dumps(WHOLE.to_json())) | changes


def refusal(found):
    """What is said of a result that is not taken, one line."""
    with pytest.raises(UserError) as caught:
        results.from_json(found, "runs/x/result.json")
    text = str(caught.value)
    assert text.startswith("runs/x/result.json") and len(text) < 300 and text.isprintable()
    return text.removeprefix("runs/x/result.json").lstrip(": ")


def test_a_result_of_an_older_version_has_no_compressed_size():
    older = {name: value for name, value in as_json()["network"].items() if name != "compressed_size"}
    assert results.from_json(as_json(network=older), "x").network.compressed_size is None


def test_what_was_written_comes_back(tmp_path):
    write_json(tmp_path / "result.json", WHOLE.to_json())
    assert results.read_run(tmp_path) == WHOLE
    assert results.from_json(WHOLE.to_json(), "x") == WHOLE


def test_a_score_says_what_defines_it_and_its_evaluation_where_that_has_a_name():
    score = WHOLE.network.scores["fid[c]"]
    assert score.definition() == {
        "n_real": 9,
        "n_fake": 9,
        "classifier": "c",
        "dataset": "d",
        "split": "s",
        "resize": "none",
        "seed": 0,
    }
    named = dataclasses.replace(score, splits=10, std=0.5, evaluation="test images").definition()
    assert named == score.definition() | {"splits": 10, "evaluation": "test images"}


def test_the_origin_belongs_to_the_method_converted_alone(tmp_path):
    origin = made_up_origin()
    whole = made_up_result("x", kind="classifier", method="converted", origin=origin)
    write_json(tmp_path / "metrics.json", whole.to_json())
    assert results.read(tmp_path / "metrics.json") == whole
    without = {key: value for key, value in as_json().items() if key != "origin"}
    assert results.from_json(without, "x") == WHOLE  # as it was written before there was the field
    says = "the field origin must be set for the method converted, and be null for others"
    assert refusal(as_json(method="converted")) == says
    assert refusal(as_json(origin=dataclasses.asdict(origin))) == says


def test_the_score_of_a_single_run_stands_for_its_seed():
    alone = dataclasses.replace(WHOLE, over_seeds={})
    assert WHOLE.scores_over_seeds() == WHOLE.over_seeds
    assert alone.scores_over_seeds() == {"fid[c]": OverSeeds(1.0, None, (1.0,), (0,))}


def test_the_scores_of_a_quantized_file_are_its_own_over_the_seeds():
    own = ExportedModel(9, "int8", 64, 1e-2, 1e-3, {"fid[c]": made_up_score(3.0)})
    seeds = {"fid[c]": OverSeeds(4.0, 1.0, (3.0, 5.0), (0, 1))}
    alone = {"fid[c]": OverSeeds(3.0, None, (3.0,), (0,))}
    assert WHOLE.scores_of_file() == WHOLE.over_seeds  # its weights are float32
    assert dataclasses.replace(WHOLE, litert=own).scores_of_file() == alone
    assert dataclasses.replace(WHOLE, litert=dataclasses.replace(own, scores={})).scores_of_file() == {}  # unknown
    published = dataclasses.replace(own, over_seeds=seeds)
    assert dataclasses.replace(WHOLE, litert=published).scores_of_file() == seeds


UNNEEDED = ("schema", "over_seeds", "litert", "origin", "dtype_policy", "unscored", "onnx", "changes")
NEEDED = [field.name for field in dataclasses.fields(Result) if field.name not in UNNEEDED]


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_field_is_named(name):
    found = as_json()
    del found[name]
    assert refusal(found) == f"the field {name} is missing"


def test_what_has_a_default_may_be_missing():
    found = as_json()
    del (
        found["over_seeds"],
        found["litert"],
        found["onnx"],
        found["network"]["latent_dim"],
        found["parents"][0]["digest"],
    )
    read = results.from_json(found, "x")
    assert (read.over_seeds, read.litert, read.onnx, read.network.latent_dim) == ({}, None, None, None)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Result) if field.name != "schema"])
def test_an_ill_typed_field_is_named(name):
    for value in (object(), 1j, b"bytes", [[1]], {"a": [1]}):
        assert f" {name}" in refusal(as_json(**{name: value})).replace("'", "")


def test_a_result_is_marked_as_unscored_only_without_scores():
    without = dataclasses.asdict(dataclasses.replace(WHOLE.network, scores={}))
    assert results.from_json(as_json(network=without, over_seeds={}, unscored=True), "x").unscored
    assert not results.from_json(as_json(network=without, over_seeds={}), "x").unscored
    for found in (as_json(unscored=True), as_json(network=without, unscored=True)):
        assert refusal(found) == "the field unscored must be false for a result with scores"


def inside(path, value):
    """A whole result with another value deep within."""
    found = as_json()
    *way, last = path
    place = found
    for step in way:
        place = place[step]
    place[last] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("seed",), True, "the field seed must be an integer"),
        (("smoke",), 1, "the field smoke must be true or false"),
        (("steps",), 7.0, "the field steps must be an integer"),
        (("experiment",), None, "the field experiment must be a string"),
        (("gin_files",), "gin/x.gin", "the field gin_files must be a list"),
        (("gin_files",), ["gin/x.gin", 5], "the field gin_files[1] must be a string"),
        (("parents",), {"role": "teacher"}, "the field parents must be a list"),
        (("parents", 0, "parents", 0, "step"), "2000", "the field parents[0].parents[0].step must be an integer"),
        (("network",), [], "the field network must be an object"),
        (("network", "scores"), [], "the field network.scores must be an object"),
        (("network", "scores", "fid[c]", "value"), "1.0", "the field network.scores['fid[c]'].value must be a number"),
        (("network", "scores", "fid[c]", "value"), float("nan"), "is not a finite number"),
        (("network", "scores", "fid[c]", "std"), float("-inf"), "is not a finite number"),
        (("network", "params"), 10**400, "the field network.params is not a finite number"),
        (("network", "weights"), 5, "there is no field 'network.weights'"),
        (("surprise\nand more",), 5, r"there is no field 'surprise\nand more'"),
        (("s" * 10**6,), 5, "there is no field 'sss"),
        (("over_seeds", "fid[c]", "seeds"), [0], "over_seeds must have one value per seed"),
        (("over_seeds", "fid[c]"), {"mean": 1, "stdev": 1, "values": [], "seeds": []}, "one value per seed"),
        (("kind",), "gan", "the field kind must be one of teacher, student, classifier"),
        (("kind",), "teacher", "the field teacher must be set for the kind student, and be null for other kinds"),
        (("teacher",), None, "the field teacher must be set for the kind student, and be null for other kinds"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(path, value, says):
    assert says in refusal(inside(path, value))


def test_another_schema_is_said_in_one_line():
    older = as_json()
    del older["schema"]
    assert "was written by an older version of akdg_tf" in refusal(older) and "--stage=evaluate" in refusal(older)
    assert refusal(as_json(schema=2)) == "has the schema 2: this version of akdg_tf reads only 1"
    for schema in (True, 1.0, "1", None, [1], 10**5000):
        assert refusal(as_json(schema=schema)) == "has the schema unknown: this version of akdg_tf reads only 1"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "result.json is missing or damaged"),
        (b"{", "result.json is missing or damaged"),
        (b"\xff\xfe\x00", "result.json is missing or damaged"),
        (b"[" * 10**5, "result.json is missing or damaged"),
        (b"5", "must hold a JSON object"),
        (b"[]", "must hold a JSON object"),
        (b'{"schema": 1}', "the field kind is missing"),
        (b'{"schema": NaN}', "has the schema unknown"),
        (b'{"schema": 1e999}', "has the schema unknown"),
    ],
)
def test_a_file_that_holds_no_result_is_said_in_one_line(content, says, tmp_path):
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(UserError, match=says):
        results.read_run(tmp_path)


def test_parents_without_end_are_refused():
    parents = []
    for _ in range(200):
        parents = [{"role": "teacher", "name": "t", "parents": parents}]
    with pytest.raises(UserError, match=r"is nested too deeply"):
        results.from_json(as_json(parents=parents), "x")


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"result\.json is missing or damaged"):
        results.read_run(tmp_path)


def test_finished_runs_are_the_real_ones_of_one_experiment_in_the_order_of_their_seeds(tmp_path):
    found = {"a": 0, "a-seed10": 10, "a-seed2": 2, "a-smoke": 0, "a_b": 0, "b": 0}
    for name, seed in found.items():
        (tmp_path / name).mkdir()
        result = made_up_result("a", seed=seed, smoke=name == "a-smoke")
        write_json(tmp_path / name / "result.json", result.to_json())
    (tmp_path / "a-seed3").mkdir()  # not finished
    (tmp_path / "a-seed4").mkdir()
    write_json(tmp_path / "a-seed4" / "result.json", made_up_result("a", seed=4, smoke=True).to_json())
    runs = results.finished_runs("a", tmp_path)
    assert [(run.name, result.seed) for run, result in runs.items()] == [("a", 0), ("a-seed2", 2), ("a-seed10", 10)]
