"""How long a run trains: what is refused, and what a smoke run shortens."""

import pytest
from support import mirrored

from akdg_tf.errors import UserError
from akdg_tf.training.schedule import COUNTS, Schedule


@pytest.mark.parametrize("steps", [(0, 5), (5, 4), (15, 21), (5,), 7, "12", (1.0, 2), (True, 2), ()])
def test_steps_that_cannot_be_profiled_are_refused(steps):
    with pytest.raises(UserError, match=r"must be \(first, last\), 1 <= first <= last <= 20 steps"):
        Schedule(20, 8, 10, profile_steps=steps)


@pytest.mark.parametrize(("bound", "smoke"), [((5, 7), (5, 7)), ((1000, 1009), (11, 20)), ((50, 100), (1, 20))])
def test_a_smoke_run_profiles_its_last_steps_in_place_of_later_ones(bound, smoke):
    assert Schedule(2000, 8, 100, profile_steps=bound).smoke().profile_steps == smoke


def test_a_smoke_run_is_short_and_reports_and_draws_halfway():
    assert Schedule(2000, 64, 100, 5, 10, keep_every=500).smoke() == Schedule(20, 64, 10, 1)
    assert Schedule(2000, 64, curve_every=500).smoke() == Schedule(20, 64, 10, 1, curve_every=20)
    assert Schedule(2000, 64, micro_batches=4).smoke() == Schedule(20, 64, 10, 1, micro_batches=4)


@pytest.mark.parametrize("name", [*COUNTS, "keep_every", "curve_every"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "8"])
def test_counts_are_positive_integers(name, value):
    settings = {"steps": 8, "batch_size": 8, "report_every": 4}
    with pytest.raises(UserError, match=f"{name} is {value!r}: it must be a positive integer"):
        Schedule(**{**settings, name: value})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"steps": 10}, "steps 10 must be a multiple of report_every 4"),
        ({"steps_per_execution": 3}, "report_every a multiple of steps_per_execution 3"),
        ({"curve_every": 6}, "curve_every 6 must be a multiple of report_every 4"),
        ({"keep_every": 6}, "keep_every 6 must be a multiple of report_every 4"),
    ],
)
def test_intervals_divide_each_other(settings, says):
    with pytest.raises(UserError, match=says):
        Schedule(**{"steps": 8, "batch_size": 8, "report_every": 4, **settings})


def test_a_batch_divides_among_the_replicas():
    with mirrored(("CPU:0", "CPU:1")).scope():
        assert Schedule(8, 6, 4).batch_size == 6
        with pytest.raises(UserError, match=r"batch_size 7 must be a multiple of replicas \* micro_batches, 2 \* 1"):
            Schedule(8, 7, 4)
        with pytest.raises(UserError, match=r"batch_size 6 must be a multiple of replicas \* micro_batches, 2 \* 2"):
            Schedule(8, 6, 4, micro_batches=2)


@pytest.mark.parametrize(
    ("start", "says"),
    [(8, "starts at step 8, but Schedule.steps is 8"), (2, "not a multiple of Schedule.report_every 4")],
)
def test_a_warm_start_begins_at_a_report_before_the_end(start, says):
    schedule = Schedule(8, 8, 4)
    schedule.check_start(0)
    schedule.check_start(4)
    with pytest.raises(UserError, match=says):
        schedule.check_start(start)
