"""The paper's table beside ours: published numbers as printed, ours as measured, nothing where nothing was run."""

import dataclasses

import pytest
from made_up_zoo import made_up_network, made_up_result, made_up_score

from akdg_tf.artifacts.result import OverSeeds, read
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.reporting import paper

TEACHER, DCGAN_VANILLA, *_, MLP_VANILLA, _, MLP_AKDG = paper.CIFAR10


SCORED = {"n_real": 50, "n_fake": 40, "dataset": "cifar10", "split": "train"}


def result(name, seed, fid, params, gin_files):
    scores = {"is[c]": made_up_score(5.0, **SCORED), "fid[c]": made_up_score(fid, **SCORED)}
    network = made_up_network(name, params=params, mult_adds=params and 2 * params, scores=scores)
    return made_up_result(name, seed=seed, gin_files=tuple(gin_files), network=network)


def write(path, content):
    path.parent.mkdir(parents=True)
    write_json(path, content.to_json())


@pytest.fixture
def folders(tmp_path):
    """A teacher in the zoo, three seeds of an MLP by AKDG under the budget, one vanilla one in the zoo."""
    runs, zoo = tmp_path / "runs", tmp_path / "zoo"
    for name, fid, params in (("cifar10_sngan_teacher_cpu", 10.0, 1_000_000), ("cifar10_mlp_vanilla", 50.0, 750_000)):
        published = result(name, 0, fid, params, [f"gin/{name}.gin"])
        over = {"fid[c]": OverSeeds(fid, None, (fid,), (0,)), "is[c]": OverSeeds(5.0, None, (5.0,), (0,))}
        write(zoo / name / "metrics.json", dataclasses.replace(published, over_seeds=over))
    files = ["gin/cifar10_mlp_akdg.gin", "gin/budget_cpu.gin"]
    for seed, fid in enumerate((39.0, 40.0, 41.0)):
        folder = runs / f"cifar10_mlp_akdg-budget_cpu{f'-seed{seed}' * bool(seed)}"
        write(folder / "result.json", result("cifar10_mlp_akdg", seed, fid, 750_000, files))
    return runs, zoo


def test_the_papers_numbers_are_as_printed():
    assert [(row.label, row.layers, row.inception_score, row.fid) for row in paper.CIFAR10] == [
        ("teacher (SNGAN)", 8, 8.49, 16.50),
        ("DCGAN vanilla", 5, 6.86, 31.58),
        ("DCGAN MSE", 5, 6.45, 40.06),
        ("DCGAN AKDG", 5, 7.05, 29.52),
        ("MLP vanilla", 4, 4.66, 61.30),
        ("MLP MSE", 4, 3.97, 108.92),
        ("MLP AKDG", 4, 5.14, 53.73),
    ]


def test_the_table_shows_ours_beside_the_papers_with_reductions(folders):
    lines = paper.table(paper.measured_rows(*folders)).splitlines()
    teacher, dcgan, _, _, mlp, _, akdg = lines[2:9]
    assert teacher == "| teacher (SNGAN) | 8 | 4.1M | 793M¹ | 8.49 | 16.50 | 1M | 2M | 5 | 10 |  |  |  | 0 |"
    assert mlp == (
        "| MLP vanilla | 4 | 2.2M (-46.3 %) | 2.2M (-99.7 %) | 4.66 | 61.30 "
        "| 0.75M (-25.0 %) | 1.5M (-25.0 %) | 5 | 50 |  |  |  | 0 |"
    )
    assert akdg.endswith("| 0.75M (-25.0 %) | 1.5M (-25.0 %) | 5 ± 0 | 40 ± 1 |  |  |  | 0, 1, 2 |")
    assert dcgan == "| DCGAN vanilla | 5 | 2.6M (-36.6 %) | 229M (-71.1 %) | 6.86 | 31.58 |  |  |  |  |  |  |  |  |"


def test_below_the_table_stand_the_gains_what_defines_them_and_the_footnote(folders):
    text = paper.table(paper.measured_rows(*folders))
    assert "FID of MLP AKDG against vanilla: paper -12.3 %, ours[c] -20.0 %." in text
    assert "FID of DCGAN AKDG against vanilla: paper -6.5 %." in text
    assert "Ours, MLP AKDG: 40 generated and 50 real images, dataset cifar10, split train, classifier c" in text
    assert "trained for 7 steps with --gin_file=gin/budget_cpu.gin." in text
    assert "costs 1,593M. Against that, the DCGAN's mult-adds are -85.6 % and the MLP's -99.9 %" in text


def test_a_run_of_the_papers_own_experiment_comes_before_one_under_the_budget(folders):
    runs, zoo = folders
    full = result("cifar10_mlp_akdg", 0, 30.0, 750_000, ["gin/cifar10_mlp_akdg.gin"])
    write(runs / "cifar10_mlp_akdg" / "result.json", full)
    assert paper.measured(MLP_AKDG, runs, zoo).fids == {"fid[c]": 30.0}
    assert paper.measured(MLP_VANILLA, runs, zoo).folders == (zoo / "cifar10_mlp_vanilla",)
    assert paper.measured(DCGAN_VANILLA, runs, zoo) is None


def test_numbers_that_do_not_compare_are_not_compared(folders):
    runs, zoo = folders
    path = runs / "cifar10_mlp_akdg-budget_cpu-seed1" / "result.json"
    other = read(path)
    for name, score in other.network.scores.items():
        other.network.scores[name] = dataclasses.replace(score, n_fake=10)
    write_json(path, other.to_json())
    with pytest.raises(UserError, match="differ in more than their seed, or two have the same seed"):
        paper.measured(MLP_AKDG, runs, zoo)
    for seed in ("", "-seed2"):
        (runs / f"cifar10_mlp_akdg-budget_cpu{seed}" / "result.json").unlink()
    text = paper.table(paper.measured_rows(runs, zoo))
    assert "FID of MLP AKDG against vanilla: paper -12.3 %." in text  # and none of ours: 10 images against 40


def test_scores_over_a_second_classifier_stand_beside_those_over_the_first(folders):
    runs, zoo = folders
    for path in (*runs.glob("*/result.json"), zoo / "cifar10_mlp_vanilla" / "metrics.json"):
        found = read(path)
        for metric, value in (("fid", 7.0 if "akdg" in str(path) else 8.0), ("kid", 1.0), ("recall", 0.5)):
            found.network.scores[f"{metric}[other]"] = made_up_score(value, classifier="other", **SCORED)
        over = {name: OverSeeds(s.value, None, (s.value,), (0,)) for name, s in found.network.scores.items()}
        write_json(path, dataclasses.replace(found, over_seeds=over).to_json())
    text = paper.table(paper.measured_rows(runs, zoo))
    assert "| ours: recall[c] | ours: fid[other] | ours: kid[other] | seeds |" in text
    assert "| 5 ± 0 | 40 ± 1 |  |  |  | 7 ± 0 | 1 ± 0 | 0, 1, 2 |" in text
    assert "paper -12.3 %, ours[c] -20.0 %, ours[other] -12.5 %." in text
    second = "40 generated and 50 real images, dataset cifar10, split train, classifier other"
    assert f"classifier c, resize none, latents of seed 0; {second}, resize none" in text


def test_an_entry_under_anothers_name_is_found_out(folders):
    runs, zoo = folders
    (zoo / "cifar10_mlp_vanilla").rename(zoo / "cifar10_mlp_mse")
    with pytest.raises(UserError, match="belongs to the entry 'cifar10_mlp_vanilla'"):
        paper.measured_rows(runs, zoo)


def test_costs_that_are_unknown_are_said_to_be(tmp_path):
    opaque = result("cifar10_mlp_vanilla", 0, 50.0, None, ["gin/cifar10_mlp_vanilla.gin"])
    write(tmp_path / "cifar10_mlp_vanilla" / "metrics.json", opaque)
    lines = paper.table(paper.measured_rows(tmp_path / "runs", tmp_path)).splitlines()
    assert lines[6].endswith("| 4.66 | 61.30 | unknown | unknown | 5 | 50 |  |  |  | 0 |")


def test_a_run_without_a_fid_is_said_in_one_line(tmp_path):
    bare = made_up_result("cifar10_mlp_vanilla", network=made_up_network("x", scores={}))
    write(tmp_path / "cifar10_mlp_vanilla" / "result.json", bare)
    with pytest.raises(UserError, match="cifar10_mlp_vanilla has no FID: run its command with --stage=evaluate"):
        paper.measured_rows(tmp_path, tmp_path / "zoo")


def unscored(path):
    found = read(path)
    network = dataclasses.replace(found.network, scores={})
    write_json(path, dataclasses.replace(found, network=network, over_seeds={}, unscored=True).to_json())


def test_a_row_without_scores_shows_its_costs_alone(folders):
    runs, zoo = folders
    unscored(zoo / "cifar10_mlp_vanilla" / "metrics.json")
    text = paper.table(paper.measured_rows(runs, zoo))
    assert "| 61.30 | 0.75M (-25.0 %) | 1.5M (-25.0 %) |  |  |  |  |  | 0 |" in text
    assert "FID of MLP AKDG against vanilla: paper -12.3 %." in text
    assert "Ours, MLP vanilla: unscored; trained for 7 steps." in text
    for path in (*runs.glob("*/result.json"), zoo / "cifar10_sngan_teacher_cpu" / "metrics.json"):
        unscored(path)
    lines = paper.table(paper.measured_rows(runs, zoo)).splitlines()
    assert lines[8] == (
        "| MLP AKDG | 4 | 2.2M (-46.3 %) | 2.2M (-99.7 %) | 5.14 | 53.73 | 0.75M (-25.0 %) | 1.5M (-25.0 %) | 0, 1, 2 |"
    )


def test_nothing_at_all_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no finished CIFAR-10 run"):
        paper.measured_rows(tmp_path, tmp_path)
