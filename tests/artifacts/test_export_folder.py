"""`akdg_tf.export` writes only where nothing is lost, and says in one line what it cannot export."""

import pathlib

import keras
import pytest

import akdg_tf
from akdg_tf.artifacts import export_checks
from akdg_tf.errors import UserError


def generator(activation="tanh"):
    layers = [keras.layers.Dense(12, activation=activation), keras.layers.Reshape((2, 2, 3))]
    return keras.Sequential([keras.Input((3,)), *layers])


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with one export, twice written."""
    folder = tmp_path_factory.mktemp("exported") / "mine"
    for exports in ((akdg_tf.LiteRT(),), ()):
        akdg_tf.export(generator(), folder, exports=exports)
    return folder


def test_an_export_replaces_an_export(exported):
    assert (exported / "saved_model.pb").exists() and not (exported / "model.tflite").exists()
    assert [path.name for path in exported.parent.iterdir()] == ["mine"]
    assert export_checks.free_folder(exported) == exported.resolve()


@pytest.mark.parametrize(
    "names",
    [
        ["proj/important.txt"],
        ["proj/config.gin", "proj/checkpoints/ckpt-4.index", "proj/saved_model/saved_model.pb"],
        ["proj/saved_model.pb", "proj/variables/variables.index"],  # somebody else's SavedModel
        ["proj/assets.extra/generator.json", "proj/notes.txt"],
        ["proj/assets.extra/generator.json", "proj/variables/mine.txt"],
        ["proj"],
    ],
)
def test_whatever_else_is_there_stays(names, tmp_path):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=r"proj (holds something else \(.*\)|is a file): give a new folder"):
        akdg_tf.export(generator(), tmp_path / "proj")
    assert contents(tmp_path) == before


def test_links_and_similar_names_are_not_lost(tmp_path, exported):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert export_checks.free_folder(tmp_path / "link") == (tmp_path / "real").resolve()
    (tmp_path / "real" / "pointer").symlink_to(exported)
    with pytest.raises(UserError, match=r"real holds something else \(pointer\)"):
        export_checks.free_folder(tmp_path / "link")


@pytest.mark.parametrize("folder", [".", "", "..", "~", "/"])
def test_the_current_folder_is_refused_and_the_home_folder_is_kept(folder, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    (home / ".profile").write_text("mine")
    monkeypatch.chdir(home / "work")
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(UserError, match="is the current folder, or holds it: give a new folder"):
        akdg_tf.export(generator(), folder)
    monkeypatch.chdir(tmp_path)
    if folder == "~":
        with pytest.raises(UserError, match=r"home holds something else \(.profile\)"):
            akdg_tf.export(generator(), folder)
    assert contents(home) == {".profile": b"mine"} and (home / "work").is_dir()


@pytest.mark.parametrize(
    ("exports", "says"),
    [
        (akdg_tf.LiteRT(), r"exports is LiteRT\(weights='float32'\): give a tuple such as"),
        ("onnx", "exports is 'onnx': give a tuple such as"),
        (("onnx",), "exports holds 'onnx': give a tuple such as"),
        ((akdg_tf.ONNX,), "exports holds the class ONNX: .* with brackets behind each name"),
    ],
)
def test_what_is_no_list_of_exports_is_one_line(exports, says, tmp_path):
    with pytest.raises(UserError, match=says):
        akdg_tf.export(generator(), tmp_path / "mine", exports=exports)
    assert not list(tmp_path.iterdir())


def test_a_model_of_several_outputs_is_one_line(tmp_path):
    z = keras.Input((3,))
    images = generator()(z)
    for outputs, kind in (([images, z], "list"), ({"images": images}, "dict")):
        with pytest.raises(UserError, match=f"gives a {kind} of {len(outputs)} outputs: give one output"):
            akdg_tf.export(keras.Model(z, outputs), tmp_path / "mine")


@pytest.mark.parametrize(("activation", "warned"), [("sigmoid", True), ("tanh", False)])
def test_images_that_seem_to_be_in_0_to_1_are_warned_of(activation, warned, caplog):
    export_checks.check_samples(generator(activation))
    assert [message.partition(":")[2] for message in caplog.messages] == warned * [
        " scale them to [-1, 1]; the export takes -1 for black and 1 for white"
    ]


def test_the_patterns_are_those_of_what_is_written(exported):
    assert set(contents(exported)) == {
        "saved_model.pb",
        "fingerprint.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "assets.extra/generator.json",
        "assets.extra/network.json",
    }
    assert pathlib.Path(export_checks.MARK).name == "generator.json"
