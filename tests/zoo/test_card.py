"""A card says what an entry is and where it comes from; what comes from outside is shown as it is."""

import dataclasses
import re

import pytest
from made_up_zoo import made_up_network, made_up_origin, made_up_score, write_metrics

from akdg_tf.artifacts.result import Change, ExportedModel, OverSeeds, Parent
from akdg_tf.errors import UserError
from akdg_tf.zoo import card

UNKNOWN = {"layers": None, "params": None, "mult_adds": None, "executed_mult_adds": None, "bytes": None}
T = Parent("teacher", "t")


def what(entry):
    """The first sentences of a card."""
    _, _, rest = card.card(entry).partition(f"\n# {entry.name}\n\n")
    return rest.splitlines()[0]


def test_a_student_links_to_its_teacher_where_that_has_an_entry(tmp_path):
    entry = write_metrics(tmp_path / "x", teacher=made_up_network("t"), parents=(T,))
    expected = "A student generator, N, distilled from {} by Adversarial Knowledge Distillation"
    assert what(entry).startswith(expected.format("t"))
    write_metrics(tmp_path / "t")
    assert what(entry).startswith(expected.format("[t](../t/card.md)"))
    assert "| [t](../t/card.md) | student / teacher |" in card.card(entry)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("callable", "a Python callable"),
        ("..", r".."),
        ("../zoo/t", "../zoo/t"),
        ("t](http://evil)", r"t\](http://evil)"),
        ("<img src=x>", r"\<img src=x\>"),
    ],
)
def test_a_teacher_that_has_no_entry_is_plain_text(name, shown, tmp_path):
    write_metrics(tmp_path / "zoo" / "t")
    entry = write_metrics(tmp_path / "zoo" / "x", teacher=made_up_network(name), method="MSEDistillation")
    assert what(entry) == (
        f"A student generator, N, trained to imitate {shown} on the same latents (MSE; Aguinaldo et al. 2019)."
    )


def test_a_vanilla_student_is_compared_with_its_teacher(tmp_path):
    entry = write_metrics(tmp_path / "x", teacher=made_up_network("t"), method="GAN")
    assert what(entry).endswith("without a teacher (vanilla; Mescheder et al. 2018), compared with t.")


def test_the_chain_of_parents_is_told(tmp_path):
    start = Parent("init_from", "u", step=2000)
    taught = Parent("teacher", "t", parents=(Parent("teacher", "big"), start))
    chain = (taught, start, Parent("pruned", "v"), Parent("compressed", "w"))
    write_metrics(tmp_path / "u")
    entry = write_metrics(tmp_path / "x", teacher=made_up_network("t"), parents=chain)
    _, _, rest = what(entry).partition("ICPR 2020). ")
    assert rest == (
        "It started from the weights of [u](../u/card.md) at step 2,000. It was made (pruned) from v. "
        "It was compressed from a run of w. "
        "t itself learned from big. t itself started from the weights of [u](../u/card.md) at step 2,000."
    )
    assert card.mentioned(entry.result) == {"t", "big", "u", "v", "w"}


def test_a_method_of_ones_own_names_the_teacher_it_learned_from(tmp_path):
    entry = write_metrics(tmp_path / "x", teacher=made_up_network("t"), method="Mine{x}", parents=(T,))
    assert what(entry) == "A student generator, N, trained by Mine{x}, compared with t. It learned from t."


def test_counts_stand_beside_the_teachers_with_their_share(tmp_path):
    teacher = made_up_network("t", 0.5, params=20, layers=8)
    network = made_up_network("x", scores={"fid[c]": made_up_score(1.0), "own": made_up_score(2.0)})
    text = card.card(write_metrics(tmp_path / "x", teacher=teacher, network=network))
    for line in ("| layers | 2 | 8 | 0.25 |", "| params | 30 | 20 | 1.5 |", "| own | 2 |  |  |"):
        assert line in text.splitlines()
    assert "| fid[c], lower is better | 1 | 0.5 |  |" in text and "|---|---:|---:|---:|" in text
    assert "- **it has more params than its teacher**" in text


def test_what_cannot_be_counted_of_a_teacher_is_unknown(tmp_path):
    teacher = made_up_network("callable", **UNKNOWN, file_size=None)
    text = card.card(write_metrics(tmp_path / "x", teacher=teacher))
    assert "| params | 30 | unknown |  |" in text and "| saved_model/, bytes | 999 | unknown |  |" in text
    assert "it has more" not in text


def test_the_compressed_size_is_stated_if_it_was_measured(tmp_path):
    text = card.card(write_metrics(tmp_path / "x", network=made_up_network("x", compressed_size=77)))
    assert "| saved_model/ as a zip file, bytes | 77 |" in text.splitlines()
    assert "zip" not in card.card(write_metrics(tmp_path / "y"))


def test_a_card_without_scores_says_that_there_are_none(tmp_path):
    bare = {"network": made_up_network("x", scores={}), "teacher": made_up_network("t", scores={}), "unscored": True}
    text = card.card(write_metrics(tmp_path / "x", **bare))
    assert "\n- **unscored**: its configuration binds no evaluations\n" in text
    assert "It was not scored, so look at the samples first." in text and "Its scores" not in text
    assert [line for line in text.splitlines() if line.startswith("|")][-1].startswith("| latent_dim | 4 |")
    scored = card.card(write_metrics(tmp_path / "y"))
    assert "unscored" not in scored and "Its scores can be compared only with" in scored


def test_a_score_over_a_resizing_classifier_keeps_its_name(tmp_path):
    name, resize = "fid[c area 32x32]", "area 32x32, then bilinear 160x160"
    scores = {name: made_up_score(1.5, classifier="c area 32x32", resize=resize)}
    over = {name: OverSeeds(2.0, 0.7, (1.5, 2.5), (0, 1))}
    entry = write_metrics(tmp_path / "x", network=made_up_network("x", scores=scores), over_seeds=over)
    assert entry.result.network.scores == scores
    lines = card.card(entry).splitlines()
    assert f"| {name}, lower is better | 1.5 |" in lines
    assert (
        f"{name}: n_real 9, n_fake 9, classifier c area 32x32, dataset d, split s, resize {resize}, seed 0.  " in lines
    )
    assert f"- {name}: 2 ± 0.71 (seed 0: 1.5, 1: 2.5)" in lines


def test_a_classifiers_card_has_no_samples_and_no_speed(tmp_path):
    network = made_up_network("judge", latent_dim=None, images_per_second=None)
    entry = write_metrics(tmp_path / "judge", kind="classifier", method="classifier", network=network, machine=None)
    text = card.card(entry)
    assert "A classifier, N, trained on labelled images" in text and "measures generators of the same dataset" in text
    assert not [word for word in ("samples.png", "latent_dim", "images/s", "Speed:", "unknown") if word in text]


CONVERTED = {"method": "converted", "steps": 0, "command": "python c.py", "machine": None, "gin_files": ()}


def test_a_converted_classifier_names_its_source_its_changes_and_its_licence(tmp_path):
    network = made_up_network("judge", latent_dim=None, images_per_second=None, scores={})
    record = CONVERTED | {"kind": "classifier", "network": network, "origin": made_up_origin()}
    entry = write_metrics(tmp_path / "judge", **record)
    text = card.card(entry)
    assert what(entry) == (
        "A classifier, N, converted from N of M (2019). It was not trained here; metrics are computed over it."
    )
    for line in ("- method: converted; c", "- SHA-256 of the file with the weights: ab", "- command: `python c.py`"):
        assert line in text.splitlines()
    assert "\nMIT, O; see [LICENSE](LICENSE). The training images" in text and "an independent feature space" in text
    assert not [word for word in ("config.gin", "steps", "seed", "same dataset", "whole repository") if word in text]


def test_nothing_from_an_origin_becomes_markup(tmp_path):
    origin = made_up_origin(source=HOSTILE, digest=HOSTILE, licence=HOSTILE, changes=HOSTILE)
    text = card.card(write_metrics(tmp_path / "x", **CONVERTED, kind="classifier", origin=origin))
    assert text.count("alert") == 4 and not re.search(r"(?<!\\)<", text)
    assert not re.search(r"(?<!\\)\]\((?!LICENSE\))", text)
    assert [line for line in text.splitlines() if line.startswith("#")] == ["# x", "## Limits", "## Licence"]


HOSTILE = "<script>alert(1)</script> |a|\n\n# b [c](http://evil)\n`d` _e_ ![f](g) &lt;"


def test_nothing_from_metrics_json_becomes_markup(tmp_path):
    scores = {HOSTILE: made_up_score(1.0, classifier=HOSTILE, split=HOSTILE)}
    network = made_up_network("x", scores=scores, network=HOSTILE)
    over = {HOSTILE: OverSeeds(1.0, None, (1.0,), (0,)), HOSTILE + "2": OverSeeds(1.0, 1.0, (1.0, 2.0), (0, 1))}
    parents = (Parent(HOSTILE, HOSTILE),)
    texts = dict.fromkeys(("method", "dataset", "split", "machine", "command"), HOSTILE)
    record = {"network": network, "teacher": made_up_network(HOSTILE), "parents": parents, "over_seeds": over, **texts}
    record |= {"gin_files": (HOSTILE.replace("/", ""),), "litert": ExportedModel(1, HOSTILE, 1, 1.0)}
    entry = write_metrics(tmp_path / "x", **record)
    outside_code = re.sub(r"(?s)```python.*?```|`` .*? ``|`model\.tflite`", "", card.card(entry))
    assert "script" in outside_code and outside_code.count("alert") > 10
    assert not re.search(r"(?<!\\)[<`]", outside_code)
    assert not re.search(r"(?<!\\)\]\((?!samples\.png|config\.gin|\.\./\.\./docs/)", outside_code)
    headings = [line for line in outside_code.splitlines() if line.startswith("#")]
    assert headings == ["# x", "## Limits", "## Licence"]
    cells = [re.sub(r"\\.", "", line).count("|") for line in outside_code.splitlines() if line.startswith("|")]
    assert len(cells) > 5 and set(cells) == {5}


def test_a_folder_whose_name_no_entry_may_have_gets_no_card(tmp_path):
    with pytest.raises(UserError, match="is not the name of an entry"):
        card.card(write_metrics(tmp_path / "x](http:"))


def test_an_evaluation_that_has_a_name_is_told(tmp_path):
    score = dataclasses.replace(made_up_score(1.0), evaluation="of test images")
    text = card.card(write_metrics(tmp_path / "x", network=made_up_network("x", scores={"fid[c]": score})))
    assert (
        "fid[c]: n_real 9, n_fake 9, classifier c, dataset d, split s, resize none, seed 0, evaluation of test" in text
    )


def test_a_class_conditional_generator_says_how_its_class_is_chosen(tmp_path):
    plain, classes = (
        card.card(write_metrics(tmp_path / name, network=made_up_network("x", prior=prior)))
        for name, prior in (("plain", "normal"), ("classes", "normal, 10 classes"))
    )
    assert ".sample(16)" in plain and "You cannot choose what it draws." in plain
    assert ".sample(16, label=1)" in classes and "You choose the class of an image, from 0 to 9" in classes
    assert "The last 10 entries of a latent are the class, one-hot" in classes


def test_a_change_of_the_configuration_is_stated(tmp_path):
    change = Change(1200, ("A.b = 1", "C.d = 'x'"), ())
    said = card.card(write_metrics(tmp_path / "x", changes=(change,)))
    assert "- **its configuration changed at step 1,200**: from `A.b = 1`, `C.d = 'x'` to nothing\n" in said
