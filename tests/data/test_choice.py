"""The data that an experiment is bound to."""

import pytest

from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError


def test_images_are_not_mirrored_unless_it_is_said():
    assert Data("mnist5k") == Data("mnist5k", flip=False)


def test_an_unknown_name_is_refused_as_soon_as_it_is_bound():
    with pytest.raises(UserError, match=r"unknown dataset 'nosuch': choose one of .*cifar10.*ring"):
        Data("nosuch")


def test_only_another_background_than_white_is_passed_on():
    assert Data("mnist5k").background == (255, 255, 255) and Data("mnist5k").options == {}
    assert Data("folder", background=(0, 9, 255)).options == {"background": (0, 9, 255)}


def test_the_name_of_a_tfds_dataset_is_passed_on():
    assert Data("tfds", tfds_name="lsun/bedroom").options == {"tfds_name": "lsun/bedroom"}
    assert Data("tfds", background=(0, 9, 255), tfds_name="x").options == {"background": (0, 9, 255), "tfds_name": "x"}


@pytest.mark.parametrize("color", ["white", (0, 0), (0, 0, 256), (0, -1, 0), (0.5, 0, 0), [0, 0, 0], 255, None])
def test_a_background_that_is_no_color_is_refused_as_soon_as_it_is_bound(color):
    with pytest.raises(UserError, match=r"Data\.background is .*: bind \(red, green, blue\), each from 0 to 255"):
        Data("folder", background=color)
