"""How far some work has come, by a clock of our own."""

import logging

import pytest

from akdg_tf import progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_it_reports_every_few_seconds_and_at_the_end(clock, caplog):
    """20 of 100 were there before; 20 more take 10 s, so the 60 that are left take 30 s."""
    work = progress.Progress("bank", 100, done=20)
    with caplog.at_level(logging.INFO):
        clock[0] += progress.REPORT_SECONDS
        assert not work.report(30)
        clock[0] = 110.0
        assert work.report(40)
        assert not work.report(50)
        assert work.report(100)
    assert caplog.messages == ["bank 40/100 (40%)  ETA 0:30", "bank 100/100 (100%)  ETA 0:00"]


def test_minutes_are_told_as_such(clock, caplog):
    work = progress.Progress("files", 10)
    clock[0] += 61.0
    with caplog.at_level(logging.INFO):
        work.report(1)
    assert caplog.messages == ["files 1/10 (10%)  ETA 9:09"]
