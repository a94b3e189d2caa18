"""The report of finished runs: every seed counted, nothing made up."""

import dataclasses
import shutil

import numpy as np
import pytest
from made_up_zoo import made_up_network, made_up_result, made_up_score
from PIL import Image

from akdg_tf.artifacts import result as results
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.models import MLPGenerator
from akdg_tf.reporting import report


def scores(bridges):
    return {"modes": made_up_score(8), "bridges": made_up_score(bridges)}


@pytest.fixture
def runs(tmp_path):
    """The results of two seeds of vanilla, one of AKDG, none of MSE, and a smoke run that does not count."""
    runs = tmp_path / "runs"
    found = [("vanilla", 0, 0.1), ("vanilla", 1, 0.3), ("akdg", 0, 0.05), ("akdg-smoke", 0, 9.0)]
    for method, seed, bridges in found:
        folder = runs / f"ring_{method}{f'-seed{seed}' if seed else ''}"
        folder.mkdir(parents=True)
        result = made_up_result(
            f"ring_{method}",
            network=made_up_network(folder.name, scores=scores(bridges)),
            teacher=made_up_network("ring_teacher", scores=scores(0.01)),
            dataset="ring",
            seed=seed,
            smoke="smoke" in method,
        )
        write_json(folder / "result.json", result.to_json())
    return runs


@pytest.fixture
def folders(runs, tmp_path):
    """The runs with their generators, and a zoo with the teacher."""
    for folder in (*runs.iterdir(), tmp_path / "zoo" / "ring_teacher"):
        export(folder)
    return runs, tmp_path / "zoo"


def export(folder, shape=(2,)):
    export_generator(MLPGenerator(3, shape, width=4, output_activation="linear"), folder / "saved_model", (-1, 1))


def test_table_has_a_row_for_each_method_with_mean_and_spread_over_its_seeds(runs):
    assert report.table("ring", runs).splitlines() == [
        "| ring | seeds | modes | bridges |",
        "|---|---|---|---|",
        "| teacher |  | 8 | 0.01 |",
        "| vanilla | 0, 1 | 8 ± 0 | 0.2 ± 0.14 |",
        "| mse |  |  |  |",
        "| akdg | 0 | 8 | 0.05 |",
    ]


def test_lit_has_rows_where_it_was_run(runs):
    for method, bridges in (("lit", 0.2), ("lit_akdg", 0.04)):
        shutil.copytree(runs / "ring_akdg", runs / f"ring_{method}")
        result = dataclasses.replace(results.read_run(runs / "ring_akdg"), experiment=f"ring_{method}")
        network = made_up_network(f"ring_{method}", scores=scores(bridges))
        write_json(runs / f"ring_{method}" / "result.json", dataclasses.replace(result, network=network).to_json())
    rows = [line.split(" |")[0] for line in report.table("ring", runs).splitlines()[2:]]
    assert rows == ["| teacher", "| vanilla", "| mse", "| lit", "| akdg", "| lit_akdg"]


def test_runs_without_scores_are_marked_and_hide_no_scores_of_others(runs):
    for path in runs.glob("ring_vanilla*/result.json"):
        found = results.read(path)
        write_json(path, dataclasses.replace(found, network=bare(found.network), unscored=True).to_json())
    assert report.table("ring", runs).splitlines()[:5] == [
        "| ring | seeds | modes | bridges |",
        "|---|---|---|---|",
        "| teacher |  | 8 | 0.01 |",
        "| vanilla, unscored | 0, 1 |  |  |",
        "| mse |  |  |  |",
    ]


def change(path, **changes):
    write_json(path, dataclasses.replace(results.read(path), **changes).to_json())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": 0}, "the runs ring_vanilla, ring_vanilla-seed1 differ in more than their seed, or two have the same"),
        ({"steps": 8}, "the runs ring_vanilla, ring_vanilla-seed1 differ in more than their seed"),
        ({"experiment": "ring_akdg"}, "ring_vanilla-seed1 is a run of 'ring_akdg', not of 'ring_vanilla': rename it"),
    ],
)
def test_runs_that_differ_in_more_than_their_seed_are_not_averaged(changes, says, runs):
    change(runs / "ring_vanilla-seed1" / "result.json", **changes)
    with pytest.raises(UserError, match=says):
        report.table("ring", runs)


def test_methods_that_were_scored_differently_are_not_compared(runs):
    for method, images in (("vanilla", 9), ("vanilla-seed1", 9), ("akdg", 50)):
        network = made_up_network("x", scores={"fid[c]": made_up_score(1.0, n_fake=images)})
        change(runs / f"ring_{method}" / "result.json", network=network)
    with pytest.raises(UserError, match="ring_vanilla and ring_akdg were scored differently"):
        report.table("ring", runs)


def bare(network):
    return dataclasses.replace(network, scores={})


@pytest.mark.parametrize("name", ["none", "teacher"])
def test_real_samples_are_those_of_the_first_run_that_read_any(name, folders):
    runs, zoo = folders
    for method, panels in (("vanilla", 4), ("akdg", 3)):  # with the teacher, vanilla and AKDG
        path = runs / f"ring_{method}" / "result.json"
        write_json(path, dataclasses.replace(results.read(path), dataset=name).to_json())
        assert report.picture("ring", runs, zoo, None).shape[1] == panels * 400


def test_real_images_of_a_folder_come_in_the_generated_size_if_it_is_given(folders, tmp_path, monkeypatch):
    runs, zoo = folders
    images = tmp_path / "images"
    images.mkdir()
    for i in range(64):
        Image.new("RGB", (24, 24), (i, 0, 0)).save(images / f"{i}.png")
    for folder in (runs / "ring_vanilla", runs / "ring_akdg", zoo / "ring_teacher"):
        shutil.rmtree(folder / "saved_model")
        export(folder, (16, 16, 3))
    for method in ("vanilla", "akdg"):
        path = runs / f"ring_{method}" / "result.json"
        write_json(path, dataclasses.replace(results.read(path), dataset="folder").to_json())
    panels = {}
    monkeypatch.setattr(report.pictures, "side_by_side", panels.update)
    report.picture("ring", runs, zoo, None)
    assert len(panels) == 3 and "real (folder)" not in panels  # the images need no licence
    panels.clear()
    report.picture("ring", runs, zoo, str(images))
    assert {panel.shape for panel in panels.values()} == {(64, 16, 16, 3)}
    assert len(panels) == 4 and "real (folder)" in panels


def test_main_writes_the_table_and_a_picture_with_a_panel_for_each(folders):
    runs, zoo = folders
    report.main(["ring"], runs, zoo)
    assert (runs / "report" / "ring.md").read_text() == report.table("ring", runs) + "\n"
    picture = np.asarray(Image.open(runs / "report" / "ring.png"))
    assert picture.shape[1] == 4 * 400 and picture.std() > 0  # real, teacher, vanilla, AKDG


def test_the_zoo_of_the_environment_is_used(folders, monkeypatch):
    runs, zoo = folders
    monkeypatch.setenv("AKDG_ZOO", str(zoo))
    report.main(["ring"], runs)
    assert np.asarray(Image.open(runs / "report" / "ring.png")).shape[1] == 4 * 400  # with the teacher


def test_a_teacher_that_is_nowhere_has_no_panel(folders, caplog):
    runs, zoo = folders
    shutil.rmtree(zoo)
    assert report.picture("ring", runs, zoo, None).shape[1] == 3 * 400
    assert "the teacher ring_teacher is neither in" in caplog.text


def test_a_teacher_among_the_runs_comes_first(folders):
    runs, zoo = folders
    export(runs / "ring_teacher")
    assert report.find_teacher("ring_teacher", runs, zoo).folder == runs / "ring_teacher" / "saved_model"


def test_no_run_at_all_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no finished run of grid_vanilla"):
        report.table("grid", tmp_path)
