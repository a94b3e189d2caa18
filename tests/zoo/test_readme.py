"""The zoo's README: a table for each teacher, nothing from outside as markup."""

import re

import pytest
from made_up_zoo import made_up_network, made_up_origin, made_up_score, write_metrics

from akdg_tf.artifacts.result import ExportedModel, OverSeeds
from akdg_tf.errors import UserError
from akdg_tf.zoo.readme import readme

HOSTILE = "<b>|\n# a [c](http://evil)"


def test_entries_stand_in_a_table_under_their_teacher(tmp_path):
    over = {"fid[c]": OverSeeds(2.0, 1.4, (1.0, 3.0), (0, 1))}
    file = ExportedModel(23_200, "int4", 64, 0.1)
    opaque = made_up_network("odd", params=None, mult_adds=None, bytes=None, images_per_second=None)
    found = [
        write_metrics(tmp_path / "t", network=made_up_network("t", 0.5)),
        write_metrics(tmp_path / "x", teacher=made_up_network("t"), over_seeds=over, litert=file),
        write_metrics(tmp_path / "odd", teacher=made_up_network("callable"), network=opaque),
    ]
    lines = readme(found).splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## t and its students",
        "## Students of an unnamed teacher",
        "## Classifiers",
    ]
    row = lines[lines.index("|---|---|---|---:|---:|---:|---:|---:|---:|") + 1]
    assert row.startswith('| <img src="t/samples.png" width="128" alt="samples of t"> | [t](t/card.md) | vanilla GAN |')
    assert row.endswith("| 30 | 2e-05M | 0.00012 MB |  | 7 | 0.5 |")
    exported = "| [x](x/card.md) | AKDG | 30 | 2e-05M | 0.00012 MB | 0.0232 MB, int4 | 7 | 2 ± 1.4 |"
    assert any(line.endswith(exported) for line in lines)
    assert any(line.endswith("| AKDG | unknown | unknown | unknown |  | unknown | 1 |") for line in lines)


def test_an_entry_without_scores_is_marked_beside_those_that_have_some(tmp_path):
    bare = {"network": made_up_network("x", scores={}), "unscored": True}
    found = [
        write_metrics(tmp_path / "t", network=made_up_network("t", 0.5)),
        write_metrics(tmp_path / "x", teacher=made_up_network("t", scores={}), **bare),
    ]
    lines = readme(found).splitlines()
    assert any(
        line.endswith("| [x](x/card.md) | AKDG, unscored | 30 | 2e-05M | 0.00012 MB |  | 7 |  |") for line in lines
    )
    assert any("| [t](t/card.md) | vanilla GAN | " in line for line in lines)
    assert "Unscored, because the configuration binds no evaluations: x.  " in lines
    assert "Unscored" not in readme(found[:1])
    assert "| [x](x/card.md) | AKDG, unscored | 30 | 2e-05M | 0.00012 MB |  | 7 |" in readme(found[1:])


def test_a_teacher_without_students_stands_alone_and_large_counts_are_written_out(tmp_path):
    large = made_up_network("t", mult_adds=1_592_500_000)
    lines = readme([write_metrics(tmp_path / "t", network=large)]).splitlines()
    assert "## t" in lines
    assert any("| 30 | 1,592M | " in line for line in lines)


def test_a_classifier_says_what_it_gets_right(tmp_path):
    scores = {"accuracy": made_up_score(0.8625, n_real=10_000, split="test (10,000)")}
    judge = {"kind": "classifier", "method": "classifier"}
    found = [
        write_metrics(tmp_path / "judge", **judge, network=made_up_network("judge", scores=scores)),
        write_metrics(tmp_path / "mute", **judge),
        write_metrics(tmp_path / "other", kind="classifier", method="converted", origin=made_up_origin()),
    ]
    text = readme(found)
    assert "- [judge](judge/card.md): correct on 86.25 % of 10,000 images (test (10,000))\n" in text
    assert "- [mute](mute/card.md): accuracy unknown\n" in text
    other = "an independent space for scores, not trained here; from N of M (2019); licence: MIT, O"
    assert f"- [other](other/card.md): {other}\n" in text


def test_nothing_from_metrics_json_becomes_markup(tmp_path):
    network = made_up_network("x", scores={HOSTILE: made_up_score(1.0, classifier=HOSTILE)})
    text = readme(
        [
            write_metrics(
                tmp_path / "x", network=network, teacher=made_up_network(HOSTILE), method=HOSTILE, machine=HOSTILE
            )
        ]
    )
    outside = text[text.index("\n## ") :].replace('<img src="x/samples.png" width="128" alt="samples of x">', "")
    assert not re.search(r"(?<!\\)<", outside)
    assert not re.search(r"(?<!\\)\]\((?!x/card\.md)", outside)
    assert [line for line in outside.splitlines() if line.startswith("# ")] == []
    assert {re.sub(r"\\.", "", line).count("|") for line in outside.splitlines() if line.startswith("|")} == {10}


@pytest.mark.parametrize("name", ["a|b", "<b>", "[x](y)", "a b", "a\nb"])
def test_a_folder_whose_name_no_entry_may_have_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="is not the name of an entry"):
        readme([write_metrics(tmp_path / name)])
