"""The short form of `killed_runs.py`: one case, killed once at a random moment of its training."""

import random

import pytest
from faults import killed_runs


@pytest.mark.long
def test_a_killed_run_ends_as_if_it_had_not_been(tmp_path):
    killed_runs.prepared(tmp_path, teacher=False)
    case = killed_runs.Case("gin/toy_ring_teacher.gin", 400, 20, ("GAN.d_steps=2", "Schedule.micro_batches=2"))
    killed_runs.finish(case, tmp_path / "uncut")
    kills = killed_runs.killed(case, tmp_path / "cut", 1, random.Random(0))
    assert [each["in_training"] for each in kills] == [True]
    assert killed_runs.differences(case, tmp_path / "uncut", tmp_path / "cut") == []
    lines = (tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 20
