"""The studies in benchmarks/ bind what their experiments read: no run fails after others were trained for hours."""

import importlib

import pytest
from support import ROOT


@pytest.mark.parametrize("student", ["mnist_mlp", "cifar10_mlp"])
def test_every_run_of_the_cures_and_of_the_study_has_a_configuration(student, run_here, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    study, cures = (importlib.import_module(name) for name in ("batch_size", "cures"))
    runs = {cure: next(iter(cures.runs_of(student, cure, 16).values())) for cure in (None, *cures.CURES)}
    runs["vanilla"] = study.arguments_of(*study.settings(student)[0])
    for name, arguments in runs.items():
        done = run_here(*arguments, "--stage=config")
        assert done.returncode == 0, (name, done.stderr)
