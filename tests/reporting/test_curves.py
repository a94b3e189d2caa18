"""Curves of scores against steps, from what runs leave."""

import json

import numpy as np

from akdg_tf.reporting import curves


def write(run, values, **others):
    """A run whose curve has these values of fid[c] at the steps 10, 20 and so on."""
    run.mkdir()
    lines = [{"step": 10 * (i + 1), "fid[c]": value, **others} for i, value in enumerate(values)]
    (run / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def test_values_are_gathered_by_step_over_the_seeds_of_different_length(tmp_path):
    runs = [write(tmp_path / "a", [9.0, 5.0]), write(tmp_path / "b", [7.0]), tmp_path / "without"]
    assert curves.over_seeds(runs, "fid[c]") == {10: [9.0, 7.0], 20: [5.0]}


def test_a_picture_has_a_column_per_panel_and_a_row_per_frechet_distance(tmp_path):
    one = write(tmp_path / "a", [9.0, 5.0], **{"is[c]": 1.0, "fid[d]": 2.0})
    panels = {"MLP": {"vanilla": [one], "akdg": [write(tmp_path / "b", [8.0, 4.0])]}, "DCGAN": {"akdg": [one]}}
    drawn = curves.picture(panels)
    alone = curves.picture({"MLP": {"akdg": [tmp_path / "b"]}})
    assert drawn.dtype == np.uint8 and drawn.shape == (2 * alone.shape[0], 2 * alone.shape[1], 3)
    assert not np.array_equal(drawn[:360, :500], drawn[:360, 500:])  # of other lines
    assert curves.picture({"MLP": {"akdg": [tmp_path / "nothing"]}}) is None


def test_a_method_without_a_curve_has_no_line_and_no_place_in_the_legend(tmp_path):
    one = write(tmp_path / "a", [9.0, 5.0])
    without = curves.picture({"MLP": {"akdg": [one]}})
    np.testing.assert_array_equal(curves.picture({"MLP": {"lit": [], "akdg": [one]}}), without)
