"""Datasets by name, and their pipeline."""

import pytest

from akdg_tf.data import load_dataset
from akdg_tf.errors import UserError


def test_an_unknown_dataset_is_named_with_the_known_ones():
    with pytest.raises(UserError, match=r"'nosuch'.*grid.*mnist5k.*ring"):
        load_dataset("nosuch")
