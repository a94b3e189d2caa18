"""Which runs belong to the batch-size study, and to which of its two comparisons."""

import dataclasses

import pytest
from batch_size_runs import write_study, write_study_run
from made_up_zoo import made_up_network, made_up_score

from akdg_tf.artifacts.result import read_run
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.reporting.study import comparisons, study


def test_a_run_is_told_by_its_result_and_configuration_whatever_the_name_of_its_folder(tmp_path):
    write_study_run(tmp_path, "vanilla", 64, 100, seed=3, family="mnist_mlp").rename(tmp_path / "anything")
    ((run,),) = study(tmp_path).values()
    assert (run.family, run.method, run.batch, run.steps, run.images) == ("mnist_mlp", "vanilla", 64, 100, 6400)


def test_runs_are_grouped_by_family_without_smoke_runs_and_unfinished_ones(tmp_path):
    write_study_run(tmp_path, "akdg", 64, 100)
    write_study_run(tmp_path, "vanilla", 64, 100)
    write_study_run(tmp_path, "akdg", 16, 20, smoke=True)
    write_study_run(tmp_path, "akdg", 64, 100, family="other")
    (tmp_path / "toy_akdg-b1-7-seed0").mkdir()
    assert {family: len(runs) for family, runs in study(tmp_path).items()} == {"toy": 2, "other": 1}


def test_the_common_numbers_are_those_that_occur_with_the_most_batch_sizes(tmp_path):
    runs = study(write_study(tmp_path))["toy"]
    by_images, by_steps = comparisons(runs).items()
    order = [(batch, method) for batch in (16, 64, 256) for method in ("vanilla", "akdg")]
    assert (by_images[0], list(by_images[1])) == ("6,400 images seen", order)
    assert (by_steps[0], list(by_steps[1])) == ("100 steps", order)
    assert {run.steps for run in by_images[1][16, "akdg"]} == {400}
    assert {run.images for run in by_steps[1][16, "akdg"]} == {1600}
    assert [run.result.seed for run in by_images[1][64, "akdg"]] == [0, 1]
    assert by_images[1][64, "akdg"] == by_steps[1][64, "akdg"]  # they belong to both


def test_of_several_numbers_that_occur_equally_often_the_largest_counts(tmp_path):
    for batch, steps in ((16, 400), (64, 100), (16, 800), (64, 200)):
        write_study_run(tmp_path, "akdg", batch, steps)
    assert list(comparisons(study(tmp_path)["toy"])) == ["12,800 images seen", "800 steps"]


def test_runs_of_one_point_that_differ_in_more_than_the_seed_are_refused(tmp_path):
    write_study_run(tmp_path, "akdg", 64, 100)
    write_study_run(tmp_path, "akdg", 64, 100, seed=1, gin_params=("AKDG.distillation_weight=2",))
    with pytest.raises(UserError, match="toy_akdg-b64-100-seed0, toy_akdg-b64-100-seed1 differ in more than their"):
        comparisons(study(tmp_path)["toy"])


def test_runs_that_were_scored_differently_are_refused(tmp_path):
    write_study_run(tmp_path, "akdg", 16, 400)
    folder = write_study_run(tmp_path, "akdg", 64, 100)
    network = made_up_network("x", scores={"fid[c]": made_up_score(1.0, n_fake=8)})
    write_json(folder / "result.json", dataclasses.replace(read_run(folder), network=network).to_json())
    with pytest.raises(UserError, match="seed0 and toy_akdg-b64-100-seed0 were scored differently"):
        study(tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"experiment": "toy_mse"}, "is a run of 'toy_mse', which ends neither with _akdg nor _vanilla: move it"),
        ({"network": made_up_network("x", scores={})}, "has no FID: run its command with --stage=evaluate"),
        ({"network": made_up_network("x", scores={}), "unscored": True}, "is unscored: the batch-size study compares"),
    ],
)
def test_what_is_no_run_of_the_study_is_one_line(changes, says, tmp_path):
    folder = write_study_run(tmp_path, "akdg", 64, 100)
    write_json(folder / "result.json", dataclasses.replace(read_run(folder), **changes).to_json())
    with pytest.raises(UserError, match=f"^{folder} {says}"):
        study(tmp_path)


@pytest.mark.parametrize("text", [None, "Schedule.batch_size = %BATCH\n"])
def test_a_batch_size_that_is_not_there_is_one_line(text, tmp_path):
    config = write_study_run(tmp_path, "akdg", 64, 100) / "operative_config.gin"
    config.write_text(text) if text else config.unlink()
    with pytest.raises(UserError, match=f"^{config} has no line Schedule.batch_size = NUMBER$"):
        study(tmp_path)


def test_no_run_at_all_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"^there is no finished run of the batch-size study in .*/x: run benchmarks/"):
        study(tmp_path / "x")
