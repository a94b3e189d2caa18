"""The gap between real and generated images, in numbers and as a picture of two dimensions."""

import sys

import keras
import numpy as np
import pytest
from batch_size_runs import write_study_run

from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.errors import UserError
from akdg_tf.metrics import scores
from akdg_tf.models import MLPGenerator
from akdg_tf.reporting import embedding
from akdg_tf.reporting.embedding import Gap

GIN = """make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.generator = @MLPGenerator()
MLPGenerator.latent_dim = 4
MLPGenerator.sample_shape = (32, 32, 1)
GeneratorExperiment.method = @GAN
GeneratorExperiment.data = @Data()
Data.name = 'mnist5k'
GeneratorExperiment.schedule = @Schedule()
Schedule.steps = 100
GeneratorExperiment.teacher = @load_teacher
load_teacher.name = '{teacher}'
GeneratorExperiment.evaluations = {evaluations}
ImageScores.classifier = @load_classifier
ImageScores.samples = 60
load_classifier.name = 'mnist_classifier'
"""


def normal(seed, mean=0.0, count=200):
    return np.random.default_rng(seed).normal(mean, 1.0, (count, 3)).astype(np.float32)


def test_the_same_images_cover_the_real_ones_and_distant_ones_none():
    real = normal(0)
    same, apart = embedding.gap(real, real), embedding.gap(real, normal(1, mean=100.0, count=50))
    assert (same.images, same.coverage, same.off) == (200, 1.0, 0.0)
    assert same.density == pytest.approx(1.0)  # each neighbourhood holds its center and the 4 nearer than the 5th
    assert apart == Gap(50, 0.0, 0.0, 1.0)


def test_images_of_which_a_quarter_is_far_away_are_off_the_manifold_by_a_quarter():
    real = normal(0)
    assert embedding.gap(real, np.concatenate([real[:150], normal(1, mean=100.0, count=50)])).off == 0.25


def test_the_table_has_a_row_for_each_kind_and_says_what_defines_it():
    gaps = {"teacher": Gap(5000, 0.98765, 0.9, 0.0512), "akdg, batch size 16": Gap(5000, 0.5, 0.25, 0.4)}
    assert embedding.table(gaps, 4000, "Dataset d, classifier c").splitlines() == [
        "|  | images | density | coverage | off the real manifold |",
        "|---|---:|---:|---:|---:|",
        "| teacher | 5,000 | 0.988 | 0.900 | 5.1% |",
        "| akdg, batch size 16 | 5,000 | 0.500 | 0.250 | 40.0% |",
        "",
        "The gap to 4,000 real images: density and coverage (Naeem et al. 2020), and the share of the images outside "
        "the real manifold, 1 - precision, from 5 nearest neighbours. Dataset d, classifier c.",
    ]


def test_the_picture_shows_each_kind_over_the_gray_cloud_of_the_real_images():
    kinds = ("real", "teacher", "a", "b")
    points = {kind: normal(seed)[:, :2] for seed, kind in enumerate(kinds)}
    drawn = embedding.picture(points, {kind: Gap(200, 1.0, 1.0, 0.0) for kind in kinds[1:]}).astype(int)
    assert drawn.shape == (880, 1200, 3)  # 2 rows of 3 panels
    blue = drawn[..., 2] - drawn[..., 0] > 40
    gray = (drawn.max(axis=-1) - drawn.min(axis=-1) == 0) & (drawn[..., 0] == 192)
    panels = [(slice(row, row + 440), slice(column, column + 400)) for row in (0, 440) for column in (0, 400, 800)]
    assert [bool(gray[panel].any()) for panel in panels] == [True, True, True, True, False, False]
    assert [bool(blue[panel].any()) for panel in panels] == [False, True, True, True, False, False]


@pytest.mark.long
@pytest.mark.slow
def test_umap_puts_images_among_the_real_ones_that_they_resemble(monkeypatch):
    """The only test that calls UMAP, which is compiled when it is first called."""
    monkeypatch.setattr(embedding, "SHOWN", 60)
    ones, twos = normal(0, -20.0, 30), normal(1, 20.0, 30)
    features = {"real": np.concatenate([ones, twos, normal(2)]), "teacher": normal(3, 20.0, 40)}
    points = embedding.embed(features)
    assert {kind: found.shape for kind, found in points.items()} == {"real": (60, 2), "teacher": (40, 2)}
    to_ones, to_twos = (
        np.linalg.norm(points["teacher"][:, None] - part, axis=-1).min(axis=1)
        for part in (points["real"][:30], points["real"][30:])
    )
    assert (to_twos < to_ones).all()
    again = embedding.embed(features)
    assert all(np.array_equal(points[kind], again[kind]) for kind in points)


def test_a_missing_umap_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(UserError, match=r"^the embedding needs umap-learn: pip install umap-learn"):
        embedding.embed({"real": normal(0)})


@pytest.fixture
def run(tmp_path):
    """A run whose student is a random generator, and so is its teacher."""
    folder = write_study_run(tmp_path, "akdg", 16, 100, dataset="mnist5k")
    for seed, place in enumerate((tmp_path / "t", folder)):
        keras.utils.set_random_seed(seed)
        export_generator(MLPGenerator(4, (32, 32, 1), width=4, depth=1), place / "saved_model", (-1, 1))
    (folder / "config.gin").write_text(GIN.format(teacher=tmp_path / "t", evaluations="{'scores': @ImageScores()}"))
    return folder


@pytest.fixture
def few(monkeypatch, tmp_path):
    """60 images of each kind; their features are kept in a folder of the test."""
    monkeypatch.setattr(embedding, "NEIGHBOUR_SAMPLES", 60)
    monkeypatch.setattr(scores, "CACHE", tmp_path / "statistics")


def test_the_page_takes_data_classifier_and_teacher_from_the_run(run, few, monkeypatch):
    seen = {}
    monkeypatch.setattr(embedding, "embed", lambda features: seen.update(features) or features)
    monkeypatch.setattr(embedding, "picture", lambda points, gaps: np.full((2, 2, 3), len(gaps), np.uint8))
    page = embedding.page("gap", {"akdg, batch size 16": run}, data_dir="not read by mnist5k")
    teacher, student = page.text.splitlines()[2:4]
    assert teacher.startswith("| teacher | 60 | ") and student.startswith("| akdg, batch size 16 | 60 | ")
    assert page.text.endswith("Dataset mnist5k, classifier mnist-classifier, resize none.")
    assert not seen  # UMAP waits until the picture is drawn
    assert page.pictures["gap"]().tolist() == np.full((2, 2, 3), 2).tolist()
    assert [len(found) for found in seen.values()] == [60, 60, 60]
    assert list(seen) == ["real", "teacher", "akdg, batch size 16"]
    assert not np.array_equal(seen["teacher"], seen["akdg, batch size 16"])


def test_a_configuration_without_a_classifier_is_one_line(tmp_path):
    run = write_study_run(tmp_path, "akdg", 16, 100, dataset="mnist5k")
    (run / "config.gin").write_text(GIN.format(teacher="t", evaluations="{}"))
    with pytest.raises(UserError, match=r"config.gin binds no ImageScores, and so no classifier for the embedding$"):
        embedding.page("gap", {"akdg, batch size 16": run}, None)
