"""Every published entry: the images that it draws through the real tensorflow_hub, its scores, and `verify`."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from support import ROOT, quick

from akdg_tf.zoo import checksums
from akdg_tf.zoo.entries import Entry, entries
from akdg_tf.zoo.verify import card_text, intact, verify

ENTRIES = entries(ROOT / "zoo")
STUDENTS = [
    f"{data}_{net}_{method}"
    for data in ("mnist", "cifar10")
    for net in ("mlp", "dcgan")
    for method in ("vanilla", "mse", "akdg")
]
SEEDS = {"mnist": (0, 1, 2), "cifar10": (0,)}
CONVERTED = "imagenet_efficientnet_lite0"
PAPERS_TEACHER = "cifar10_sngan_teacher"
TEACHERS = {"mnist": "mnist_sngan_teacher", "cifar10": PAPERS_TEACHER, "emoji": "emoji_pggan_teacher"}
EMOJI = tuple(f"emoji_dcgan_{method}" for method in ("vanilla", "mse", "akdg"))
MORE_TEACHERS = ("cifar10_sngan_teacher_cpu", "cifar10_pggan_teacher")  # the first one is that of gin/budget_cpu.gin
# Shape, and the mean and the least spread of a pixel of real images in [0, 1].
IMAGES = {
    "mnist": ((32, 32, 1), 0.10, 0.2),
    "cifar10": ((32, 32, 3), 0.47, 0.15),
    "emoji": ((64, 64, 3), 0.76, 0.2),
}


def result(name):
    return Entry(ROOT / "zoo" / name).result


def family(name):
    return name.partition("_")[0]


def fid(name):
    return f"fid[{family(name)}-classifier]"


HOW = ("factorized", "factorized_quarter", "factorized_int4", "int8", "pruned", "pruned_int4")
COMPRESSED = tuple(f"mnist_dcgan_{how}" for how in HOW)
FACTORIZED = "cifar10_dcgan_factorized"
CONDITIONAL = ("mnist_conditional_teacher", "mnist_conditional_dcgan_akdg")


def test_the_entries_are_there():
    assert {entry.name for entry in ENTRIES} == {
        "mnist_classifier",
        "cifar10_classifier",
        CONVERTED,
        *MORE_TEACHERS,
        *TEACHERS.values(),
        *STUDENTS,
        *EMOJI,
        *COMPRESSED,
        FACTORIZED,
        *CONDITIONAL,
    }


@pytest.mark.parametrize("name", [*MORE_TEACHERS, *TEACHERS.values(), *STUDENTS, *EMOJI, *COMPRESSED, FACTORIZED])
def test_entry_draws_images_that_are_not_black_squares(name):
    latent_dim, (shape, mean, spread) = result(name).network.latent_dim, IMAGES[family(name)]
    images = hub.load(str(ROOT / "zoo" / name))(tf.random.stateless_normal((64, latent_dim), (0, 0))).numpy()
    assert images.shape == (64, *shape) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    assert abs(images.mean() - mean) < 0.1 and images.std(axis=0).max() > spread


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_student_costs_less_than_the_one_it_was_made_of(name):
    entry, source = Entry(ROOT / "zoo" / name), Entry(ROOT / "zoo" / "mnist_dcgan_akdg")
    small, whole = entry.result.network, source.result.network
    assert small.mult_adds < whole.mult_adds or 2 * entry.result.litert.file_size < source.result.litert.file_size
    score = entry.result.scores_of_file()[fid(name)].mean
    assert score < 1.05 * whole.scores[fid(name)].value


def test_the_targets_of_compression_are_reached_on_mnist():
    """An eighth of the bytes at less than 5 % more distance, and a quarter of the mult-adds at less than 10 % more."""
    whole, eighth, quarter = (
        result(f"mnist_dcgan_{name}") for name in ("akdg", "factorized_int4", "factorized_quarter")
    )
    distance = whole.network.scores[fid("mnist")].value
    assert (whole.litert.weights, eighth.litert.weights) == ("float32", "int4")
    assert 8 * eighth.litert.file_size <= whole.litert.file_size
    assert eighth.scores_of_file()[fid("mnist")].mean < 1.05 * distance
    assert 4 * quarter.network.mult_adds <= whole.network.mult_adds
    assert quarter.network.scores[fid("mnist")].value < 1.1 * distance


def test_the_factorized_student_of_cifar10_is_near_the_one_that_it_was_made_of():
    """With a quarter of the mult-adds and a twelfth of the bytes. That student is its teacher, too."""
    small, whole = result(FACTORIZED), result("cifar10_dcgan_akdg")
    assert 4 * small.network.mult_adds <= whole.network.mult_adds
    assert 8 * small.litert.file_size <= whole.network.bytes
    for name, most in ((fid(FACTORIZED), 1.1), (f"fid[{CONVERTED.replace('_', '-')}]", 1.4)):
        assert small.scores_of_file()[name].mean < most * small.teacher.scores[name].value


@pytest.mark.parametrize("name", STUDENTS)
def test_the_teacher_is_better_and_costs_more_than_its_student(name):
    teacher, student = result(TEACHERS[family(name)]), result(name)
    assert 2 * student.network.mult_adds < teacher.network.mult_adds
    assert teacher.network.scores[fid(name)].value < min(student.scores_over_seeds()[fid(name)].values)


def test_the_papers_teacher_is_good_in_both_feature_spaces_over_all_training_images():
    network = result(PAPERS_TEACHER).network
    assert (network.params, network.mult_adds) == (4_079_363, 1_593_049_088)
    for classifier, bound in (("cifar10-classifier", 80.0), (CONVERTED.replace("_", "-"), 40.0)):
        score = network.scores[f"fid[{classifier}]"]
        assert score.value < bound
        assert (score.n_real, score.n_fake, score.split) == (50_000, 50_000, "train (50,000, JPEG)")


@pytest.mark.parametrize("name", [*STUDENTS, *EMOJI])
def test_a_student_names_its_teacher_as_the_teacher_names_itself(name):
    teacher, student = result(TEACHERS[family(name)]), result(name)
    again, published = student.teacher.scores, teacher.network.scores
    assert {name: one.value for name, one in again.items()} == pytest.approx(
        {name: one.value for name, one in published.items()}, rel=1e-12
    )
    numbers = {"value": 0.0, "std": None}  # another number of threads sums in another order
    assert [dataclasses.replace(one, **numbers) for one in again.values()] == [
        dataclasses.replace(one, **numbers) for one in published.values()
    ]
    others = {"scores": {}, "images_per_second": None}  # the speed is measured in each run anew
    if teacher.network.compressed_size is None:  # published before results stated it
        others["compressed_size"] = None
    assert dataclasses.replace(student.teacher, **others) == dataclasses.replace(teacher.network, **others)
    learned = [] if name.endswith("vanilla") else [("teacher", teacher.experiment)]
    assert [(parent.role, parent.name) for parent in student.parents if parent.role == "teacher"] == learned


def test_students_are_published_with_the_seeds_that_were_scored():
    seeds = {name: result(name).scores_over_seeds()[fid(name)].seeds for name in STUDENTS}
    assert seeds == {name: SEEDS[family(name)] for name in STUDENTS}


def test_no_entry_is_too_big():
    sizes = {
        entry.name: sum(path.stat().st_size for path in entry.folder.rglob("*") if not path.is_symlink())
        for entry in ENTRIES
    }
    assert max(sizes.values()) < 20e6 and sum(sizes.values()) < 200e6


def test_the_classifiers_are_good():
    assert result("mnist_classifier").network.scores["accuracy"].value >= 0.97
    accuracy = result("cifar10_classifier").network.scores["accuracy"]
    assert accuracy.value >= 0.85
    assert (accuracy.n_real, accuracy.split) == (10_000, "test (10,000, JPEG)")


def test_every_file_is_the_one_that_was_published_and_every_card_fits_its_numbers():
    for entry in ENTRIES:
        intact(entry)
        card_text(entry)


# One of each kind of network and of file. The others are verified by `make long`.
VERIFIED = (
    "mnist_classifier",
    CONVERTED,
    TEACHERS["mnist"],
    "cifar10_pggan_teacher",
    "mnist_mlp_akdg",
    CONDITIONAL[1],
    FACTORIZED,
    "mnist_dcgan_int8",
    "mnist_dcgan_pruned_int4",
)


@pytest.mark.parametrize("entry", quick(ENTRIES, *VERIFIED, name=lambda entry: entry.name))
def test_entry_is_what_was_published_and_does_what_its_card_says(entry):
    wanted = {"checksums", "card", "loads", "counts"} | ({"samples"} if entry.kind != "classifier" else set())
    wanted |= set() if entry.name == CONVERTED else {"config"}
    assert set(verify(entry)) == wanted
    files = {"card.md", "metrics.json", "saved_model/saved_model.pb"}
    files |= {"LICENSE" if entry.name == CONVERTED else "config.gin"}
    files |= {"classifier": set(), "teacher": {"samples.png"}, "student": {"samples.png", "model.tflite"}}[entry.kind]
    assert files <= set(checksums.read(entry.folder))
