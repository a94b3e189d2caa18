"""The table that ends a run, and how numbers are written."""

import dataclasses

import pytest
from made_up_zoo import made_up_network, made_up_result, made_up_score

from akdg_tf.artifacts.result import ExportedModel
from akdg_tf.reporting import tables


def test_a_student_stands_beside_its_teacher_under_their_own_names():
    teacher = made_up_network("big_teacher", 0.5, params=1_000_000)
    network = made_up_network("x", 1.0, scores={"fid[c]": made_up_score(12.345678, std=0.25)})
    assert tables.table(made_up_result("x", teacher=teacher, network=network)).splitlines() == [
        "x, seed 0, 7 steps",
        "                    big_teacher             x",
        "layers                        2             2",
        "params                1,000,000            30",
        "mult adds                    20            20",
        "executed mult adds           20            20",
        "bytes                       120           120",
        "file size                   999           999",
        "images per second             7             7",
        "latent dim                    4             4",
        "fid[c]                      0.5  12.35 (0.25)",
        "n_real 9, n_fake 9, classifier c, dataset d, split s, resize none, seed 0",
    ]


def test_what_cannot_be_counted_is_unknown_and_what_was_not_scored_is_empty():
    opaque = dataclasses.replace(made_up_network("callable"), layers=None, params=None, file_size=None, scores={})
    lines = tables.table(made_up_result("x", teacher=opaque, smoke=True)).splitlines()
    assert lines[0].endswith("SMOKE RUN: the numbers mean nothing")
    assert [line.split() for line in lines if "unknown" in line] == [
        ["layers", "unknown", "2"],
        ["params", "unknown", "30"],
        ["file", "size", "unknown", "999"],
    ]
    assert lines[-2].split() == ["fid[c]", "1"]


def test_a_quantized_file_has_a_line_of_its_own():
    stored = ExportedModel(9, "int8", 64, 0.1, 0.01, {"fid[c]": made_up_score(1.25), "is[c]": made_up_score(8.0)})
    result = made_up_result("x", network=made_up_network("x"), litert=stored)
    assert "\nmodel.tflite, weights in int8: fid[c] 1.25, is[c] 8\n" in tables.table(result)
    assert "model.tflite" not in tables.table(
        dataclasses.replace(result, litert=dataclasses.replace(stored, scores={}))
    )


def test_the_compressed_size_is_shown_if_it_was_measured():
    teacher, network = made_up_network("t"), made_up_network("x", compressed_size=77)
    lines = tables.table(made_up_result("x", teacher=teacher, network=network)).splitlines()
    (line,) = [line.split() for line in lines if "compressed" in line]
    assert line == ["compressed", "size", "unknown", "77"]


def test_a_classifier_has_neither_a_latent_nor_a_speed():
    network = dataclasses.replace(made_up_network("judge"), latent_dim=None, images_per_second=None)
    text = tables.table(made_up_result("judge", kind="classifier", network=network))
    assert "latent" not in text and "images per second" not in text and "unknown" not in text


def test_a_run_without_scores_has_a_table_too():
    assert tables.table(made_up_result("x", network=made_up_network("x", scores={}))).endswith(
        "latent dim            4"
    )


def test_a_run_that_binds_no_evaluations_says_so_below_its_table():
    network, teacher = (made_up_network(name, scores={}) for name in ("x", "t"))
    text = tables.table(made_up_result("x", network=network, teacher=teacher, unscored=True))
    assert text.splitlines()[-2:] == ["latent dim            4    4", "unscored: GeneratorExperiment.evaluations is {}"]


@pytest.mark.parametrize(
    ("value", "text"), [(1234567, "1,234,567"), (8.0, "8"), (0.123456, "0.1235"), (-1e-7, "-1e-07"), ("train", "train")]
)
def test_numbers_have_four_digits_and_whole_ones_separators(value, text):
    assert tables.number(value) == text


def test_a_share_of_nothing_or_of_the_unknown_is_empty():
    assert [tables.share(*pair) for pair in ((1, 3), (1, 0), (None, 3), (1, None))] == ["0.333", "", "", ""]
    assert [tables.mean_and_spread(values) for values in ([], [2.0], [1.0, 3.0])] == ["", "2", "2 ± 1.4"]
