"""A run goes on with the data and the teacher that it began with, wherever these lie."""

import json
import logging
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support import discriminator, made_up_score

import akdg_tf
from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.artifacts.result import Parent
from akdg_tf.artifacts.saved_model import export
from akdg_tf.cli import stages
from akdg_tf.data import load_dataset
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.teachers.saved_model import load_generator
from akdg_tf.training.changes import recorded
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.inputs import of_teacher
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


class SmallGAN(akdg_tf.GAN):
    def __init__(self, generator, seed):
        super().__init__(generator, discriminator(), seed=seed)


class SmallAKDG(akdg_tf.AKDG):
    def __init__(self, generator, teacher, seed):
        super().__init__(generator, discriminator(), discriminator(), teacher, seed=seed)


class MeanScore:
    samples = 10

    def limited(self, samples):
        return self

    def prepare(self, dataset):
        """Nothing is needed."""

    def __call__(self, fakes, dataset, seed):
        return {name: {"mean": made_up_score(0.5)} for name in fakes}


def draw_images(folder, count=8, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng((seed, number)).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def generator(seed):
    keras.utils.set_random_seed(seed)
    return akdg_tf.MLPGenerator(4, (8, 8, 1), width=4, depth=1)


def go_on(
    workdir, steps, data, teacher=None, stage="train", method=None, may_change=False, source=None, **data_settings
):
    """The command `akdg run`, after its flags and gin files are read, as in a process of its own."""
    load_dataset.cache_clear()
    student = generator(0)
    if source:  # the digest of the network that it was compressed from
        student.made_from = lambda: Parent("compressed", "whole", source)
    run = Run(workdir, "x", data_dir=str(data), may_change=may_change)
    experiment = GeneratorExperiment(
        run,
        student,
        method=method or (SmallAKDG if teacher else SmallGAN),
        data=Data("folder", **data_settings),
        schedule=Schedule(steps, 4, report_every=4),
        evaluations={"scores": MeanScore()},
        teacher=(lambda: load_generator(teacher)) if teacher else None,
    )
    stages.work(experiment, run, stage, tf.distribute.get_strategy())
    return experiment


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Images, a teacher, and a run of 4 steps with both."""
    folder = tmp_path_factory.mktemp("made")
    draw_images(folder / "images")
    export(generator(1), folder / "teacher")
    go_on(folder / "run", 4, folder / "images", folder / "teacher")
    return folder


@pytest.fixture
def data(tmp_path, made):
    return shutil.copytree(made / "images", tmp_path / "images")


@pytest.fixture
def teacher(tmp_path, made):
    return shutil.copytree(made / "teacher", tmp_path / "teacher")


@pytest.fixture
def begun(tmp_path, made):
    return shutil.copytree(made / "run", tmp_path / "run")


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_notes_what_it_reads(begun, data):
    noted = json.loads((begun / "inputs.json").read_text())
    assert (noted["data"]["what"], noted["teacher"]["what"]) == ("8 files of images", "teacher")
    assert len(noted["data"]["digest"]) == len(noted["teacher"]["digest"]) == 64


def add_an_image(data):
    draw_images(data, 9)


def replace_an_image(data):
    """By another one of the same size, which is as old."""
    before = os.stat(data / "3.png")
    pixels = bytearray((data / "3.png").read_bytes())
    pixels[-20] ^= 1
    (data / "3.png").write_bytes(pixels)
    os.utime(data / "3.png", ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        (add_an_image, "all"),
        (replace_an_image, "train"),
        (lambda data: (data / "0.png").unlink(), "export"),
        (add_an_image, "evaluate"),
    ],
)
def test_data_that_have_changed_are_refused_and_nothing_is_touched(change, stage, begun, data, teacher):
    change(data)
    before = content(begun)
    says = r"its data changed since it began \(there '8 files of images' \w{8}, here '. files of images' \w{8}\): "
    with pytest.raises(UserError, match=says + "restore what it began with, or choose another --workdir"):
        go_on(begun, 8, data, teacher, stage)
    assert content(begun) == before


def test_a_teacher_that_was_replaced_is_refused(begun, data, teacher):
    shutil.rmtree(teacher)
    export(generator(2), teacher)
    before = content(begun)
    with pytest.raises(UserError, match=r"its teacher changed since it began \(there 'teacher' \w{8}, here "):
        go_on(begun, 8, data, teacher)
    assert content(begun) == before


def test_data_and_teacher_that_were_moved_are_the_same(begun, data, teacher, tmp_path, caplog):
    shutil.copytree(data, tmp_path / "new" / "pictures", copy_function=shutil.copyfile)  # with new times
    shutil.rmtree(data)
    teacher.rename(tmp_path / "new" / "my_teacher")
    noted = (begun / "inputs.json").read_text()
    with caplog.at_level(logging.INFO):
        go_on(begun, 8, tmp_path / "new" / "pictures", tmp_path / "new" / "my_teacher")
    assert any(message.startswith("resuming at step 4 of 8") for message in caplog.messages)
    assert steps_in(begun / "checkpoints") == [8, 4] and (begun / "inputs.json").read_text() == noted


def test_another_background_is_other_data(begun, data, teacher):
    with pytest.raises(UserError, match="its data changed since it began"):
        go_on(begun, 8, data, teacher, background=(0, 0, 0))


def test_a_run_of_an_older_version_goes_on_and_is_noted_now(begun, data, teacher, caplog):
    (begun / "inputs.json").unlink()
    add_an_image(data)
    with caplog.at_level(logging.INFO):
        go_on(begun, 8, data, teacher)
    assert sum("was begun by an older version: noting its data and teacher" in each for each in caplog.messages) == 1
    draw_images(data, 10)
    with pytest.raises(UserError, match=r"there '9 files of images' .*, here '10 files of images'"):
        go_on(begun, 12, data, teacher)


def test_a_run_without_a_checkpoint_takes_the_data_as_they_are_now(begun, data, teacher):
    shutil.rmtree(begun / "checkpoints")
    add_an_image(data)
    go_on(begun, 4, data, teacher)
    assert json.loads((begun / "inputs.json").read_text())["data"]["what"] == "9 files of images"


def test_a_teacher_that_is_only_compared_with_may_change(tmp_path, data, teacher):
    go_on(tmp_path / "run", 4, data, teacher, method=SmallGAN)
    assert set(json.loads((tmp_path / "run" / "inputs.json").read_text())) == {"data"}
    export(generator(2), teacher)
    go_on(tmp_path / "run", 8, data, teacher, method=SmallGAN)
    assert steps_in(tmp_path / "run" / "checkpoints") == [8, 4]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"data": 3}', '{"data": {"what": 1}}', "\udcff"])
def test_a_damaged_note_is_one_line(text, begun, data, teacher):
    (begun / "inputs.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"inputs\.json is damaged: remove it to go on"):
        go_on(begun, 8, data, teacher)


def test_a_teacher_that_draws_other_images_each_time_has_no_digest_that_could_change():
    draws = np.random.default_rng(0)

    def noisy(z):
        return tf.numpy_function(lambda z: draws.uniform(-1, 1, (len(z), 8, 8, 1)).astype(np.float32), [z], tf.float32)

    assert of_teacher(akdg_tf.FrozenGenerator(noisy, 4)).digest is None
    steady = akdg_tf.FrozenGenerator(generator(1), 4)
    assert of_teacher(steady).digest == steady.digest()


def test_a_data_folder_whose_name_is_not_utf8_goes_through_all_stages(tmp_path, data, capsys, caplog):
    named = tmp_path / os.fsdecode(b"caf\xe9")
    data.rename(named)
    with caplog.at_level(logging.INFO, "akdg_tf"):
        go_on(tmp_path / "run", 4, named, stage="all").evaluate()
    assert "caf\N{REPLACEMENT CHARACTER}: 8 of the 8 images can be read" in caplog.text
    caplog.text.encode()  # every line can be written
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert result["split"] == "8 files of caf\N{REPLACEMENT CHARACTER}"
    assert "mean" in capsys.readouterr().out


def test_changed_data_are_noted_where_that_is_allowed(tmp_path):
    draw_images(tmp_path / "images")
    go_on(tmp_path / "run", 4, tmp_path / "images")
    draw_images(tmp_path / "images", seed=1)
    with pytest.raises(UserError, match=r"its data changed .*; to go on here, add --allow_config_change"):
        go_on(tmp_path / "run", 8, tmp_path / "images")
    go_on(tmp_path / "run", 8, tmp_path / "images", may_change=True)
    (change,) = recorded(tmp_path / "run")
    assert change.step == 4 and all(
        line.startswith("data '8 files of images'") for line in change.removed + change.added
    )
    go_on(tmp_path / "run", 12, tmp_path / "images")  # which are now those of the run
    assert len(recorded(tmp_path / "run")) == 1


def test_what_changes_nothing_is_noted_nowhere(tmp_path):
    """Neither what is refused, nor other data of a run without steps that are left."""
    draw_images(tmp_path / "images")
    run = tmp_path / "run"
    go_on(run, 4, tmp_path / "images")
    before = (run / "inputs.json").read_bytes()
    draw_images(tmp_path / "images", seed=1)
    with pytest.raises(
        UserError, match=r"is at step 4: no step is left for another configuration \(there \"data '8 files"
    ):
        go_on(run, 4, tmp_path / "images", may_change=True)
    assert (run / "inputs.json").read_bytes() == before and not recorded(run)
    draw_images(tmp_path / "images")
    go_on(run, 8, tmp_path / "images", may_change=True)
    assert not recorded(run)


def test_another_network_to_compress_makes_another_run(tmp_path):
    draw_images(tmp_path / "images")
    go_on(tmp_path / "run", 4, tmp_path / "images", source="a" * 64)
    with pytest.raises(
        UserError, match=r"its source changed since it began \(there 'whole' aaaaaaaa, here 'whole' b{8}\)"
    ):
        go_on(tmp_path / "run", 8, tmp_path / "images", source="b" * 64)
