"""What a run says while it trains."""

import logging

import pytest

from akdg_tf.training import callbacks


@pytest.mark.parametrize(
    ("budget", "hint"), [(None, ""), ("gin/b.gin", "; --gin_file=gin/b.gin as a second file scales it to this machine")]
)
def test_the_forecast_says_once_how_long_the_rest_of_the_run_takes(budget, hint, monkeypatch, caplog):
    """Tracing takes a minute, then each step 3 s: the 4,000 steps that are left take 200 minutes."""
    now = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    forecast = callbacks.Forecast(start=1000, total=5000, budget=budget)
    with caplog.at_level(logging.INFO):
        now[0] += 60
        for batch in range(100):
            forecast.on_train_batch_end(batch)
            now[0] += 3
    (line,) = [entry.getMessage() for entry in caplog.records]
    assert line == f"no accelerator: 3.00 s a step, 4000 steps take about 3 h 20 min{hint}"
