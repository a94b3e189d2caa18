"""What was changed in an entry: `verify` finds it, and goes on with the others."""

import dataclasses
import re
import shutil

import pytest
from made_up_zoo import change_metrics, random_mlp, write_zoo
from PIL import Image

from akdg_tf.cli.zoo import main
from akdg_tf.zoo import card, checksums
from akdg_tf.zoo.entries import Entry, entries
from akdg_tf.zoo.verify import verify

pytestmark = pytest.mark.usefixtures("folder_with_gin_files")


@pytest.fixture(scope="module")
def made_zoo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "zoo"
    write_zoo(folder, {"t": random_mlp(1), "x": random_mlp(2), "y": random_mlp(3)}, teacher="t")
    return folder


def reseal(entry):
    """Makes card and checksums fit what was changed, so that only the change itself can be found."""
    (entry.folder / "card.md").write_text(card.card(Entry(entry.folder)))
    checksums.seal(entry.folder)


def edit_card(entry, other):
    (entry.folder / "card.md").write_text("The best generator there is.\n")


def add_file(entry, other):
    (entry.folder / "saved_model" / "more.txt").write_text("more")


def remove_file(entry, other):
    (entry.folder / "config.gin").unlink()


def write_a_wrong_card(entry, other):
    with (entry.folder / "card.md").open("a") as file:
        file.write("Its licence is another one.\n")
    checksums.seal(entry.folder)


def exchange_what_the_folder_itself_loads(entry, other):
    (entry.folder / "saved_model.pb").unlink()
    shutil.copy(other.folder / "saved_model" / "saved_model.pb", entry.folder)


def remove_the_litert_model(entry, other):
    (entry.folder / "model.tflite").unlink()
    reseal(entry)


def link_to_a_file_elsewhere(entry, other):
    (entry.folder / "card.md").unlink()
    (entry.folder / "card.md").symlink_to(other.folder / "card.md")


def cut_the_variables_short(entry, other):
    for path in (entry.folder / "saved_model" / "variables").glob("variables.data*"):
        path.write_bytes(path.read_bytes()[:10])
    reseal(entry)


def remove_the_scores(entry, other):
    network = dataclasses.asdict(dataclasses.replace(entry.result.network, scores={}))
    change_metrics(entry, network=network, over_seeds={}, unscored=True)
    reseal(entry)


def configure_nonsense(entry, other):
    (entry.folder / "config.gin").write_text("nonsense\n")
    reseal(entry)


def write_no_object(entry, other):
    (entry.folder / "metrics.json").write_text("5")
    checksums.seal(entry.folder)


def claim(entry, part, **changes):
    """Changes what metrics.json states of a part of the result."""
    stated = dataclasses.replace(getattr(entry.result, part), **changes)
    change_metrics(entry, **{part: dataclasses.asdict(stated)})
    reseal(entry)


def claim_fewer_params(entry, other):
    claim(entry, "network", params=1)


def claim_a_cheaper_teacher(entry, other):
    claim(entry, "teacher", mult_adds=1)


def claim_a_smaller_file(entry, other):
    claim(entry, "network", file_size=1)


def claim_a_smaller_zip(entry, other):
    claim(entry, "network", compressed_size=1)


def claim_other_weights(entry, other):
    claim(entry, "litert", weights="int8")


def claim_a_smaller_litert_model(entry, other):
    claim(entry, "litert", file_size=1)


def claim_another_difference(entry, other):
    claim(entry, "litert", max_difference=0.1)


def forget_the_seed(entry, other):
    change_metrics(entry, seed=None)
    checksums.seal(entry.folder)


def take_the_others_name(entry, other):
    change_metrics(entry, experiment="y")
    checksums.seal(entry.folder)


def become_the_other_entry(entry, other):
    shutil.rmtree(entry.folder)
    shutil.copytree(other.folder, entry.folder, symlinks=True)


def break_the_saved_model(entry, other):
    (entry.folder / "saved_model" / "saved_model.pb").write_bytes(b"broken")
    reseal(entry)


def show_better_samples(entry, other):
    picture = Image.open(entry.folder / "samples.png")
    picture.putpixel((3, 5), tuple((value + 2) % 256 for value in picture.getpixel((3, 5))))
    picture.save(entry.folder / "samples.png")
    reseal(entry)


def exchange_the_litert_model(entry, other):
    shutil.copy(other.folder / "model.tflite", entry.folder / "model.tflite")
    reseal(entry)


def exchange_the_onnx_model(entry, other):
    shutil.copy(other.folder / "model.onnx", entry.folder / "model.onnx")
    reseal(entry)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit_card, "card.md was changed"),
        (add_file, "saved_model/more.txt is not listed in SHA256SUMS"),
        (remove_file, "config.gin is missing"),
        (write_a_wrong_card, "card.md does not fit metrics.json"),
        (exchange_what_the_folder_itself_loads, "x/saved_model.pb must be a link to saved_model/saved_model.pb"),
        (remove_the_litert_model, "x is not a correct entry of a student: it lacks model.tflite"),
        (link_to_a_file_elsewhere, "card.md was changed|card.md is not listed in SHA256SUMS, or is a link"),
        (forget_the_seed, "x/metrics.json: the field seed must be an integer"),
        (take_the_others_name, "x/metrics.json belongs to the entry 'y', but its folder is 'x'"),
        (become_the_other_entry, "x/metrics.json belongs to the entry 'y', but its folder is 'x'"),
        (write_no_object, "x/metrics.json is damaged: it must hold a JSON object"),
        (remove_the_scores, "metrics.json marks it as unscored, but its config.gin binds evaluations"),
        (configure_nonsense, "x/config.gin:1: Couldn.t parse statement"),
        (break_the_saved_model, "cannot be loaded: it is damaged"),
        (cut_the_variables_short, "cannot be loaded: it is damaged"),
        (claim_fewer_params, r"zoo/x: params is \d+, not 1"),
        (claim_a_cheaper_teacher, r"the teacher's mult_adds is \d+, not 1"),
        (claim_a_smaller_file, r"file_size is \d+, not 1"),
        (claim_a_smaller_zip, r"compressed_size is \d+, not 1"),
        (claim_a_smaller_litert_model, r"model.tflite has \d+ bytes, not 1"),
        (claim_another_difference, r"model.tflite differs from m\(z\) by [\d.e-]+, not by 1.0e-01"),
        (claim_other_weights, "the weights of model.tflite are in float32, not in int8"),
        (show_better_samples, "samples.png is not what the generator draws: 2 gray levels apart|254 gray levels"),
        (exchange_the_litert_model, r"model.tflite differs from m\(z\) by"),
        (exchange_the_onnx_model, r"model.onnx differs from m\(z\) by"),
    ],
)
def test_verify_finds_what_was_changed(made_zoo, tmp_path, change, says, capsys):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    x, y = Entry(tmp_path / "zoo" / "x"), Entry(tmp_path / "zoo" / "y")
    change(x, y)
    with pytest.raises(SystemExit, match="2"):
        main(["verify", "x"])
    printed = capsys.readouterr()
    assert re.search(f"x: FAILED: .*({says})", printed.out), printed.out
    assert printed.err == "akdg zoo: 1 of 1 entries failed: see the lines with FAILED\n"


def test_verify_goes_on_after_an_entry_that_fails(made_zoo, tmp_path, capsys):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    x = Entry(tmp_path / "zoo" / "x")
    assert verify(x)["counts"].startswith(f"{x.result.network.params} params")
    edit_card(x, None)
    with pytest.raises(SystemExit, match="2"):
        main(["verify"])
    printed = capsys.readouterr()
    assert "x: FAILED: " in printed.out and "y: checksums" in printed.out
    assert printed.err == "akdg zoo: 1 of 3 entries failed: see the lines with FAILED\n"


def test_cards_are_written_anew_but_of_no_changed_entry(made_zoo, tmp_path):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    entry = Entry(tmp_path / "zoo" / "x")
    (entry.folder / "card.md").write_text("an older wording")
    checksums.seal(entry.folder)
    (tmp_path / "zoo" / "README.md").write_text("# The zoo, in an older wording")
    main(["cards"])
    main(["verify"])
    edit_card(entry, entry)
    with pytest.raises(SystemExit, match="2"):
        main(["cards"])


def test_what_is_being_made_is_no_entry(made_zoo, tmp_path):
    shutil.copytree(made_zoo, tmp_path / "zoo", symlinks=True)
    (tmp_path / "zoo" / "x").rename(tmp_path / "zoo" / "x.part")
    assert [entry.folder.name for entry in entries(tmp_path / "zoo")] == ["t", "y"]
