"""What a run says while it trains."""

import json
import logging

import pytest
import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.methods.growth import Growth
from akdg_tf.training import callbacks
from akdg_tf.training.workdir import Run


@pytest.mark.parametrize("every", [10, 100])  # intervals, which are Keras's epochs
@pytest.mark.parametrize(
    ("budget", "hint"), [(None, ""), ("gin/b.gin", "; to scale the run down, add --gin_file=gin/b.gin")]
)
def test_the_forecast_says_once_how_long_the_rest_of_the_run_takes(every, budget, hint, monkeypatch, caplog):
    """The first steps take a minute each, the others 3 s: the 4,000 steps that are left take 200 minutes."""
    now = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    forecast = callbacks.Forecast(every, start=1000, total=5000, budget=budget)
    with caplog.at_level(logging.INFO):
        for step in range(100):
            if step % every == 0:
                forecast.on_epoch_begin((1000 + step) // every)
            now[0] += 60 if step < 5 else 3
            forecast.on_train_batch_end(step % every)
    (line,) = [entry.getMessage() for entry in caplog.records]
    assert line == f"no accelerator: 3.00 s per step, 4000 steps take about 3 h 20 min{hint}"


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    return now


def test_a_line_tells_the_share_the_speed_and_the_time_that_is_left(clock, caplog):
    """Intervals of 10 steps take 20 s and 31 s: the pace is 2 * 0.7 + 3.1 * 0.3 = 2.33 s per step.

    A step has 64 images in the first interval, and 32 in the second.
    """
    log = callbacks.StepLog(10, 100, Growth(batch_sizes=(64, 32), stable_images=640, fade_images=320).batch_size)
    with caplog.at_level(logging.INFO):
        for epoch, seconds in enumerate((20, 31)):
            clock[0] += 600  # an evaluation between two intervals is not counted
            log.on_epoch_begin(epoch)
            clock[0] += seconds
            log.on_epoch_end(epoch, {"g/loss": 0.5})
    assert caplog.messages == [
        "step 10/100 (10%)  ETA 3:00  32 img/s  g/loss 0.500",
        "step 20/100 (20%)  ETA 3:06  10 img/s  g/loss 0.500",
    ]


def test_a_checkpoint_is_saved_at_the_end_of_every_interval_unless_a_weight_is_not_finite(tmp_path):
    saved, bad = [], []

    class Checkpoints:
        save = saved.append

        @staticmethod
        def not_finite():
            return bad

    callback = callbacks.SaveCheckpoints(Checkpoints(), every=10, run=Run(tmp_path, "x"))
    for epoch in (3, 4):
        callback.on_epoch_end(epoch)
    bad.append("d_kd")
    with pytest.raises(UserError, match=r"training diverged at step 60 \(not finite: d_kd\)"):
        callback.on_epoch_end(5)
    assert saved == [40, 50]


@pytest.mark.parametrize("line", ["\0\0\0{}", "{bad}", '{"a": 1}', "[" * 9000 + "}"])
def test_a_damaged_line_of_the_history_is_dropped_with_a_warning(line, tmp_path, caplog):
    jsonl, writer = tmp_path / "metrics.jsonl", tf.summary.create_file_writer(str(tmp_path))
    jsonl.write_text(f'{{"step": 10}}\n{line}\n{{"step": 20}}\n')
    callbacks.History(jsonl, writer, every=10, start=20, smoke=False)
    assert jsonl.read_text() == '{"step": 10}\n{"step": 20}\n'
    assert f"a line of {jsonl} is damaged, and is removed" in caplog.text


def test_the_history_drops_what_a_cut_run_wrote_beyond_its_last_checkpoint(tmp_path):
    """And a line that a kill cut in two."""
    jsonl, writer = tmp_path / "metrics.jsonl", tf.summary.create_file_writer(str(tmp_path))
    jsonl.write_text('{"step": 10, "a": 1.0}\n{"step": 20, "a": 2.0}\n{"step": 30, "a": 3.0}\n{"step": 4')
    callbacks.History(jsonl, writer, every=10, start=20, smoke=True).on_epoch_end(2, {"a": 0.5})
    lines = [json.loads(line) for line in jsonl.read_text().splitlines()]
    expected = [{"step": 10, "a": 1.0}, {"step": 20, "a": 2.0}, {"step": 30, "a": 0.5, "smoke": True}]
    assert lines == expected
