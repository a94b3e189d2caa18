"""The data that an experiment is bound to."""

import pytest

from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError


def test_images_are_not_mirrored_unless_it_is_said():
    assert Data("mnist5k") == Data("mnist5k", flip=False)


def test_an_unknown_name_is_refused_as_soon_as_it_is_bound():
    with pytest.raises(UserError, match=r"unknown dataset 'nosuch': choose one of .*cifar10.*ring"):
        Data("nosuch")
