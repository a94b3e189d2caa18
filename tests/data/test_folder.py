"""Any folder of images: found at any depth, brought to one shape, read as they are needed, unreadable ones skipped."""

import logging
import os
import shutil

import contracts
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from akdg_tf.data import by_step, image_reader, load_dataset
from akdg_tf.data import folder as folder_module
from akdg_tf.data.choice import Data
from akdg_tf.data.folder import ImageFolder, load_folder
from akdg_tf.data.images import to_uint8
from akdg_tf.errors import UserError
from akdg_tf.training.failures import failure_of

SHAPE = (8, 8, 3)


def save(path, color, size=(8, 8), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **({"lossless": True} if path.suffix == ".webp" else {}))


@pytest.fixture
def folder(tmp_path):
    """Four images, of four kinds and depths, whose red tells them apart, and a file that is none."""
    save(tmp_path / "a.png", (10, 0, 0))
    save(tmp_path / "cats" / "b.webp", (80, 0, 0))
    save(tmp_path / "cats" / "old" / "c.JPG", (160, 0, 0))
    save(tmp_path / "dogs" / "d.jpeg", (240, 0, 0))
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def reds(images):
    return np.rint(np.asarray(images)[:, 4, 4, 0] / 10).astype(int).tolist()


def test_every_image_is_found_at_any_depth_and_read_once_an_epoch(folder):
    dataset = ImageFolder(folder, SHAPE)
    assert dataset.size == 4 and dataset.split == f"4 files of {folder.name}"
    drawn = [reds(to_uint8(dataset.batch(tf.constant(step, tf.int64), 2, 0).numpy())) for step in range(4)]
    assert sorted(drawn[0] + drawn[1]) == sorted(drawn[2] + drawn[3]) == [1, 8, 16, 24]
    assert reds(to_uint8(dataset.reals(9, 0))) != reds(to_uint8(dataset.reals(9, 1)))  # an order for each seed
    assert sorted(reds(to_uint8(dataset.reals(9, 0)))) == [1, 8, 16, 24]


def test_a_batch_follows_from_seed_and_step_alone_inside_a_pipeline_too(folder):
    dataset = ImageFolder(folder, SHAPE)
    batch = tf.data.Dataset.range(2, 3).map(lambda step: dataset.batch(step, 3, 7)).get_single_element()
    assert batch.shape == (3, *SHAPE) and batch.dtype == tf.float32
    np.testing.assert_array_equal(batch, dataset.batch(tf.constant(2, tf.int64), 3, 7))


def test_an_image_is_resized_by_its_shorter_side_and_cropped_at_its_centre(tmp_path):
    """64 x 16, in four squares of 16: what remains is half of the second and half of the third."""
    strip = np.zeros((16, 64, 3), np.uint8)
    strip[:, 16:32, 1], strip[:, 32:48, 2] = 200, 200
    strip[:, :16, 0] = strip[:, 48:, 0] = 200
    Image.fromarray(strip).save(tmp_path / "strip.png")
    (image,) = ImageFolder(tmp_path, SHAPE).read([0])
    assert image[:, :, 0].max() == 0  # no red
    np.testing.assert_allclose(image[:, :3], np.broadcast_to([0, 200, 0], (8, 3, 3)), atol=3)  # bicubic overshoots
    np.testing.assert_allclose(image[:, 5:], np.broadcast_to([0, 0, 200], (8, 3, 3)), atol=3)


@pytest.mark.parametrize(
    ("mode", "color"), [("RGBA", (90, 90, 90, 255)), ("L", 90), ("P", 90), ("CMYK", (0, 0, 0, 165))]
)
def test_images_of_any_mode_are_brought_to_the_channels_wanted(tmp_path, mode, color):
    save(tmp_path / ("x.jpg" if mode == "CMYK" else "x.png"), color, mode=mode)
    assert ImageFolder(tmp_path, (8, 8, 3)).read([0]).shape == (1, 8, 8, 3)
    assert ImageFolder(tmp_path, (8, 8, 1)).read([0]).shape == (1, 8, 8, 1)


def test_unreadable_files_are_named_once_with_the_count_and_the_next_one_stands_in(folder, caplog):
    (folder / "cats" / "empty.png").write_bytes(b"")
    content = (folder / "dogs" / "d.jpeg").read_bytes()
    (folder / "cats" / "cut.jpg").write_bytes(content[: len(content) // 3])
    with caplog.at_level(logging.WARNING):
        dataset = ImageFolder(folder, SHAPE)
        images = [dataset.batch(tf.constant(step, tf.int64), 6, 0) for step in range(3)]
    assert {red for batch in images for red in reds(to_uint8(batch.numpy()))} == {1, 8, 16, 24}
    assert dataset.unreadable == {"cats/empty.png", "cats/cut.jpg"}
    assert len(caplog.records) == 2
    assert "2 unreadable so far" in caplog.records[1].getMessage()
    assert all(any(repr(name) in record.getMessage() for record in caplog.records) for name in dataset.unreadable)


def test_a_file_that_vanishes_is_skipped_and_read_again_when_it_is_back(folder):
    dataset = ImageFolder(folder, SHAPE)
    content, before = (folder / "a.png").read_bytes(), dataset.digest()
    (folder / "a.png").unlink()
    assert sorted(set(reds(dataset.read(range(4))))) == [8, 16, 24]
    assert dataset.digest() != before
    (folder / "a.png").write_bytes(content)
    assert reds(dataset.read(range(4))) == [1, 8, 16, 24]


def test_real_images_of_a_metric_are_those_that_can_be_read_each_once(folder):
    for number in range(9):
        (folder / f"broken{number}.png").write_bytes(b"")
    dataset = ImageFolder(folder, SHAPE)
    assert sorted(reds(to_uint8(dataset.reals(13, 0)))) == [1, 8, 16, 24]
    assert len(dataset.reals(3, 0)) == 3


def test_what_only_looks_like_an_image_file_is_skipped(folder):
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    (folder / "link.png").symlink_to(folder / "nowhere")
    Image.new("RGB", (8, 8), (240, 0, 0)).save(folder / "postscript.png", format="EPS")
    (folder / os.fsdecode(b"latin1-\xff.png")).write_bytes((folder / "a.png").read_bytes())
    dataset = ImageFolder(folder, SHAPE)
    assert sorted(reds(to_uint8(dataset.reals(20, 0)))) == [1, 1, 8, 16, 24]
    assert dataset.unreadable == {"pipe.png", "link.png", "postscript.png"}
    assert dataset.digest()


def test_the_digest_is_of_the_files_and_of_how_they_are_read(folder, monkeypatch):
    first = ImageFolder(folder, SHAPE).digest()
    assert ImageFolder(folder, SHAPE).digest() == first
    assert ImageFolder(folder, (4, 4, 3)).digest() != first
    assert ImageFolder(folder, SHAPE, background=(0, 0, 0)).digest() != first
    monkeypatch.setattr(image_reader, "VERSION", image_reader.VERSION + 1)
    assert ImageFolder(folder, SHAPE).digest() != first
    monkeypatch.undo()
    save(folder / "e.png", (1, 2, 3))
    assert ImageFolder(folder, SHAPE).digest() != first


def test_hidden_colors_are_not_trained_on_but_the_color_that_is_bound(tmp_path):
    save(tmp_path / "cut_out.png", (200, 0, 0, 0), mode="RGBA")
    data = Data("folder", background=(0, 128, 255))
    for dataset, color in (
        (load_dataset("folder", tmp_path, SHAPE), (255, 255, 255)),
        (load_dataset("folder", tmp_path, SHAPE, **data.options), (0, 128, 255)),
    ):
        images = to_uint8(dataset.batch(tf.constant(0, tf.int64), 1, 0).numpy())
        np.testing.assert_array_equal(images, np.broadcast_to(color, (1, *SHAPE)))


def test_all_files_of_a_small_folder_are_tried_and_some_of_a_large_one(folder, caplog, monkeypatch):
    (folder / "z.png").write_bytes(b"no image")
    with caplog.at_level(logging.INFO):
        ImageFolder(folder, SHAPE)
    assert f"{folder}: 4 of the 5 images can be read" in caplog.messages
    monkeypatch.setattr(folder_module, "CHECKED", 2)
    with caplog.at_level(logging.INFO):
        dataset = ImageFolder(folder, SHAPE)
    assert f"{folder}: 2 of the 2 images tried of 5 can be read" in caplog.messages
    assert dataset.unreadable == set()  # the others are tried when they are needed


def test_many_unreadable_files_are_counted_and_not_all_named(folder, caplog):
    for number in range(100):
        (folder / f"broken{number:03}.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert len(ImageFolder(folder, SHAPE).unreadable) == 100
    assert len(caplog.messages) == 20 + 2
    assert caplog.messages[-2:] == [f"skipping unreadable files: {count} so far" for count in (40, 80)]


def test_a_folder_that_goes_away_during_a_training_is_one_line_and_no_warning_per_file(folder, caplog):
    dataset = ImageFolder(folder, SHAPE)
    batches = iter(by_step(lambda step: dataset.batch(step, 4, 0), 0, 1000))
    next(batches)
    folder.rename(folder.with_name("elsewhere"))
    with caplog.at_level(logging.WARNING), pytest.raises(tf.errors.OpError) as caught:
        for _ in batches:
            pass
    assert failure_of(caught.value) == f"the data folder {folder} is gone: bring it back"
    assert not caplog.messages
    with pytest.raises(UserError, match="is gone: bring it back"):
        dataset.reals(4, 0)


def test_a_folder_that_is_emptied_during_a_training_is_one_line(folder):
    """As a drive is that is no longer mounted."""
    dataset = ImageFolder(folder, SHAPE)
    shutil.move(folder / "a.png", folder.with_name("kept"))
    for name in ("cats", "dogs"):
        shutil.rmtree(folder / name)
    with pytest.raises(tf.errors.OpError) as caught:
        next(iter(by_step(lambda step: dataset.batch(step, 4, 0), 0, 1)))
    assert failure_of(caught.value).startswith(f"none of the 4 images in {folder} can be read: bring back")
    with pytest.raises(UserError, match="none of the 4 images"):
        dataset.reals(4, 0)


def test_a_folder_whose_name_is_not_utf8_has_a_split_that_can_be_written(folder):
    named = folder / os.fsdecode(b"caf\xe9")
    (folder / "cats").rename(named)
    assert ImageFolder(named, SHAPE).split == "2 files of caf\N{REPLACEMENT CHARACTER}"


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        ImageFolder(tmp_path / "nowhere", SHAPE)
    with pytest.raises(UserError, match=r"there is no image in .* at any depth$"):
        ImageFolder(tmp_path, SHAPE)
    (tmp_path / "a.heic").touch()
    (tmp_path / ".b.png").touch()
    with pytest.raises(UserError, match=r"there is no image in .* at any depth \(found 1 \.heic, 1 left out\)$"):
        ImageFolder(tmp_path, SHAPE)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match="none of the 1 images"):
        ImageFolder(tmp_path, SHAPE)
    with pytest.raises(UserError, match="--data_dir"):
        load_folder(None)
    with pytest.raises(UserError, match="shape"):
        ImageFolder(tmp_path, (2,))


def test_a_folder_keeps_the_contract_of_datasets(folder):
    contracts.dataset_contract(ImageFolder(folder, SHAPE))
