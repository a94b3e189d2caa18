"""A generator experiment from end to end, in Python: small runs on the 2-D ring and on images of 8x8."""

import dataclasses
import json
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from ring_run import SmallGAN
from support import SAMPLE_SHAPE, bicubic_generator, discriminator, made_up_score, make_teacher, train

import akdg_tf
from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.artifacts.result import Parent
from akdg_tf.artifacts.saved_model import export
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.metrics import scores as scores_module
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.evaluation import Samples
from akdg_tf.metrics.modes import PointScores
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.saved_model import load_generator
from akdg_tf.training import generation
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


@pytest.fixture(autouse=True)
def _statistics_are_kept_by_each_test(monkeypatch, tmp_path):
    monkeypatch.setattr(scores_module, "CACHE", tmp_path / "statistics")


class SmallImageGAN(akdg_tf.GAN):
    def __init__(self, generator, seed):
        super().__init__(generator, discriminator(), seed=seed)


class SmallMSE(akdg_tf.MSEDistillation):
    """The method with the parts that gin would bind."""


class MeanScore:
    """An evaluation that is quick: the mean of the samples."""

    samples = 1000

    def limited(self, samples):
        limited = MeanScore()
        limited.samples = min(self.samples, samples)
        return limited

    def prepare(self, dataset):
        """Nothing is needed."""

    def __call__(self, fakes, dataset, seed):
        means = {name: np.concatenate(list(samples.batches)).mean() for name, samples in fakes.items()}
        return {name: {"mean": made_up_score(float(mean), n_fake=self.samples)} for name, mean in means.items()}


def points_generator(width=16):
    return akdg_tf.MLPGenerator(8, (2,), width=width, depth=1, output_activation="linear")


def on_the_ring(folder, steps, weights=0, generator=None, smoke=False, **settings):
    """An experiment on the 2-D ring; `weights` seeds those of its networks, which a warm start replaces."""
    keras.utils.set_random_seed(weights)
    generator = generator or points_generator()
    schedule = Schedule(steps, 16, report_every=4, curve_every=settings.pop("curve_every", None))
    given = {"method": SmallGAN, "data": Data("ring"), "evaluations": {"scores": PointScores(200)}, **settings}
    return GeneratorExperiment(Run(folder, folder.name, seed=3, smoke=smoke), generator, schedule=schedule, **given)


def on_images(folder, data_dir, generator, smoke=False, **settings):
    """An experiment of 4 steps on images of 8x8 in a file."""
    images = np.random.default_rng(0).integers(0, 256, (20, *SAMPLE_SHAPE), np.uint8)
    np.save(data_dir / "images.npy", images)
    run = Run(folder, folder.name, data_dir=str(data_dir), smoke=smoke)
    given = {"method": SmallImageGAN, "schedule": Schedule(4, 4, 4), "evaluations": {"scores": MeanScore()}, **settings}
    return GeneratorExperiment(run, generator, data=Data("npy"), **given)


def finish(experiment):
    """All stages in the order of `akdg run`; returns the result."""
    train(experiment)
    experiment.export()
    return experiment.evaluate()


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    """A finished run of 8 steps on the ring."""
    folder = tmp_path_factory.mktemp("runs") / "eight"
    train(on_the_ring(folder, 8)).export()
    return folder


def last_values(folder):
    path = str(folder / "checkpoints" / f"ckpt-{steps_in(folder / 'checkpoints')[0]}")
    names = [name for name, _ in tf.train.list_variables(path) if "VARIABLE_VALUE" in name]
    return {name: tf.train.load_variable(path, name) for name in names}


def test_a_finished_run_trained_on_is_the_run_that_was_never_cut_bit_for_bit(eight, tmp_path):
    result = finish(on_the_ring(tmp_path / "longer", 12, weights=1, init_from=str(eight)))
    train(on_the_ring(tmp_path / "uncut", 12))
    longer, uncut = last_values(tmp_path / "longer"), last_values(tmp_path / "uncut")
    assert longer.keys() == uncut.keys() and len(longer) > 20
    for name, value in longer.items():
        np.testing.assert_array_equal(value, uncut[name], err_msg=name)
    assert steps_in(tmp_path / "longer" / "checkpoints") == [12]
    assert json.loads((tmp_path / "longer" / "init_from.json").read_text())["name"] == "eight"
    assert result.parents == (Parent("init_from", "eight", None, 8),)
    assert (result.steps, result.kind, result.teacher) == (12, "teacher", None)


def test_a_warm_run_that_is_cut_goes_on_from_its_own_checkpoint(eight, tmp_path, caplog):
    train(on_the_ring(tmp_path / "cut", 12, init_from=str(eight)))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        train(on_the_ring(tmp_path / "cut", 16, init_from=str(eight)))
    assert any(message.startswith("resuming at step 12 of 16") for message in caplog.messages)
    assert not any(message.startswith("warm start") for message in caplog.messages)


@pytest.mark.parametrize(
    ("steps", "init_from", "says"),
    [
        (8, "{}", "training starts at step 8, but Schedule.steps is 8: bind more steps"),
        (12, "{}@5", "holds no checkpoint of step 5, only of 8, 4"),
        (12, "{}-nosuch", "there is no such run, zoo entry or SavedModel"),
    ],
)
def test_a_start_that_cannot_be_is_one_line_before_the_folder_is_claimed(steps, init_from, says, eight, tmp_path):
    with pytest.raises(UserError, match=says) as caught:
        train(on_the_ring(tmp_path / "x", steps, init_from=init_from.format(eight)))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x").exists()  # so that the same folder takes the corrected command


def test_a_smoke_run_takes_the_weights_begins_at_step_0_and_scores_few_samples(eight, tmp_path):
    scores = {"many": PointScores(2000), "few": PointScores(200)}
    settings = {"init_from": f"{eight}@4", "evaluations": scores}
    experiment = train(on_the_ring(tmp_path / "x", 2000, smoke=True, **settings))
    assert steps_in(tmp_path / "x" / "checkpoints") == [20, 10]
    assert [evaluation.samples for evaluation in experiment.evaluations.values()] == [500, 200]


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
    whole = finish(on_images(tmp_path / "y", tmp_path, generator, exports=(LiteRT(),)))
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


def test_a_student_is_distilled_from_a_teacher_of_which_only_images_are_there(tmp_path):
    class SmallAKDG(akdg_tf.AKDG):
        def __init__(self, generator, teacher, seed):
            super().__init__(generator, discriminator(), discriminator(), teacher, seed=seed)

    drawn = np.random.default_rng(1).integers(0, 256, (40, *SAMPLE_SHAPE), np.uint8)
    np.savez(tmp_path / "drawn.npz", images=drawn)
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    settings = {"teacher": lambda: load_teacher(str(tmp_path / "drawn.npz")), "method": SmallAKDG}
    result = finish(on_images(tmp_path / "x", tmp_path, student, **settings))
    assert (result.kind, result.teacher.name, result.teacher.params, result.teacher.images_per_second) == (
        "student",
        "drawn",
        None,
        None,
    )
    assert result.teacher.scores["mean"].value == pytest.approx(np.mean(drawn / 127.5 - 1), abs=1e-5)
    assert result.parents[0].name == "drawn" and len(result.parents[0].digest) == 64


@pytest.mark.parametrize("alone", [True, False])
def test_without_real_images_a_student_learns_from_the_teachers_and_is_compared_with_them(alone, tmp_path):
    """By D_KD alone, or by the vanilla method on the teacher's images."""

    class ByDKD(akdg_tf.AKDG):
        def __init__(self, generator, teacher, seed):
            super().__init__(generator, None, discriminator(), teacher, seed=seed)

    teacher, _ = make_teacher()
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    given = {"method": ByDKD if alone else SmallImageGAN, "schedule": Schedule(4, 4, 4)}
    given |= {"teacher": lambda: teacher, "evaluations": {"scores": ImageScores(flat_classifier, 60)}}
    experiment = GeneratorExperiment(Run(tmp_path / "x", "x"), student, data=Data("teacher"), **given)
    result = finish(experiment)
    names = ("is[flat]", "fid_to_teacher[flat]", "kid_to_teacher[flat]", "precision_to_teacher[flat]")
    assert set(result.network.scores) == {*names, "recall_to_teacher[flat]"}
    score, floor = (each.scores["fid_to_teacher[flat]"] for each in (result.network, result.teacher))
    assert (score.dataset, score.split, score.n_real) == ("teacher", "60 images of a callable", 60)
    assert 0 < floor.value < score.value  # the teacher against itself, on other latents
    assert [parent.role for parent in result.parents] == ["teacher"]


def test_a_run_without_evaluations_is_finished_and_marked_as_unscored(tmp_path):
    generator = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    result = finish(on_images(tmp_path / "x", tmp_path, generator, evaluations={}))
    assert result.unscored and result.network.scores == {} and result.network.images_per_second > 0
    assert (result.dataset, len(result.data_digest)) == ("npy", 64)  # it was trained on these
    assert not finish(on_images(tmp_path / "y", tmp_path, generator)).unscored


def test_data_that_only_scores_would_read_are_needed_by_scores_alone(tmp_path):
    """The MSE method trains the same student with them and without."""
    teacher, _ = make_teacher()
    weights = []
    for where, evaluations in (("without", {}), ("with", {"scores": MeanScore()})):
        keras.utils.set_random_seed(0)
        student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
        settings = {"teacher": lambda: teacher, "method": SmallMSE, "evaluations": evaluations}
        experiment = on_images(tmp_path / where, tmp_path, student, **settings)
        if where == "without":
            (tmp_path / "images.npy").unlink()
            assert set(experiment.inputs()) == {"teacher"}
        result = finish(experiment)
        assert (result.dataset, result.unscored) == (("none", True) if where == "without" else ("npy", False))
        assert experiment.picture().shape[1] == (2 if where == "without" else 3) * 400
        weights.append(np.concatenate([each.ravel() for each in student.get_weights()]))
    np.testing.assert_array_equal(*weights)


@pytest.mark.parametrize(
    "settings",
    [
        {"evaluations": {}},  # the vanilla method reads them
        {"method": SmallMSE, "evaluations": {"scores": MeanScore()}},
        {
            "method": SmallMSE,
            "evaluations": {},
            "curve": {"curve": MeanScore()},
            "schedule": Schedule(4, 4, 4, curve_every=4),
        },
    ],
)
def test_data_that_anything_reads_are_needed(settings, tmp_path):
    student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=4, depth=1)
    experiment = on_images(tmp_path / "x", tmp_path, student, teacher=lambda: make_teacher()[0], **settings)
    (tmp_path / "images.npy").unlink()
    with pytest.raises(UserError, match=r"images\.npy"):
        experiment.prepare_data(evaluating=False)


def flat_classifier():
    return Classifier(
        "flat", "none", "digest", lambda x: dict.fromkeys(("logits", "features"), tf.reshape(x, (-1, 64))[:, ::8])
    )


def test_data_of_a_teacher_need_a_teacher(tmp_path):
    with pytest.raises(UserError, match=r"takes the teacher's images: bind GeneratorExperiment\.teacher"):
        train(on_the_ring(tmp_path / "x", 8, data=Data("teacher")))


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


def test_a_damaged_note_of_the_source_is_one_line_before_anything_is_scored(eight, tmp_path, monkeypatch):
    experiment = on_the_ring(tmp_path / "x", 12, init_from=str(eight))
    train(experiment).export()
    (tmp_path / "x" / "init_from.json").write_text('{"role": "init')
    monkeypatch.setattr(generation, "score_all", lambda *_: pytest.fail("scored"))
    with pytest.raises(UserError, match=r"init_from\.json is damaged: without it"):
        experiment.evaluate()


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


def test_the_curve_holds_the_scores_during_the_training_and_survives_a_resume(tmp_path):
    settings = {"curve": {"curve": PointScores(100)}, "curve_every": 8}
    train(on_the_ring(tmp_path / "whole", 24, **settings))
    lines = curve_of(tmp_path / "whole")
    assert [line["step"] for line in lines] == [8, 16, 24]
    assert set(lines[0]) == {"step", "modes", "high_quality", "kl_to_uniform", "bridges"}
    assert len({line["kl_to_uniform"] for line in lines}) > 1

    interrupted = on_the_ring(tmp_path / "cut", 24, **settings)
    interrupted.schedule = dataclasses.replace(interrupted.schedule, steps=16)
    train(interrupted)
    with (tmp_path / "cut" / "curve.jsonl").open("a") as file:
        file.write('{"step": 20, "modes": 1}\n{"step": 24, "mo')  # of steps whose checkpoint was not written
    train(on_the_ring(tmp_path / "cut", 24, **settings))
    assert curve_of(tmp_path / "cut") == lines


def test_the_scores_at_the_end_of_the_curve_are_those_of_the_result(tmp_path):
    experiment = on_the_ring(tmp_path / "x", 8, curve={"curve": PointScores(200)}, curve_every=8)
    scores = {name: score.value for name, score in finish(experiment).network.scores.items()}
    assert curve_of(tmp_path / "x") == [{"step": 8, **scores}]


@pytest.mark.parametrize("settings", [{"curve": {"curve": PointScores(100)}}, {"curve_every": 8}])
def test_half_of_a_curves_bindings_is_refused(settings, tmp_path):
    with pytest.raises(UserError, match=r"bind both GeneratorExperiment\.curve and Schedule\.curve_every, or neither"):
        on_the_ring(tmp_path / "x", 8, **settings)


def curve_of(run):
    return [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]


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
