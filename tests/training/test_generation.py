"""A generator experiment from end to end, in Python: small runs on the 2-D ring and on images of 8x8."""

import dataclasses
import logging

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_experiments import MeanScore, SmallMSE, finish, on_images, on_the_ring, points_generator
from support import SAMPLE_SHAPE, bicubic_generator, make_teacher, train

import akdg_tf
from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.artifacts.result import Parent
from akdg_tf.artifacts.saved_model import export
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.metrics.evaluation import Samples
from akdg_tf.teachers.saved_model import load_generator


def test_a_generator_that_litert_cannot_run_costs_neither_the_saved_model_nor_the_scores(tmp_path, caplog):
    experiment = on_images(tmp_path / "x", tmp_path, bicubic_generator(4, SAMPLE_SHAPE), exports=(LiteRT(),))
    with caplog.at_level(logging.INFO):
        result = finish(experiment)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("akdg_tf")]
    warned = [index for index, message in enumerate(ours) if "it lacks the operation ResizeBicubic" in message]
    trained = [index for index, message in enumerate(ours) if message.startswith("step 4/4")]
    assert len(warned) == len(trained) == 1 and warned < trained  # before the training, and not again after it
    folder = tmp_path / "x"
    assert {"saved_model", "samples.png", "metrics.jsonl"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "model.tflite").exists()
    z = tf.random.stateless_normal((3, 4), (0, 0))
    np.testing.assert_allclose(akdg_tf.load_teacher(str(folder))(z), experiment.trainer(z), atol=1e-6)
    assert set(result.network.scores) == {"mean"} and (result.network.name, result.network.network) == (
        "x",
        "Sequential",
    )


def test_the_optional_exports_are_written_beside_the_saved_model(tmp_path):
    generator = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    finish(on_images(tmp_path / "x", tmp_path, generator, exports=(LiteRT(),)))
    assert (tmp_path / "x" / "model.tflite").stat().st_size > 1000
    assert (tmp_path / "x" / "saved_model" / "saved_model.pb").exists()


def test_a_quantized_export_is_compared_with_the_saved_model_and_has_scores_of_its_own(tmp_path):
    generator = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    result = finish(on_images(tmp_path / "x", tmp_path, generator, exports=(LiteRT("int8_full"),)))
    own, whole = result.litert.scores["mean"], result.network.scores["mean"]
    assert own.value == pytest.approx(whole.value, abs=0.02) and own.value != whole.value
    assert own.definition() == whole.definition()
    stored = result.litert
    assert (stored.weights, stored.samples) == ("int8_full", 64)
    assert stored.file_size == (tmp_path / "x" / "model.tflite").stat().st_size
    assert 1e-5 < stored.mean_difference < stored.max_difference < 0.1
    other = on_images(tmp_path / "x", tmp_path, generator, exports=(LiteRT("int4"),)).evaluate()
    assert other.litert.weights == "int4"  # it was exported anew
    (tmp_path / "x" / "model.tflite").unlink()
    again = on_images(tmp_path / "x", tmp_path, generator, exports=(LiteRT("int4"),)).evaluate()
    assert again.litert == other.litert  # a file that is gone is written again
    whole = on_images(tmp_path / "x", tmp_path, generator, exports=(LiteRT(),)).evaluate()
    assert whole.litert is None  # what the SavedModel's scores hold for


def test_a_student_is_scored_and_drawn_beside_its_teacher_and_names_it(tmp_path):
    """The MSE method learns from it; the vanilla one is only compared with it, and has no parent."""
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    teacher, _ = make_teacher()
    settings = {"teacher": lambda: teacher, "method": SmallMSE}
    result = finish(on_images(tmp_path / "x", tmp_path, student, **settings))
    assert (result.kind, result.method, result.teacher.name) == ("student", "SmallMSE", "callable")
    assert result.parents == (Parent("teacher", "callable", teacher.digest()),)
    assert result.dtype_policy == "float32"
    own, others = result.network.scores["mean"], result.teacher.scores["mean"]
    assert own.value != others.value and (own.evaluation, own.n_fake) == ("scores", 1000)
    assert np.asarray(Image.open(tmp_path / "x" / "samples.png")).shape[1] == 2 * 400
    compared = finish(on_images(tmp_path / "y", tmp_path, student, teacher=lambda: teacher))
    assert (compared.kind, compared.parents) == ("student", ())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"data": Data("ring", flip=True)}, "Data.flip mirrors images, but these samples are points"),
        ({"generator": akdg_tf.MLPGenerator(8, SAMPLE_SHAPE, width=4)}, "samples differ in shape: .*'data'"),
        ({"teacher": lambda: make_teacher()[0]}, "samples differ in shape: .*'teacher'"),
        ({"method": SmallMSE}, "bind GeneratorExperiment.teacher"),
    ],
)
def test_what_does_not_fit_is_one_line_before_the_folder_is_claimed(settings, says, tmp_path):
    with pytest.raises(UserError, match=says):
        train(on_the_ring(tmp_path / "x", 8, **settings))
    assert not (tmp_path / "x").exists()


def test_a_method_that_pairs_refuses_a_source_of_images_alone(tmp_path):
    class Images:
        def draw_images(self, count, seed, step): ...

    class Folder:
        def open(self, teacher, smoke, reals):
            return Images()

    experiment = on_the_ring(tmp_path / "x", 8, method=SmallMSE, teacher_source=Folder())
    with pytest.raises(
        UserError, match=r"SmallMSE needs pairs of latents and images, but 'Images' gives only images: save"
    ):
        experiment.prepare(training=False)


def test_a_training_that_is_not_finished_is_not_exported(tmp_path):
    train(on_the_ring(tmp_path / "x", 4))
    with pytest.raises(UserError, match="holds no finished training"):
        on_the_ring(tmp_path / "x", 8).export()
    assert not (tmp_path / "x" / "saved_model").exists()


def test_an_export_of_an_earlier_step_is_not_scored(tmp_path):
    finish(on_the_ring(tmp_path / "x", 8))
    before = load_generator(tmp_path / "x" / "saved_model").digest()
    longer = on_the_ring(tmp_path / "x", 12)
    with pytest.raises(UserError, match="holds no finished training"):
        longer.evaluate()
    train(longer)
    assert longer.evaluate().steps == 12
    assert load_generator(tmp_path / "x" / "saved_model").digest() != before


def test_what_is_evaluated_is_the_export_that_is_there_now(tmp_path):
    scores = [finish(on_the_ring(tmp_path / "x", steps)).network.scores["bridges"].value for steps in (4, 40)]
    assert scores[0] != scores[1]


def test_runs_of_all_seeds_are_scored_on_the_same_latents_and_real_samples(tmp_path):
    given = []

    class Recording(MeanScore):
        def __call__(self, fakes, dataset, seed):
            fakes = {name: Samples(list(samples.batches)) for name, samples in fakes.items()}
            given.append((seed, np.concatenate(fakes["network"].batches)))
            return super().__call__(fakes, dataset, seed)

    generator = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    for seed in (1, 2):
        experiment = on_images(tmp_path / str(seed), tmp_path, generator, evaluations={"scores": Recording()})
        experiment.run = dataclasses.replace(experiment.run, seed=seed)
        export(generator, experiment.run.path("saved_model"))
        experiment.evaluate()
    assert [seed for seed, _ in given] == [0, 0]
    np.testing.assert_array_equal(given[0][1], given[1][1])


def test_costs_of_the_generator_and_of_a_teacher_that_is_there_or_not(tmp_path):
    """Of two dense layers of 16 and 2 units."""
    experiment = on_the_ring(tmp_path / "x", 8)
    assert experiment.describe()["network"]["params"] == 8 * 16 + 16 + 16 * 2 + 2
    assert experiment.describe()["teacher"] is None
    assert experiment.describe({"params": 7})["teacher"] == {"params": 7}
    teacher = akdg_tf.FrozenGenerator(points_generator(4), 8)
    described = on_the_ring(tmp_path / "x", 8, teacher=lambda: teacher).describe()
    assert described["teacher"] == teacher.describe()


def test_half_of_the_images_are_mirrored_where_it_is_bound(tmp_path):
    generator = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    plain, flipped = (on_images(tmp_path / "x", tmp_path, generator) for _ in range(2))
    flipped.data = Data("npy", flip=True)
    step = tf.constant(0, tf.int64)
    one, other = plain._batch(step).numpy(), flipped._batch(step).numpy()
    as_they_are = [np.array_equal(a, b) for a, b in zip(one, other, strict=True)]
    mirrored = [np.array_equal(a[:, ::-1], b) for a, b in zip(one, other, strict=True)]
    assert all(a != b for a, b in zip(as_they_are, mirrored, strict=True))
