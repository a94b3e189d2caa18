"""What a run says while it trains."""

import logging

import pytest

from akdg_tf.training import callbacks


@pytest.mark.parametrize("every", [10, 100])  # intervals, which are Keras's epochs
@pytest.mark.parametrize(
    ("budget", "hint"), [(None, ""), ("gin/b.gin", "; --gin_file=gin/b.gin as a second file scales it to this machine")]
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
