"""The report of finished runs: every seed counted, nothing made up."""

import json

import numpy as np
import pytest
from PIL import Image

from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.errors import UserError
from akdg_tf.models import MLPGenerator
from akdg_tf.reporting import report


@pytest.fixture
def runs(tmp_path):
    """Two seeds of vanilla, one of AKDG, none of MSE, and a smoke run that is not to count."""
    export_generator(MLPGenerator(3, (2,), width=4, output_activation="linear"), tmp_path / "teacher", (-1, 1))
    found = [("vanilla", 0, 0.1), ("vanilla", 1, 0.3), ("akdg", 0, 0.05), ("akdg-smoke", 0, 9.0)]
    for method, seed, bridges in found:
        folder = tmp_path / f"ring_{method}{f'-seed{seed}' if seed else ''}"
        export_generator(MLPGenerator(3, (2,), width=4, output_activation="linear"), folder / "saved_model", (-1, 1))
        metrics = {"modes": {"value": 8, "dataset": "ring"}, "bridges": {"value": bridges, "dataset": "ring"}}
        teacher = {"saved_model": str(tmp_path / "teacher"), "metrics": {**metrics, "bridges": {"value": 0.01}}}
        result = {"seed": seed, "smoke": "smoke" in method, "teacher": teacher, "metrics": metrics}
        (folder / "result.json").write_text(json.dumps(result))
    return tmp_path


def test_table_has_a_row_for_each_method_with_mean_and_spread_over_its_seeds(runs):
    assert report.table("ring", runs).splitlines() == [
        "| ring | seeds | modes | bridges |",
        "|---|---|---|---|",
        "| teacher | | 8 | 0.01 |",
        "| vanilla | 0, 1 | 8 ± 0 | 0.2 ± 0.14 |",
        "| mse |  |  |  |",
        "| akdg | 0 | 8 | 0.05 |",
    ]


def test_main_writes_the_table_and_a_picture_with_a_panel_for_each(runs):
    report.main(["ring"], runs)
    assert (runs / "report" / "ring.md").read_text() == report.table("ring", runs) + "\n"
    picture = np.asarray(Image.open(runs / "report" / "ring.png"))
    assert picture.shape[1] == 4 * 400 and picture.std() > 0  # real, teacher, vanilla, AKDG


def test_no_run_at_all_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no finished run of grid_vanilla"):
        report.table("grid", tmp_path)
