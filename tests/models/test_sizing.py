"""The widest student within a budget, against counts that are worked out by hand."""

import pytest

from akdg_tf.errors import UserError
from akdg_tf.latents import sample_shape_of
from akdg_tf.models import sizing
from akdg_tf.models.sizing import Budget


def dcgan_mult_adds(w):
    """Of a DCGAN with 8w, 4w, 2w and w channels that makes 32x32 gray images from 64 numbers."""
    dense, last = 64 * 16 * 8 * w, 32 * 32 * 9 * w
    return dense + last + 9 * w * w * (8 * 8 * 8 * 4 + 16 * 16 * 4 * 2 + 32 * 32 * 2)


def mlp_params(w):
    """Of an MLP with three hidden layers of w units and batch norm, for the same images."""
    return 64 * w + w + 2 * (w * w + w) + 3 * 2 * w + 1024 * w + 1024


def dcgan(widest):
    return sizing.dcgan(widest, 64, (32, 32, 1))


def mlp(widest):
    return sizing.mlp(widest, 64, (32, 32, 1))


@pytest.mark.parametrize("w", [1, 2, 3, 5, 8])
def test_the_widest_dcgan_within_a_budget(w):
    exact = sizing.largest(dcgan, Budget(mult_adds=dcgan_mult_adds(w)))
    assert exact.network.widths == (8 * w, 4 * w, 2 * w, w) and exact.cost.mult_adds == dcgan_mult_adds(w)
    almost = sizing.largest(dcgan, Budget(mult_adds=dcgan_mult_adds(w + 1) - 1))
    assert almost.network.widths == exact.network.widths


@pytest.mark.parametrize("width", [8, 64, 128])
def test_the_widest_mlp_within_a_budget_of_params(width):
    budget = Budget(mult_adds=10**9, params=mlp_params(width))
    student = sizing.largest(mlp, budget)
    assert (student.network.width, student.cost.params) == (width, mlp_params(width))
    assert budget.holds(student.cost)


def test_the_tighter_limit_counts():
    both = Budget(mult_adds=dcgan_mult_adds(8), params=sizing.largest(dcgan, Budget(dcgan_mult_adds(2))).cost.params)
    assert sizing.largest(dcgan, both).network.widths == (16, 8, 4, 2)


def test_kilobytes_are_those_of_all_variables_in_float32():
    params = mlp_params(64) + 3 * 2 * 64  # and the moving statistics
    student = sizing.largest(mlp, Budget(kilobytes=-(-params * 4 // 1000)))
    assert (student.network.width, student.cost.bytes) == (64, params * 4)


def test_the_time_is_measured_where_the_counts_allow_it():
    timed = []

    def time(network):
        timed.append(network.width)
        return network.width / 10

    student = sizing.largest(mlp, Budget(params=mlp_params(96), milliseconds=5.0), time)
    assert (student.network.width, student.milliseconds) == (48, 4.8)
    assert max(timed) <= 96
    assert sizing.largest(mlp, Budget(params=mlp_params(32)), time).milliseconds is None
    with pytest.raises(UserError, match=r"no MLPGenerator is within 0.1 ms: .* and 0.8 ms$"):
        sizing.largest(mlp, Budget(milliseconds=0.1), time)


def test_there_is_an_end_to_the_width():
    made = []

    def small(widest):
        made.append(widest)
        return sizing.mlp(widest, 2, (2,))

    assert sizing.largest(small, Budget()).network.width == 1024
    assert sorted(made) == [8, 16, 32, 64, 128, 256, 512, 1024]


def test_networks_far_above_the_budget_are_not_made():
    made = []

    def small(widest):
        made.append(widest)
        return sizing.mlp(widest, 2, (2,))

    student = sizing.largest(small, Budget(mult_adds=2 * 88 + 2 * 88 * 88 + 2 * 88))
    assert student.network.width == 88 and max(made) == 128


@pytest.mark.parametrize(
    ("budget", "named"),
    [(Budget(mult_adds=1000), "1,000 mult-adds"), (Budget(10**9, 5), "1,000,000,000 mult-adds and 5 params")],
)
def test_a_budget_that_is_too_small_names_the_smallest_student(budget, named):
    smallest = f"{dcgan_mult_adds(1):,} mult-adds, 8,745 params and 36 kB"  # rounded up: that many are enough
    with pytest.raises(
        UserError, match=f"^no DCGANGenerator is within {named}: allow the smallest one its {smallest}$"
    ):
        sizing.largest(dcgan, budget)


@pytest.mark.parametrize(
    ("sides", "count", "widths"),
    [
        ((8, 8), 1, (64, 32)),
        ((28, 28), 2, (64, 32, 16)),
        ((32, 32), 3, (64, 32, 16, 8)),
        ((64, 64), 4, (64, 64, 32, 16, 8)),
        ((96, 128), 4, (64, 64, 32, 16, 8)),  # from 6x8
        ((256, 256), 6, (64, 64, 64, 64, 32, 16, 8)),
        ((100, 100), 2, (64, 32, 16)),  # from 25x25
    ],
)
def test_a_dcgan_doubles_as_often_as_its_sides_allow(sides, count, widths):
    assert sizing.doublings((*sides, 3)) == count
    network = sizing.dcgan(64, 4, (*sides, 3))
    assert network.widths == widths and sample_shape_of(network) == (*sides, 3)


@pytest.mark.parametrize("sides", [(33, 32), (32, 33), (6, 6), (4, 64)])
def test_sides_that_a_dcgan_cannot_make(sides):
    with pytest.raises(UserError, match=f"images of {sides[0]}x{sides[1]} need even sides of 8 pixels or more"):
        sizing.dcgan(8, 4, (*sides, 3))
    assert sizing.mlp(8, 4, (*sides, 3)).sample_shape == (*sides, 3)
