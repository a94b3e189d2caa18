"""What a run reports: `result.json`."""

import json
import pathlib
import re


def finished_runs(experiment: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Finished, real runs of an experiment, `<experiment>` and `<experiment>-seed<k>`, in the order of their seeds."""
    runs = [path for path in folder.glob(f"{experiment}*") if re.sub(r"-seed\d+$", "", path.name) == experiment]
    finished = [run for run in runs if (run / "result.json").exists() and not read_result(run)["smoke"]]
    return sorted(finished, key=lambda run: read_result(run)["seed"])


def read_result(run: pathlib.Path) -> dict:
    """The `result.json` of a run."""
    return json.loads((run / "result.json").read_text())
