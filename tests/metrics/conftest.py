"""What tests of metrics share: activations that each test keeps for itself."""

import pytest

from akdg_tf.metrics import scores


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "CACHE", tmp_path / "statistics")
    return tmp_path / "statistics"
