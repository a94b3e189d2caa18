"""The guides, run as their readers run them: their files are written, their commands are given, with fewer steps.

The face generator is not installed for the tests. A small one in NumPy takes its place, with the same names of weights
and fewer channels. It computes PyTorch's layers by their definition. The weights that are copied to Keras must give the
same images.
"""

import json
import pathlib
import re
import runpy
import shlex
import sys

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image
from support import ROOT

import akdg_tf
from akdg_tf.cli.flags import FLAGS, parse
from akdg_tf.cli.stages import run_experiment
from akdg_tf.teachers.load import load_teacher
from akdg_tf.training import config

BLOCK = re.compile(r'^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
GUIDES = ("from_pytorch.md", "own_images.md")  # those with files; `test_readme.py` parses the commands of the others
SHORT = ("Schedule.batch_size=4", "ImageScores.samples=20")
SMALL_D = ("ResNetDiscriminator.width=4", "ResNetDiscriminator.downsamples=(True, True)")
SMALL_STUDENT = ("DCGANGenerator.widths=(4, 4)", "BankedTeacher.images=40")
TEACHER_MULT_ADDS = 16 * (100 * 512 + 16 * 512 * 256 + 64 * 256 * 128 + 256 * 128 * 64 + 1024 * 64 * 3)

STAND_IN = """
import numpy as np

WIDTHS = (100, 12, 8, 6, 4, 3)
random = np.random.default_rng(5)
STATE = {}
for i, (given, made) in enumerate(zip(WIDTHS, WIDTHS[1:])):
    STATE[f"main.{3 * i}.weight"] = random.normal(0, 0.3, (given, made, 4, 4)).astype("float32")
    for name in ("weight", "bias", "running_mean", "running_var"):
        STATE[f"main.{3 * i + 1}.{name}"] = random.uniform(0.5, 1.5, made).astype("float32")


def transposed(x, number, stride, padding):
    "ConvTranspose2d: each value adds its multiple of the kernel to the output."
    kernel, (n, _, height, width) = STATE[f"main.{number}.weight"], x.shape
    out = np.zeros((n, kernel.shape[1], (height - 1) * stride + 4, (width - 1) * stride + 4), "float32")
    for i, j in np.ndindex(height, width):
        part = out[:, :, i * stride : i * stride + 4, j * stride : j * stride + 4]
        part += np.tensordot(x[:, :, i, j], kernel, 1)
    return out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding]


def normalized(x, number):
    "BatchNorm2d in evaluation mode."
    names = ("weight", "bias", "running_mean", "running_var")
    scale, offset, mean, variance = (STATE[f"main.{number}.{name}"][:, None, None] for name in names)
    return (x - mean) / np.sqrt(variance + 1e-5) * scale + offset


def generate(z):
    x = transposed(z[:, :, None, None], 0, 1, 0)
    for number in (3, 6, 9, 12):
        x = transposed(np.maximum(normalized(x, number - 2), 0), number, 2, 1)
    return np.tanh(x)
"""


def blocks(page):
    """The code blocks of a guide: language, name of the file or "", code."""
    return BLOCK.findall((ROOT / "docs" / page).read_text())


def commands(page):
    """The shell commands of a guide, each as its words."""
    lines = "\n".join(code for language, _, code in blocks(page) if language == "sh").replace("\\\n", " ")
    return [shlex.split(line) for line in lines.splitlines() if line]


def command(page, *words):
    """The shortest command of a guide with all these words."""
    return min((command for command in commands(page) if set(words) <= set(command)), key=len)


def opened(page, folder, teacher=None):
    """Writes the files of a guide into a folder, and works there; `teacher` takes the place of its `faces.py`."""
    for _, name, code in blocks(page):
        if name:
            (folder / name).write_text(teacher if teacher and name == "faces.py" else code)
    with pytest.MonkeyPatch.context() as patch, flagsaver.flagsaver():
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.delitem(sys.modules, "faces", raising=False)
        yield folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    yield from opened("from_pytorch.md", tmp_path_factory.mktemp("faces"), STAND_IN)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    yield from opened("own_images.md", tmp_path_factory.mktemp("photos"))


def script(name, **constants):
    """Runs a Python file of a guide, with other values of some constants."""
    path = pathlib.Path(name)
    for constant, value in constants.items():
        code, count = re.subn(rf"^{constant} = .*$", f"{constant} = {value}", path.read_text(), flags=re.MULTILINE)
        assert count == 1
        path.write_text(code)
    return runpy.run_path(name)


def akdg_run(words, *more, bindings=()):
    """Gives a command of the form `akdg run ...`, within this process."""
    assert words[:2] == ["akdg", "run"]
    with flagsaver.flagsaver():
        parse(["akdg run", *words[2:], *more, *(f"--gin_param={each}" for each in bindings)])
        run_experiment()


def smoke(words, workdir, *bindings):
    """Runs a command for 20 short steps; returns its result."""
    akdg_run(words, "--smoke", f"--workdir={workdir}", bindings=(*SHORT, *bindings))
    return json.loads(pathlib.Path(workdir, "result.json").read_text())


@pytest.fixture(scope="module")
def student(faces):
    """The result of the student of the function."""
    words = command("from_pytorch.md", "akdg", "--gin_file=faces.gin")
    return smoke(words, "runs/faces", *SMALL_D, *SMALL_STUDENT)


@pytest.fixture(scope="module")
def rebuilt(faces):
    """The teacher as a Keras file."""
    script("rebuild.py")


@pytest.mark.parametrize("page", GUIDES)
def test_every_command_is_accepted(page, tmp_path):
    """The bindings of an experiment are ones that it uses; the scripts are files of the guide."""
    for _ in opened(page, tmp_path):
        for words in commands(page):
            if words[:2] == ["akdg", "run"]:
                with flagsaver.flagsaver():
                    parse(["akdg run", *words[2:]])
                    config.parse(FLAGS.gin_file, FLAGS.gin_param)
            else:
                assert words[:2] == ["pip", "install"] or (words[0] == "python" and pathlib.Path(words[1]).exists())


def test_faces_the_student_has_at_most_a_tenth_of_the_mult_adds(faces, capsys):
    akdg_run(command("from_pytorch.md", "--gin_file=faces.gin", "--stage=describe"))
    assert 10 * json.loads(capsys.readouterr().out)["network"]["mult_adds"] <= TEACHER_MULT_ADDS == 104_628_224


@pytest.mark.long
def test_faces_a_function_is_the_teacher(student):
    assert student["method"] == "AKDG" and student["teacher"]["params"] is None
    score = student["network"]["scores"]["fid_to_teacher[imagenet-efficientnet-lite0]"]
    assert (score["n_real"], score["n_fake"], score["dataset"]) == (20, 20, "teacher")
    assert akdg_tf.load("runs/faces").sample(2).shape == (2, 64, 64, 3)


@pytest.mark.long
def test_faces_images_are_the_teacher(faces):
    script("draw.py", COUNT=250)
    teacher = load_teacher("faces.npz")
    z = np.random.default_rng(0).standard_normal((250, 100), np.float32)
    expected = np.moveaxis(sys.modules["faces"].generate(z), 1, 3)
    np.testing.assert_allclose(teacher.images.images / 127.5 - 1, expected, atol=1.01 / 255)
    words = command("from_pytorch.md", "--gin_param=load_teacher.name='faces.npz'")
    akdg_run(words, "--smoke", "--stage=train", bindings=(SHORT[0], *SMALL_D, SMALL_STUDENT[0]))


@pytest.mark.long
def test_faces_the_rebuilt_teacher_gives_the_same_images(rebuilt):
    teacher = load_teacher("faces.keras", output_range=(-1, 1))
    z = np.random.default_rng(1).standard_normal((5, 100), np.float32)
    np.testing.assert_allclose(teacher(z), np.moveaxis(sys.modules["faces"].generate(z), 1, 3), atol=1e-5)
    assert teacher.describe()["layers"] == 5
    words = command("from_pytorch.md", "--gin_param=GeneratorExperiment.method=@MSEDistillation")
    akdg_run(words, "--smoke", "--stage=train", bindings=(SHORT[0], *SMALL_STUDENT))


@pytest.mark.long
def test_faces_the_speed_of_both_is_measured(student, rebuilt, capsys):
    script("speed.py", REPEATS=2)
    said = capsys.readouterr().out
    assert said.count(" ms") == 6 and re.search(r"bytes: teacher [\d,]+, student [\d,]+$", said.strip())


@pytest.mark.long
def test_own_images_make_a_teacher_and_it_teaches_a_student(photos):
    script("patches.py")
    files = sorted(pathlib.Path("photographs").iterdir())
    assert len(files) == 1702 and Image.open(files[0]).size == (64, 64)
    words = command("own_images.md", "--gin_file=photos_teacher.gin", "--data_dir=photographs")
    small = ("SNGANGenerator.width=4", "SNGANGenerator.blocks=1", *SMALL_D, "load_classifier.name='cifar10_classifier'")
    result = smoke(words, "runs/photos_teacher", *small)
    assert result["kind"] == "teacher"
    assert result["network"]["scores"]["fid[cifar10-classifier]"]["split"] == "1,702 files of photographs"
    words = command("own_images.md", "--gin_file=photos_student.gin", "--data_dir=photographs")
    akdg_run(words, "--smoke", "--stage=train", bindings=(SHORT[0], *SMALL_STUDENT, *SMALL_D))
    assert pathlib.Path("runs/photos_student-smoke/checkpoints").exists()


@pytest.mark.long
def test_without_data_d_kd_alone_learns_from_the_teachers_images(tmp_path):
    small = ("GeneratorExperiment.exports=()", "ConvDiscriminator.widths=(4,)", "MLPGenerator.width=8")
    for _ in opened("without_data.md", tmp_path):
        result = smoke(command("without_data.md", "--gin_param=AKDG.discriminator=None"), "runs/short", *small)
        assert (result["dataset"], result["method"]) == ("teacher", "AKDG")
        assert {"is[mnist-classifier]", "fid_to_teacher[mnist-classifier]"} <= set(result["network"]["scores"])
