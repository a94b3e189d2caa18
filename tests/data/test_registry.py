"""Datasets by name, and their pipeline."""

import pytest
import tensorflow as tf

import akdg_tf
from akdg_tf.data import by_step, load_dataset, registry
from akdg_tf.errors import UserError


def test_an_unknown_dataset_is_named_with_the_known_ones():
    with pytest.raises(UserError, match=r"'nosuch'.*grid.*mnist5k.*ring"):
        load_dataset("nosuch")


@pytest.fixture
def registered(monkeypatch):
    """A dataset of one's own, which keeps what its loader was called with."""
    for table in ("_LOADERS", "_OPTIONS"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    calls = []

    @akdg_tf.register_dataset("mine")
    def load_mine(data_dir=None, sample_shape=None):
        calls.append((data_dir, sample_shape))
        return object()

    yield calls
    load_dataset.cache_clear()


def test_a_dataset_of_ones_own_is_given_folder_and_shape_and_loaded_once(registered):
    first = load_dataset("mine", "folder", (8, 8, 1))
    assert load_dataset("mine", "folder", (8, 8, 1)) is first
    assert load_dataset("mine", "folder", (4, 4, 1)) is not first
    assert registered == [("folder", (8, 8, 1)), ("folder", (4, 4, 1))]
    assert registry.check_name("mine") == "mine"


def test_a_file_in_place_of_the_data_folder_is_one_line(registered, tmp_path):
    (tmp_path / "images.zip").write_bytes(b"PK")
    with pytest.raises(
        UserError, match=r"images\.zip is a file: give the folder with the data; unpack an archive first"
    ):
        load_dataset("mine", tmp_path / "images.zip")
    assert not registered


def test_the_home_folder_is_found(registered, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    load_dataset("mine", "~/photos")
    assert registered == [(str(tmp_path / "photos"), None)]
    with pytest.raises(UserError, match="~nosuch/x: the home folder is unknown"):
        load_dataset("mine", "~nosuch/x")


def test_an_option_goes_to_the_dataset_that_takes_it_and_no_other(registered):
    @akdg_tf.register_dataset("drawn", options=("background",))
    def load_drawn(data_dir=None, sample_shape=None, background="none"):
        return [background]

    assert load_dataset("drawn", background="red") == ["red"] and load_dataset("drawn") == ["none"]
    with pytest.raises(UserError, match=r"dataset 'mine' takes no background: omit it, or bind no Data\.background"):
        load_dataset("mine", background="red")


def test_a_pipeline_gives_the_batches_of_its_steps_in_order():
    assert [int(value) for value in by_step(lambda step: step * step, 3, 7)] == [9, 16, 25, 36]


def test_a_pipeline_is_neither_tuned_nor_sharded():
    """The tuner's thread would hold up the end of `fit`; the strategy splits the global batch itself."""
    options = by_step(lambda step: step, 0, 1).options()
    assert options.autotune.enabled is False
    assert options.experimental_distribute.auto_shard_policy is tf.data.experimental.AutoShardPolicy.OFF


@pytest.mark.parametrize(
    ("shape", "expected"), [((4, 32, 32, 3), 8), ((512, 256, 256, 3), 1), ((2048, 256, 256, 3), 1)]
)
def test_fewer_large_batches_are_made_in_advance(shape, expected):
    assert registry._prefetched(tf.TensorSpec(shape)) == expected
    assert registry._prefetched((tf.TensorSpec((64, 256, 256, 3)), tf.TensorSpec((64,), tf.int64))) == 8
