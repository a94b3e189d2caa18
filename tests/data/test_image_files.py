"""Which files below a folder are data."""

import logging
import os

import pytest

from akdg_tf.data.image_files import SUFFIXES, find_images
from akdg_tf.training.workdir import Run


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@pytest.fixture
def folder(tmp_path):
    touch(tmp_path, "b.png", "a.PNG", "cats/c.jpeg", "cats/old/d.jfif", "e.tif", "f.TIFF", "g.bmp", "h.gif", "i.jpe")
    touch(tmp_path, "j.webp", "k.jpg", "notes.txt")
    return tmp_path


NAMES = ["a.PNG", "b.png", "cats/c.jpeg", "cats/old/d.jfif", "e.tif", "f.TIFF", "g.bmp", "h.gif", "i.jpe", "j.webp"]
NAMES += ["k.jpg"]


def test_images_are_found_at_any_depth_in_one_order(folder):
    found = find_images(folder)
    assert (found.paths, found.left_out, dict(found.not_read)) == (NAMES, 0, {})
    assert {os.path.splitext(name)[1].lower() for name in NAMES} == set(SUFFIXES)


def test_hidden_and_systems_files_are_left_out_with_one_line_that_counts_them(folder, caplog):
    touch(folder, ".ipynb_checkpoints/a-checkpoint.png", "._a.png", "cats/._c.jpeg", "__MACOSX/cats/._c.jpeg")
    touch(folder, "cats/@eaDir/c.jpeg/THUMB.jpg", ".cache/deep/x.png", "$RECYCLE.BIN/y.bmp", ".DS_Store", ".git/z.txt")
    found = find_images(folder)
    assert found.paths == NAMES and found.left_out == 7
    with caplog.at_level(logging.INFO):
        found.log(folder)
    (message,) = caplog.messages
    assert f"{folder}: 7 image files are left out: they are hidden" in message


def test_only_names_below_the_folder_count(tmp_path):
    folder = tmp_path / ".cache" / "__MACOSX" / "runs"
    touch(folder, "a.png")
    touch(folder, "config.gin")
    assert find_images(folder).paths == ["a.png"]


def test_the_pictures_of_runs_inside_the_data_folder_are_no_data(folder):
    """Neither of this run nor of others, nor the reports beside them."""
    run = Run(folder / "cats" / "my_run", "x")
    with run.claim():
        touch(run.workdir, "samples.png", "saved_model/picture.png")
    with Run(folder / "runs" / "x", "x").claim():
        touch(folder, "runs/x/samples.png", "runs/report/mnist_mlp.png")
    found = find_images(folder)
    assert found.paths == NAMES and found.left_out == 4


def test_a_folder_that_is_called_runs_may_hold_data(folder):
    touch(folder, "runs/a.png", "runs/more/b.png")
    found = find_images(folder)
    assert found.paths == [*NAMES, "runs/a.png", "runs/more/b.png"] and found.left_out == 0


def test_other_images_are_counted_by_their_suffix(folder, caplog):
    touch(folder, "a.heic", "cats/b.HEIC", "c.avif", "d.psd", "e.svg", "f.csv", ".hidden.heic")
    found = find_images(folder)
    assert found.paths == NAMES and found.others() == "1 .avif, 2 .heic, 1 .psd, 1 .svg"
    with caplog.at_level(logging.INFO):
        found.log(folder)
    (message,) = caplog.messages
    assert message.startswith(f"{folder}: not read, because only .png,") and message.endswith(found.others())


def test_links_that_lead_back_are_followed_once(folder):
    for name in ("loop", "again"):
        (folder / "cats" / name).symlink_to(folder)
    assert find_images(folder).paths == NAMES


def test_a_hidden_link_does_not_hide_what_it_leads_to(folder):
    (folder / ".link").symlink_to(folder / "cats")
    assert find_images(folder).paths == NAMES


def test_of_two_links_to_one_folder_the_first_by_name_is_taken(folder, tmp_path_factory):
    target = tmp_path_factory.mktemp("target")
    touch(target, "x.png")
    for name in ("zz", "mm", "nn"):
        (folder / name).symlink_to(target)
    assert find_images(folder).paths == [*NAMES, "mm/x.png"]
