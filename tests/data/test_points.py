"""2-D mixtures: where their points lie."""

import contracts
import numpy as np
import pytest

from akdg_tf.data import load_dataset


@pytest.mark.parametrize(("name", "modes", "inner"), [("ring", 8, 0.8), ("grid", 25, 0.4)])
def test_points_lie_around_their_modes(name, modes, inner):
    dataset = load_dataset(name)
    points = dataset.reals(20_000, seed=0)
    assert len(dataset.centers) == modes
    distance = np.linalg.norm(points[:, None] - dataset.centers, axis=-1)
    shares = np.bincount(distance.argmin(1), minlength=modes) / len(points)
    np.testing.assert_allclose(shares, 1 / modes, atol=0.01)
    assert distance.min(1).mean() == pytest.approx(0.02 * np.sqrt(np.pi / 2), rel=0.02)  # a Rayleigh mean
    assert np.abs(points).max() < 1.0


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_points_keep_the_contract_of_datasets(name):
    contracts.dataset_contract(load_dataset(name))


def test_the_modes_lie_on_a_circle_and_on_a_grid():
    ring, grid = load_dataset("ring").centers, load_dataset("grid").centers
    np.testing.assert_allclose(ring[:3], [[0.8, 0], [0.8 * 0.5**0.5] * 2, [0, 0.8]], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 0.8, rtol=1e-6)
    assert {tuple(center) for center in np.rint(grid / 0.4)} == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}
