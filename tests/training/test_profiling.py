"""The profile of some steps, read back."""

import pytest
from ring_run import read_profile, train


def test_the_profile_holds_each_step_of_every_replica(tmp_path):
    """Over the end of an interval."""
    trained = train(tmp_path, 8, recording=True, profile_steps=(3, 6))
    steps, others = read_profile(trained.run.workdir)
    assert [number for number, _, _ in steps] == [3, 4, 5, 6]
    for _, begin, end in steps:
        students = [name for name, time in others if begin <= time <= end and "recording_generator" in name]
        assert {"replica_1/" in name for name in students} == {True, False}


@pytest.mark.parametrize(("devices", "traced"), [(("CPU:0",), [4, 6]), (("CPU:0", "CPU:1"), [3, 4, 5])])
def test_the_profile_holds_whole_executions(devices, traced, tmp_path):
    """Of two steps each, by the number of the second: those that hold a step of 3 to 5. Several replicas take one."""
    train(tmp_path, 8, devices=devices, profile_steps=(3, 5), steps_per_execution=2)
    assert [number for number, _, _ in read_profile(tmp_path)[0]] == traced
