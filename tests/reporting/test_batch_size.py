"""FIDs against the batch size: the numbers of the table, and the plots."""

import numpy as np
import pytest
from batch_size_runs import write_study, write_study_run
from PIL import Image

from akdg_tf.errors import UserError
from akdg_tf.reporting import batch_size, embedding, report
from akdg_tf.reporting.page import Page
from akdg_tf.reporting.study import study


@pytest.fixture
def runs(tmp_path):
    return study(write_study(tmp_path))["toy"]


def test_there_is_a_table_for_each_comparison_and_below_them_what_defines_the_scores(runs):
    assert batch_size.table("toy", runs).splitlines() == [
        "toy: mean ± sample standard deviation over the seeds.",
        "",
        "At 6,400 images seen:",
        "",
        "| batch size | method | steps | images seen | seeds | fid[c] |",
        "|---:|---|---:|---:|---|---:|",
        "| 16 | vanilla | 400 | 6,400 | 0 | 40 |",
        "| 16 | akdg | 400 | 6,400 | 0 | 20 |",
        "| 64 | vanilla | 100 | 6,400 | 0 | 4 |",
        "| 64 | akdg | 100 | 6,400 | 0, 1 | 3 ± 1.4 |",
        "| 256 | vanilla | 25 | 6,400 | 0 | 20 |",
        "| 256 | akdg | 25 | 6,400 | 0 | 10 |",
        "",
        "At 100 steps:",
        "",
        "| batch size | method | steps | images seen | seeds | fid[c] |",
        "|---:|---|---:|---:|---|---:|",
        "| 16 | vanilla | 100 | 1,600 | 0 | 80 |",
        "| 16 | akdg | 100 | 1,600 | 0 | 40 |",
        "| 64 | vanilla | 100 | 6,400 | 0 | 4 |",
        "| 64 | akdg | 100 | 6,400 | 0, 1 | 3 ± 1.4 |",
        "| 256 | vanilla | 100 | 25,600 | 0 | 2 |",
        "| 256 | akdg | 100 | 25,600 | 0 | 1 |",
        "",
        "9 generated and 9 real images, dataset d, split s, classifier c, resize none, latents of seed 0.",
    ]


def test_a_run_in_neither_comparison_is_named(tmp_path):
    write_study_run(write_study(tmp_path), "akdg", 16, 7)
    text = batch_size.table("toy", study(tmp_path)["toy"])
    assert "\n\nIn neither table: toy_akdg-b16-7-seed0.\n\n" in text and "| 7 |" not in text


def test_the_plots_stand_side_by_side_and_show_each_comparison_and_its_spread(runs, tmp_path):
    drawn = batch_size.picture(runs)
    width = drawn.shape[1] // 2
    assert drawn.dtype == np.uint8 and drawn.shape == (360, 1000, 3)
    assert not np.array_equal(drawn[:, :width], drawn[:, width:])
    without_spread = batch_size.picture([run for run in runs if run.result.seed == 0])
    assert not np.array_equal(drawn, without_spread)


def test_one_method_at_one_batch_size_is_drawn_too(runs):
    alone = [run for run in runs if run.method == "akdg" and run.batch == 64]
    assert batch_size.picture(alone).shape == (360, 1000, 3)


def test_the_embedding_shows_the_ends_of_each_method_at_an_equal_number_of_images(runs):
    shown = {title: folder.name for title, folder in batch_size.embedded(runs).items()}
    assert shown == {
        "vanilla, batch size 16": "toy_vanilla-b16-400-seed0",
        "vanilla, batch size 256": "toy_vanilla-b256-25-seed0",
        "akdg, batch size 16": "toy_akdg-b16-400-seed0",
        "akdg, batch size 256": "toy_akdg-b256-25-seed0",
    }


def test_the_report_writes_the_plots_of_all_families_before_it_embeds_any(tmp_path, monkeypatch, capsys):
    write_study(tmp_path / "batch_size")
    write_study_run(tmp_path / "batch_size", "akdg", 64, 100, family="other")
    there = []

    def page(name, runs, data_dir):
        there.append((name, len(runs), data_dir, len(list((tmp_path / "report").glob("*.png")))))
        return Page(name, "the gap", {name: lambda: np.zeros((2, 2, 3), np.uint8)})

    monkeypatch.setattr(embedding, "page", page)
    report.main(["batch_size"], tmp_path, data_dir="data")
    first, second = (f"batch_size_{family}_embedding" for family in ("other", "toy"))
    assert there == [(first, 1, "data", 2), (second, 4, "data", 3)]
    text = (tmp_path / "report" / "batch_size_toy.md").read_text()
    assert text in capsys.readouterr().out and text.startswith("toy: mean")
    assert (tmp_path / "report" / f"{second}.md").read_text() == "the gap\n"
    assert Image.open(tmp_path / "report" / "batch_size_toy.png").size == (1000, 360)


def test_a_report_without_runs_leaves_nothing_behind(tmp_path):
    with pytest.raises(UserError, match="no finished run of the batch-size study"):
        report.main(["batch_size"], tmp_path)
    assert not list(tmp_path.iterdir())
