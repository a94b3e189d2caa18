"""The JSON files of entries, runs, banks and SavedModels, with values of other types: what they hold, or one line."""

import dataclasses
import pathlib
import re
import shutil
import tempfile

import pytest
from fuzzing import fuzzed, json_files, mutated, one_line, watched
from hypothesis import given
from hypothesis import strategies as st
from made_up_zoo import made_up_network, made_up_origin, made_up_result, write_metrics

from akdg_tf.artifacts import network, result
from akdg_tf.artifacts.result import ExportedModel, OverSeeds, Parent
from akdg_tf.metrics import classifiers
from akdg_tf.teachers import saved_model
from akdg_tf.training import inputs
from akdg_tf.training.workdir import Run
from akdg_tf.zoo import card, checksums, readme
from akdg_tf.zoo.entries import Entry, entries, is_name

FULL = made_up_result(
    "x",
    teacher=made_up_network("t"),
    parents=(Parent("teacher", "t", "ab", 3, (Parent("init_from", "u"),)),),
    over_seeds={"fid[c]": OverSeeds(1.0, 0.1, (1.0, 1.1), (0, 1))},
    litert=ExportedModel(1, "float32", 64, 0.1),
)
CONVERTED = dataclasses.replace(
    made_up_result("x", kind="classifier", method="converted", origin=made_up_origin()), unscored=False
)
NETWORKS = {"schema": 1, "exported": "generator", "networks": {"generator": {}}, "optimizers": {}, "dtype_policy": "x"}
GENERATOR = {"latent_dim": 4, "prior": "normal, 2 classes", "output_range": [0, 1], "smoke": False}
INPUTS = {"data": {"name": "x", "digest": "ab"}}
READERS = {
    "generator.json": (GENERATOR, lambda path: saved_model._meta(path.parents[1])),
    "classifier.json": ({"id": "x", "resize": "none"}, classifiers._about),
    "network.json": (NETWORKS, network._read_json),
    "networks.json": (NETWORKS, lambda path: network.read_run(path.parent)),
    "inputs.json": (INPUTS, lambda path: inputs._noted(Run(path.parent, "x"))),
}


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as parent:
        path = pathlib.Path(parent, "x", "assets.extra")
        path.mkdir(parents=True)
        yield path


@pytest.mark.parametrize("name", READERS)
@fuzzed(20)
@given(data=st.data())
def test_small_files(folder, name, data):
    valid, read = READERS[name]
    (folder / name).write_bytes(data.draw(json_files(valid)))
    with watched(folder.parent):
        one_line(read, folder / name)


@fuzzed(125)
@given(content=st.one_of(json_files(FULL.to_json()), json_files(CONVERTED.to_json())))
def test_metrics_and_the_card_and_readme_that_are_made_of_them(folder, content):
    zoo = folder.parent / "zoo"
    write_metrics(zoo / "t")
    (zoo / "x").mkdir(exist_ok=True)
    (zoo / "x" / "metrics.json").write_bytes(content)
    with watched(folder.parent):
        if one_line(lambda: Entry(zoo / "x").result) is not None:
            written = one_line(card.card, Entry(zoo / "x")), one_line(readme.readme, entries(zoo))
            lines = [line for text in written if text for line in text.splitlines()]
            assert all("\x1b" not in line for line in lines)
            assert all("`" in line for line in lines if re.search(r"(?<!\\)<script", line))
        one_line(result.finished_runs, "x", zoo)
    shutil.rmtree(zoo)


DIGEST = "0" * 64
names = st.one_of(
    st.sampled_from(("card.md", "../x", "/etc/passwd", "a/../../b", "a//b", "./a", "saved_model.pb", "variables/x")),
    st.text(max_size=12),
)
lists = st.one_of(
    st.lists(st.builds(f"{DIGEST}  {{}}\n".format, names), max_size=5).map(
        lambda lines: "".join(lines).encode(errors="replace")
    ),
    mutated([f"{DIGEST}  card.md\n{DIGEST}  saved_model/saved_model.pb\n".encode()]),
)


@fuzzed(125)
@given(listed=lists)
def test_lists_of_checksums(listed):
    found = one_line(checksums.parse, listed, "x")
    for name in found or ():
        path = pathlib.PurePosixPath(name)
        assert name.isprintable() and str(path) == name and not path.is_absolute() and ".." not in path.parts
        assert path.parts[0] not in ("SHA256SUMS", "SHA256SUMS.sig", "saved_model.pb", "variables")


@fuzzed(50)
@given(name=st.one_of(st.text(max_size=12), st.sampled_from(("..", ".", "a/b", "a.part", "a\n", "-x"))))
def test_names_of_entries(name):
    if is_name(name):
        assert pathlib.PurePath(name).name == name and name.isascii() and name.isprintable() and name[0] not in ".-"
