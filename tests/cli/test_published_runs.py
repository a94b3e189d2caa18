"""From a gin file of one's own to an entry of a zoo: scores at another size than the classifier's, and no scores."""

import json

import numpy as np
import pytest
from support import ROOT
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from akdg_tf.cli.zoo import main
from akdg_tf.zoo.entries import Entry

SMALL = """
Schedule.steps = 4
Schedule.batch_size = 8
Schedule.report_every = 2
GeneratorExperiment.exports = ()
"""
RESIZED = """include 'gin/mnist_mlp_vanilla.gin'
SAMPLE_SHAPE = (16, 24, 1)
Data.name = 'npy'
GeneratorExperiment.teacher = None
GeneratorExperiment.curve = {'curve': @ImageScores()}
Schedule.curve_every = 2
ImageScores.samples = 20
load_classifier.resize = 'area 32x32'
"""
UNSCORED = """include 'gin/mnist_mlp_mse.gin'
Data.name = 'npy'
GeneratorExperiment.evaluations = {}
"""
SCORED = "GeneratorExperiment.evaluations={'scores': @ImageScores()}"
NAME = "fid[mnist-classifier area 32x32]"


@pytest.fixture(autouse=True)
def _in_a_folder_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "gin").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKDG_ZOO", str(ROOT / "zoo"))


def finish(run_here, folder, text, *arguments):
    """Runs the experiment "mine" of these bindings, and returns what it prints and its result."""
    (folder / "gin" / "mine.gin").write_text(text + SMALL)
    done = run_here("--gin_file=gin/mine.gin", "--workdir=runs/mine", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "runs" / "mine" / "result.json").read_text())


def test_scores_over_a_resizing_classifier_from_the_gin_file_to_the_verified_entry(tmp_path, run_here, capfd):
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 24, 1), np.uint8)
    np.save(tmp_path / "images.npy", images)
    printed, result = finish(run_here, tmp_path, RESIZED, "--data_dir=.")
    score = result["network"]["scores"][NAME]
    assert (score["classifier"], score["resize"]) == ("mnist-classifier area 32x32", "area 32x32")
    assert f"{NAME} " in printed and "classifier mnist-classifier area 32x32, dataset npy" in printed
    events = EventAccumulator(str(tmp_path / "runs" / "mine" / "events"), {"tensors": 0}).Reload()
    assert {f"metrics/{NAME}", f"curve/{NAME}"} <= set(events.Tags()["tensors"])
    lines = (tmp_path / "runs" / "mine" / "curve.jsonl").read_text().splitlines()
    assert [NAME in json.loads(line) for line in lines] == [True, True]
    zoo = ["--zoo", "zoo"]
    main(["publish", *zoo, "runs/mine"])
    assert f"| {NAME}, lower is better | " in (tmp_path / "zoo" / "mine" / "card.md").read_text()
    assert f"| {NAME} |" in (tmp_path / "zoo" / "README.md").read_text()
    main(["verify", *zoo, "--metrics", "--data_dir", "."])
    assert f"{NAME} {score['value']:.4g}" in capfd.readouterr().out
    config = tmp_path / "zoo" / "mine" / "config.gin"
    assert "load_classifier.resize = 'area 32x32'" in config.read_text()


def test_a_run_without_scores_needs_no_data_for_them_and_is_published_as_unscored(tmp_path, run_here, capfd):
    """By the MSE method, which uses no real images: there is no images.npy."""
    printed, result = finish(run_here, tmp_path, UNSCORED)
    assert result["unscored"] and result["network"]["scores"] == {}
    assert (result["dataset"], result["data_digest"], result["network"]["params"] > 0) == ("none", None, True)
    assert printed.splitlines()[-1] == "unscored: GeneratorExperiment.evaluations is {}"
    zoo = ["--zoo", "zoo"]
    main(["publish", *zoo, "runs/mine"])
    assert "\n- **unscored**: " in (tmp_path / "zoo" / "mine" / "card.md").read_text()
    assert Entry(tmp_path / "zoo" / "mine").result.unscored
    main(["verify", *zoo, "--metrics"])
    assert "metrics unscored: its configuration binds no evaluations" in capfd.readouterr().out
    refused = run_here("--gin_file=gin/mine.gin", "--workdir=runs/other", f"--gin_param={SCORED}", cwd=tmp_path)
    assert refused.returncode == 2 and "--data_dir" in refused.stderr.splitlines()[-1]
