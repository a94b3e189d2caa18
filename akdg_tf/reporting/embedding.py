"""Real, teacher and student images in two dimensions, and numbers for the gap between them."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import cast

import numpy as np

from akdg_tf.artifacts.result import read_run
from akdg_tf.data import ImageDataset, reads_folder
from akdg_tf.errors import UserError
from akdg_tf.metrics import activations, scores
from akdg_tf.metrics.classifiers import Classifier
from akdg_tf.metrics.evaluation import SEED, Samples
from akdg_tf.metrics.scores import NEIGHBOUR_SAMPLES, NEIGHBOURS, ImageScores, neighbour_scores
from akdg_tf.reporting import markdown, pictures
from akdg_tf.reporting.markdown import escape
from akdg_tf.reporting.page import Page
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.sources import Teacher
from akdg_tf.training import config
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.workdir import Run

REAL, TEACHER = "real", "teacher"
SHOWN = 2000  # images of each kind in the picture
COLUMNS = 3  # panels per row

Features = Mapping[str, np.ndarray]  # float32 [n, d] of each kind of image, by its title


@dataclasses.dataclass(frozen=True)
class Gap:
    """How far generated images are from the real ones, in the features of a classifier.

    Attributes:
        images: number of generated images.
        density, coverage: see `scores.neighbour_scores`.
        off: share of the generated images outside the real manifold, 1 - precision.
    """

    images: int
    density: float
    coverage: float
    off: float


def page(name: str, runs: Mapping[str, pathlib.Path], data_dir: str | None) -> Page:
    """The embedding of real, teacher and student images, and the table of the gap.

    The classifier is the first one that the first run is scored over. The data and the teacher are its own, too.

    Args:
        name: stem of the files.
        runs: the students' run folders by title, at least one.
        data_dir: folder with the data, if the dataset reads files.

    Raises:
        UserError: the data, the classifier or a generator cannot be loaded. When the picture is drawn: umap-learn is
            missing.
    """
    experiment, classifier = _of_run(next(iter(runs.values())), data_dir)
    generators: dict[str, Teacher] = {TEACHER: experiment.teacher} if experiment.teacher else {}
    generators |= {title: load_teacher(run) for title, run in runs.items()}
    features = features_of(classifier, cast(ImageDataset, experiment.dataset), generators)
    gaps = {kind: gap(features[REAL], found) for kind, found in features.items() if kind != REAL}
    defined = f"Dataset {experiment.dataset.name}, classifier {classifier.id}, resize {classifier.resize}"
    return Page(name, table(gaps, len(features[REAL]), defined), {name: lambda: picture(embed(features), gaps)})


def _of_run(run: pathlib.Path, data_dir: str | None) -> tuple[GeneratorExperiment, Classifier]:
    """The experiment of a finished run, and the classifier that its images are scored over.

    Raises:
        UserError: its configuration does not work, or binds no such classifier.
    """
    result = read_run(run)
    config.parse([run / "config.gin"], [])
    data_dir = data_dir if reads_folder(result.dataset) else None
    experiment = config.build(Run(run, result.experiment, seed=result.seed, data_dir=data_dir))
    if isinstance(experiment, GeneratorExperiment):
        for evaluation in experiment.evaluations.values():
            if isinstance(evaluation, ImageScores):
                return experiment, evaluation.load()
    raise UserError(f"{run / 'config.gin'} binds no ImageScores, and so no classifier for the embedding")


def features_of(
    classifier: Classifier, dataset: ImageDataset, generators: Mapping[str, Teacher]
) -> dict[str, np.ndarray]:
    """Features of at most 5,000 real images, and of as many of each generator.

    They are the first ones of those that a run's precision is computed over.

    Args:
        classifier: computes the features; `runs/statistics/` keeps them.
        dataset: the real images.
        generators: by title.

    Returns:
        float32 [n, d], by title; the real ones come first.

    Raises:
        UserError: a feature is not finite, or no real image can be read.
    """
    count, cache = NEIGHBOUR_SAMPLES, scores.CACHE
    with activations.of_reals(classifier, dataset, count, SEED, cache) as found:
        features = {REAL: np.array(found.features)}
    for kind, generator in generators.items():
        samples = Samples(generator.batches(count, SEED), generator.digest())
        with activations.of_fakes(classifier, samples, count, SEED, cache, kind) as found:
            features[kind] = np.array(found.features)
    return features


def gap(real: np.ndarray, fake: np.ndarray) -> Gap:
    """The gap between features of real and of generated images, [n, d] each."""
    found = neighbour_scores(real, fake)
    return Gap(len(fake), found["density"], found["coverage"], 1.0 - found["precision"])


def table(gaps: Mapping[str, Gap], reals: int, defined: str) -> str:
    """The gaps in Markdown, one row each, followed by what defines them."""
    head = ["", "images", "density", "coverage", "off the real manifold"]
    rows = []
    for kind, each in gaps.items():
        numbers = [f"{each.images:,}", f"{each.density:.3f}", f"{each.coverage:.3f}", f"{each.off:.1%}"]
        rows.append([escape(kind), *numbers])
    caption = (
        f"The gap to {reals:,} real images: density and coverage (Naeem et al. 2020), and the share of the images "
        f"outside the real manifold, 1 - precision, from {NEIGHBOURS} nearest neighbours. {escape(defined)}."
    )
    return "\n".join([*markdown.table(head, rows, "lrrrr"), "", caption])


def embed(features: Features) -> dict[str, np.ndarray]:
    """The features of all kinds in two dimensions, by one UMAP of all of them (McInnes et al. 2018).

    Args:
        features: of each kind; of each, the first 2,000 are used.

    Returns:
        float32 [n, 2] of each kind, the same in every call.

    Raises:
        UserError: umap-learn is missing.
    """
    try:
        from umap import UMAP  # imported here: it takes seconds, and only this needs it
    except ImportError as error:
        raise UserError(f"the embedding needs umap-learn: pip install umap-learn ({error})") from None
    shown = {kind: found[:SHOWN] for kind, found in features.items()}
    points = UMAP(random_state=0, n_jobs=1).fit_transform(np.concatenate(list(shown.values())))
    ends = np.cumsum([len(found) for found in shown.values()])
    return dict(zip(shown, np.split(points, ends[:-1]), strict=True))


def picture(points: Mapping[str, np.ndarray], gaps: Mapping[str, Gap]) -> np.ndarray:
    """One panel per kind of image. Those of generated images show the real ones behind them in gray.

    Args:
        points: [n, 2] of each kind.
        gaps: of each kind of generated images, for the titles.

    Returns:
        uint8 [height, width, 3].
    """
    columns = min(COLUMNS, len(points))
    rows = -(-len(points) // columns)
    canvas = pictures.new_canvas((4 * columns, 4.4 * rows))
    axes = canvas.figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat[:]
    for axis in axes:
        axis.set_axis_off()
    for axis, (kind, found) in zip(axes, points.items(), strict=False):
        axis.scatter(*points[REAL].T, s=3, color="silver", linewidths=0)
        if kind in gaps:
            axis.scatter(*found.T, s=3, alpha=0.5, linewidths=0)
        axis.set_title(_title(kind, gaps.get(kind)), fontsize=10)
    return pictures.drawn(canvas)


def _title(kind: str, found: Gap | None) -> str:
    """Title of a panel, in two lines; the second one is empty for the real images."""
    return f"{kind}\n" + (f"coverage {found.coverage:.2f}, {found.off:.0%} off the real manifold" if found else "")
