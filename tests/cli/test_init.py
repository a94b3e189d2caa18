"""`akdg init`: the file that it writes is an experiment that builds, and what is wrong is one line."""

import argparse
import logging
import os
import pathlib
import shlex
import sys

import gin
import numpy as np
import pytest
from PIL import Image
from support import ROOT

from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.cli import init, init_command, zoo
from akdg_tf.models import DCGANGenerator, MLPGenerator
from akdg_tf.teachers import load as teachers
from akdg_tf.training import config
from akdg_tf.training.workdir import Run
from akdg_tf.zoo.entries import Entry

FUNCTION = """import numpy as np

def generate(z):
    return np.tile(np.tanh(z[:, :1, None, None]), (1, 3, 16, 24)) / 2 + 0.5
"""
NO_DATA = ["--teacher=big", "--student=mlp", "--max_params=20K"]


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """A folder with teachers and data: SavedModels `big`, `tiny` and `points`, images, a function."""
    folder = tmp_path_factory.mktemp("things")
    networks = {"big": DCGANGenerator(6, (16, 16, 3), (64, 32, 16)), "tiny": MLPGenerator(2, (16, 16, 3), 1, 1)}
    networks |= {"points": MLPGenerator(2, (2,), 4, 1), "gray": DCGANGenerator(6, (16, 16, 1), (64, 32, 16))}
    for name, network in networks.items():
        output_range = (-1, 1) if name == "points" else (0, 1)
        export_generator(detached_copy(network), folder / name, output_range)
    (folder / "images").mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (12, 33, 40, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    (folder / "own_function_of_noise.py").write_text(FUNCTION)
    (folder / "arrays").mkdir()
    np.save(folder / "arrays" / "images.npy", np.zeros((20, 16, 16, 3), np.uint8))
    (folder / "a.zip").write_bytes(b"")
    (folder / "mine.gin").write_text("# mine\n")
    yield folder
    teachers._loaded.cache_clear()


@pytest.fixture(autouse=True)
def _here(things, tmp_path, monkeypatch):
    """An empty folder with links to the teachers and the data."""
    for thing in things.iterdir():
        (tmp_path / thing.name).symlink_to(thing)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def written(capsys, *arguments):
    """Runs the command. Returns the words of the command that it prints."""
    init.main(list(arguments))
    return shlex.split(capsys.readouterr().out)


def built(name, data_dir=None):
    """The experiment of a gin file, as `akdg run` makes it, with its data, trainer and costs."""
    config.parse([f"{name}.gin"], [])
    made = config.build(Run(pathlib.Path("run"), name, smoke=True, data_dir=data_dir))
    with config.explained():
        made.prepare_data(evaluating=False)
        return made, made.trainer, made.describe()


def test_a_student_of_a_folder_of_images(capsys):
    command = written(capsys, "--teacher=big", "--data=images")
    assert command == ["akdg", "run", "--gin_file=big_dcgan_akdg.gin", "--data_dir=images"]
    made, trainer, costs = built("big_dcgan_akdg", "images")
    network, teacher = costs["network"], costs["teacher"]
    dense, convs, last = 6 * 16 * 64, 64 * 9 * 64 * 32 + 256 * 9 * 32 * 16, 256 * 9 * 16 * 3
    assert teacher["mult_adds"] == dense + convs + last
    widths = made.generator.widths
    assert widths == (16, 8, 4) and network["latent_dim"] == 6
    assert network["mult_adds"] == dense // 4 + convs // 16 + last // 4 <= teacher["mult_adds"] // 10
    assert made.dataset.name == "folder" and made.dataset.sample_shape == (16, 16, 3)
    assert [each.name for each in trainer.adversaries] == ["d_s", "d_kd"]
    assert gin.query_parameter("load_classifier.name") == "imagenet_efficientnet_lite0"


def test_an_mlp_without_real_images(capsys):
    command = written(capsys, *NO_DATA, "--name=blind")
    assert command == ["akdg", "run", "--gin_file=blind.gin"]
    made, trainer, costs = built("blind")
    w = made.generator.width
    params = [6 * n + n + 2 * (n * n + n) + 6 * n + 768 * n + 768 for n in (w, w + 8)]
    assert costs["network"]["params"] == params[0] <= 20_000 < params[1]
    assert made.materials.data.name == "teacher" and [each.name for each in trainer.adversaries] == ["d_kd"]


def test_every_line_says_what_it_decides_and_is_read(capsys):
    written(capsys, "--teacher=big", "--data=images")
    text = pathlib.Path("big_dcgan_akdg.gin").read_text()
    bindings = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert 30 < len(bindings) < 45 and all("  # " in line for line in bindings)
    assert "include" not in text and "import" not in text and max(map(len, text.splitlines())) <= 120
    config.parse(["big_dcgan_akdg.gin"], [])
    read = config.listing().splitlines()
    assert len(read) == len(bindings)


def test_mnist_is_scored_over_its_own_classifier(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(init_command, "write_text", lambda path, text: texts.append((path, text)))
    texts = []
    command = written(capsys, "--teacher=mnist_sngan_teacher", "--data=mnist5k")
    ((path, text),) = texts
    assert command == ["akdg", "run", f"--gin_file={path}"] and str(path) == "mnist_sngan_dcgan_akdg.gin"
    assert "\nDCGANGenerator.widths = (72, 36, 18, 9)  #" in text
    assert "\nload_classifier.name = 'mnist_classifier'  #" in text
    assert "# The teacher costs 175,729 params and 56,229,888 mult-adds per image." in text


def test_gray_images_that_are_not_mnist_have_no_scores(capsys, caplog):
    np.savez("gray.npz", images=np.zeros((20, 16, 16, 1), np.uint8))
    written(capsys, "--teacher=gray.npz", "--student=mlp")
    assert "no scores: none of the zoo's classifiers takes gray images other than those of MNIST" in caplog.text
    assert built("gray_mlp_akdg")[0].evaluations == {}


def test_a_function_of_unknown_cost_and_its_settings(capsys, caplog):
    caplog.set_level(logging.INFO)
    arguments = ["--teacher=own_function_of_noise:generate", "--gin_param=load_teacher.latent_dim=200"]
    assert written(capsys, *arguments) == ["akdg", "run", "--gin_file=own_function_of_noise_generate_dcgan_akdg.gin"]
    budget = 5_000 * 16 * 24
    assert "what the teacher costs is unknown" in caplog.text
    assert f"5,000 mult-adds per pixel, {budget:,};" in caplog.text
    made, _, costs = built("own_function_of_noise_generate_dcgan_akdg")
    assert costs["teacher"]["mult_adds"] is None and costs["network"]["mult_adds"] <= budget
    assert made.generator.latent_dim == 128 and made.teacher.latent_dim == 200
    assert made.generator.sample_shape == (16, 24, 3)


def test_a_folder_of_a_teachers_images_is_read_at_a_size_that_a_dcgan_can_make(capsys):
    with pytest.raises(SystemExit):
        init.main(["--teacher=images"])
    assert "images of 33x40 need even sides" in capsys.readouterr().err
    written(capsys, "--teacher=images", "--side=32x48")
    made, trainer, _ = built("images_dcgan_akdg")
    assert made.teacher.sample_shape == made.generator.sample_shape == (32, 48, 3)
    assert trainer.teacher is made.teacher  # its images are a bank already


def test_an_odd_side_is_for_an_mlp(capsys):
    written(capsys, "--teacher=images", "--student=mlp")
    assert built("images_mlp_akdg")[0].generator.sample_shape == (33, 40, 3)


def test_arrays_are_told_from_a_folder_of_files(capsys):
    assert written(capsys, *NO_DATA, "--data=arrays")[-1] == "--data_dir=arrays"
    assert built("big_mlp_akdg", "arrays")[0].dataset.name == "npy"


def test_a_budget_above_the_teacher_must_be_asked_for(capsys, caplog):
    written(capsys, "--teacher=tiny", "--student=mlp", "--max_mult_adds=1M", "--max_params=1M")
    assert "the student has more params and more mult-adds than its teacher" in caplog.text
    with pytest.raises(SystemExit):
        init.main(["--teacher=tiny", "--student=mlp", "--name=x", "--max_mult_adds=1M"])
    assert capsys.readouterr().err == (
        "akdg init: no MLPGenerator is within 1,000,000 mult-adds and 1,539 params: "
        "allow the smallest one its 6,288 mult-adds, 7,128 params and 29 kB\n"
    )


@pytest.mark.long
def test_the_run_is_published_as_it_is(run_here, capfd):
    *_, gin_file = written(capfd, "--teacher=gray", "--student=mlp", "--name=mine2")
    path = pathlib.Path("mine2.gin")
    text = path.read_text().replace("BankedTeacher.images = 20000", "BankedTeacher.images = 250")
    path.write_text(text.replace("steps = 5000", "steps = 10").replace("every = 100", "every = 10"))
    done = run_here(gin_file, cwd=pathlib.Path.cwd())
    assert done.returncode == 0 and "than its teacher" not in done.stderr, done.stderr
    zoo.main(["publish", "runs/mine2", "--zoo=zoo"])
    entry = Entry(pathlib.Path("zoo", "mine2"))
    entry.check()
    assert entry.result.gin_files == ("mine2.gin",) and entry.result.teacher.name == "gray"
    assert entry.result.network.params <= entry.result.teacher.params


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "the following arguments are required: --teacher (see --help)"),
        (["--teacher=big", "--student=nosuch"], "argument --student: invalid choice: 'nosuch'"),
        (
            ["--teacher=big", "--side=0"],
            "'0' is not a side such as 64, or height and width such as 96x128 (see --help)",
        ),
        (["--teacher=big", "--max_params=-1"], "'-1' is not a whole number above 0, such as 500000, 500K or 20M"),
        (["--teacher=big", "--max_mult_adds=inf"], "'inf' is not a whole number"),
        (["--teacher="], "there is no teacher '': give a run folder, a zoo entry"),
        (["--teacher=~nouser/x"], "~nouser/x: the home folder is unknown; write the whole path"),
        (["--teacher=lat\udcff1"], r"'lat\udcff1' is not UTF-8: rename the file or folder"),
        (["--teacher=big", "--gin_param=load_teacher.latent_dim=16.5"], "bind a whole number of at least 1"),
        (["--teacher=images", "--gin_param=load_teacher.layout='NHWC'"], "layout does not apply to a folder of images"),
        (["--teacher=nosuch"], "there is no teacher 'nosuch': give a run folder, a zoo entry"),
        (
            ["--teacher=toy_ring_teacher"],
            "the teacher 'toy_ring_teacher' is not trained yet: run akdg run --gin_file=toy_",
        ),
        (["--teacher=points"], "the teacher's samples have the shape (2,): they must be images, gray or RGB"),
        (["--teacher=own_function_of_noise:generate"], "does not state its latent size: bind load_teacher.latent_dim"),
        (
            ["--teacher=big", "--side=32"],
            "the teacher makes images of 16x16, and its student must make the same: omit --s",
        ),
        (
            ["--teacher=big", "--data=nosuch"],
            "--data=nosuch is not a folder, and not a dataset: unknown dataset 'nosuch'",
        ),
        (["--teacher=big", "--data=a.zip"], "--data=a.zip is a file: give a folder of images; unpack an archive first"),
        (
            ["--teacher=big", "--data=mnist5k"],
            "the images of 'mnist5k' have the shape (32, 32, 1), the teacher's (16, 16",
        ),
        (["--teacher=big", "--data=images", "--data_dir=x"], "--data=images is a folder itself: omit --data_dir"),
        (["--teacher=big", "--data_dir=x"], "--data_dir belongs to a dataset: give its name as --data"),
        (["--teacher=big", "--data=mnist5k", "--data_dir=."], "dataset 'mnist5k' does not read --data_dir"),
        (["--teacher=big", "--max_mult_adds=10"], "no DCGANGenerator is within 10 mult-adds and "),
        (["--teacher=big", "--gin_param=AKDG.d_steps=2"], "only what the teacher does not tell is given here"),
        (["--teacher=big", "--gin_param=load_teacher.nosuch=2"], "only what the teacher does not tell is given here"),
        (["--teacher=big", "--gin_param=load_teacher.prior='x'"], "prior is 'x': bind 'normal', 'uniform', or "),
        (["--teacher=big", "--gin_param=load_teacher.sample_shape=(8,8,3)"], "resizes only those of a folder"),
        (["--teacher=big", "--name=a b"], "'a b' is not the name of an entry"),
        (["--teacher=big", "--name=mnist_mlp_akdg"], "there is another gin file of this name, "),
        (["--teacher=big", "--name=mine", "--overwrite"], "mine.gin exists and was not written by akdg init"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, says, capsys):
    with pytest.raises(SystemExit) as end:
        init.main(arguments)
    said = capsys.readouterr()
    assert end.value.code == 2 and not said.out and len(said.err.splitlines()) == 1, said.err
    assert said.err.startswith("akdg init: ") and says in said.err
    assert [path.name for path in pathlib.Path().glob("*.gin")] == ["mine.gin"]


def test_a_file_is_replaced_only_where_that_is_asked_for(capsys):
    path = pathlib.Path("big_mlp_akdg.gin")
    written(capsys, *NO_DATA)
    before = path.read_text()
    with pytest.raises(SystemExit):
        init.main([*NO_DATA, "--max_params=30K"])
    assert "big_mlp_akdg.gin exists: choose another --name, or replace it with --overwrite" in capsys.readouterr().err
    assert path.read_text() == before
    written(capsys, *NO_DATA, "--max_params=30K", "--overwrite", "--name=big_mlp_akdg.gin")
    assert path.read_text() != before


@pytest.mark.parametrize(
    ("teacher", "name"),
    [
        ("mnist_sngan_teacher", "mnist_sngan_dcgan_akdg"),
        ("runs/my faces/saved_model/", "my_faces_dcgan_akdg"),
        ("models/gen.v2.onnx", "gen_v2_dcgan_akdg"),
        ("faces.gan:generate", "faces_gan_generate_dcgan_akdg"),
        ("..", "own_dcgan_akdg"),
    ],
)
def test_a_name_is_made_of_the_teacher_and_the_student(teacher, name):
    assert init_command.default_name(teacher, "dcgan") == name


@pytest.mark.parametrize(
    ("text", "number"),
    [("500", 500), ("2e7", 20_000_000), ("1_000", 1000), ("1.5k", 1500), ("1.1M", 1_100_000), ("4.0", 4)],
)
def test_counts(text, number):
    assert init.count(text) == number


@pytest.mark.parametrize("text", ["0", "0.5", "40.9", "nan", "-inf", "1e999999999", "", "K", "many"])
def test_what_is_no_whole_number_is_no_count(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number above 0"):
        init.count(text)


@pytest.mark.parametrize("flag", ["--teacher", "--data"])
def test_a_path_that_is_not_utf8_is_one_line(flag, capsys):
    name = os.fsdecode(b"caf\xe9")
    pathlib.Path(name).symlink_to("images")
    with pytest.raises(SystemExit) as end:
        init.main([*NO_DATA, f"{flag}={name}"])
    assert end.value.code == 2
    assert capsys.readouterr().err == "akdg init: 'caf\\udce9' is not UTF-8: rename the file or folder\n"
    assert [path.name for path in pathlib.Path().glob("*.gin")] == ["mine.gin"]


def test_the_same_folder_as_teacher_and_data_is_warned_of_once(capsys, caplog):
    written(capsys, "--teacher=images", "--data=./images", "--side=32x48")
    assert sum("--teacher and --data are one folder" in message for message in caplog.messages) == 1
    caplog.clear()
    written(capsys, "--teacher=images", "--name=x", "--side=32x48")
    assert "are one folder" not in caplog.text
