"""Where gin files and their includes are found, and the one line that says what is wrong with them."""

import pathlib

import pytest
from support import ROOT

from akdg_tf.errors import UserError
from akdg_tf.training import config
from akdg_tf.training.gin_files import file_statements, find, gin_folder


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def read(path):
    """Place and value of each binding of a file."""
    return [(place, statement.value) for place, statement in file_statements(path)]


def test_the_packages_files_are_found_by_path_and_by_name():
    assert gin_folder() == ROOT / "gin"
    for name in ("toy_ring_akdg", "toy_ring_akdg.gin", "gin/toy_ring_akdg", "gin/toy_ring_akdg.gin"):
        assert find(name) == ROOT / "gin" / "toy_ring_akdg.gin"


@pytest.mark.parametrize("place", ["toy_ring_akdg", "toy_ring_akdg.gin", "gin/toy_ring_akdg.gin"])
def test_the_current_folder_comes_first(place):
    write(place, "A = 1")
    assert find("toy_ring_akdg") == pathlib.Path(place)


def test_a_name_in_another_folder_is_not_looked_up_in_the_package():
    with pytest.raises(UserError, match=r"there is no gin file 'other/toy_ring_akdg.gin'"):
        find("other/toy_ring_akdg.gin")


def test_a_file_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write("x.gin", "A = 1")
    assert find("~/x.gin") == tmp_path / "x.gin"


@pytest.mark.parametrize(
    ("included", "name"),
    [
        ("far/gin/x.gin", "x.gin"),  # beside the including file
        ("far/x.gin", "x.gin"),  # from its parent
        ("far/gin/x.gin", "gin/x.gin"),
        ("x.gin", "x.gin"),  # from the current folder
    ],
)
def test_an_include_is_found(included, name):
    write(included, "A = 1")
    assert read(write("far/gin/main.gin", f"include '{name}'\nB = 2")) == [
        (f"{included}:1", 1),
        ("far/gin/main.gin:2", 2),
    ]


def test_the_file_beside_the_including_one_comes_first():
    for number, folder in enumerate(("far/gin", "far", ".")):
        write(f"{folder}/x.gin", f"A = {number}")
    assert read(write("far/gin/main.gin", "include 'x.gin'")) == [("far/gin/x.gin:1", 0)]


def test_an_include_of_the_packages_files_is_found_last():
    places = [place for place, _ in file_statements(write("main.gin", "include 'gin/toy_ring_teacher.gin'"))]
    assert any(place.startswith(f"{ROOT / 'gin' / 'toy_ring_teacher.gin'}:") for place in places)
    assert f"{ROOT / 'gin' / 'toy.gin'}:3" in places  # included by the one that was included


def test_a_file_may_be_included_twice():
    write("x.gin", "A = 1")
    assert read(write("main.gin", "include 'x.gin'\nA = 2\ninclude 'x.gin'")) == [
        ("x.gin:1", 1),
        ("main.gin:2", 2),
        ("x.gin:1", 1),
    ]


def test_each_binding_of_a_block_has_its_line():
    text = "# head\nR1Penalty:\n    gamma = 1.0  # why\n\n    every = (\n        2)\nA = 3\n"
    assert read(write("main.gin", text)) == [("main.gin:3", 1.0), ("main.gin:5", 2), ("main.gin:7", 3)]


def test_a_mark_of_byte_order_is_passed_over():
    pathlib.Path("main.gin").write_bytes(b"\xef\xbb\xbfA = 1\n")
    assert read(pathlib.Path("main.gin")) == [("main.gin:1", 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("include 'main.gin'", r"^main.gin:1: include 'main.gin' makes a file include itself: remove it$"),
        ("\ninclude 'other.gin'", r"^other.gin:1: include 'main.gin' makes a file include itself: remove it$"),
        ("A = 1\ninclude 'nosuch.gin'", r"^main.gin:2: there is no file 'nosuch.gin' to include$"),
        ("include nosuch", r"^main.gin:1: strings need quotes: 'nosuch'$"),
        (
            "import nosuch",
            r"^main.gin:1: 'import nosuch' fails: No module named 'nosuch'; add its folder to PYTHONPATH$",
        ),
        ("A = 1\nimport broken", r"^main.gin:2: 'import broken' fails: division by zero$"),
        ("from __gin__ import dynamic_registration", r"^main.gin:1: .* is not supported"),
        ("A = 1\n\nB = @NoSuch()", r"^main.gin:3: No configurable matching reference '@NoSuch\(\)'.$"),
        ("NoSuch.width = 1", r"^main.gin:1: No configurable matching 'NoSuch'.$"),
        ("NoSuch:\n  width = 1", r"^main.gin:2: No configurable matching 'NoSuch'.$"),
        ("AKDG.nosuch = 1", r"^main.gin:1: Configurable 'AKDG' doesn't have a parameter named 'nosuch'.$"),
        ("AKDG.seed = 1", r"^main.gin:1: .*'seed'"),
        ("A = 1\nB = (1,", r"^main.gin:2: EOF in multi-line statement$"),
        ("A = 1\n  B", r"^main.gin:2: Couldn't parse statement"),
        ("A = %B", r"^main.gin:1: %B is not bound: add B = VALUE$"),
        ("A = true", r"^main.gin:1: write True or False, not true$"),
        ("A = {'a': (1, false)}", r"^main.gin:1: write True or False, not false$"),
        ("A = null", r"^main.gin:1: write None, not null$"),
        ("A = 1\nDCGANGenerator.widths = (1, a)", r"^main.gin:2: strings need quotes: 'a'$"),
        ("load_teacher.name = runs/x  # mine", r"^main.gin:1: strings need quotes: load_teacher.name='runs/x'$"),
        ("load_teacher.name = /a/b.c-1", r"^main.gin:1: strings need quotes: load_teacher.name='/a/b.c-1'$"),
        ("A = " + "(" * 3000, r"^main.gin:1: "),
        ("\0", r"^main.gin:1: "),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_line(text, says, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    write("broken.py", "1 / 0")
    write("other.gin", "include 'main.gin'")
    write("main.gin", text)
    with pytest.raises(UserError, match=says):
        config.parse(["main.gin"], [])


def test_what_is_not_text_is_one_line():
    pathlib.Path("main.gin").write_bytes(b"A = '\xff'\n")
    with pytest.raises(UserError, match=r"^main.gin cannot be read: it is not UTF-8$"):
        config.parse(["main.gin"], [])


def test_a_file_of_any_size_is_read_at_most_in_part():
    pathlib.Path("main.gin").write_bytes(b"#" * 1_000_001)
    with pytest.raises(UserError, match=r"^main.gin cannot be read: larger than 1 MB$"):
        config.parse(["main.gin"], [])


def test_includes_end_at_some_depth():
    for number in range(60):
        write(f"{number}.gin", f"include '{number + 1}.gin'")
    with pytest.raises(UserError, match=r"^49.gin:1: include '50.gin' is the 50th level of includes"):
        config.parse(["0.gin"], [])


def test_a_folder_is_no_file():
    pathlib.Path("main.gin").mkdir()
    with pytest.raises(UserError, match=r"there is no gin file 'main.gin'"):
        config.parse(["main.gin"], [])
