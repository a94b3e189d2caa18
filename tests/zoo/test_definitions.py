"""Scores that are defined alike share a note."""

from made_up_zoo import made_up_network, made_up_score, write_metrics

from akdg_tf.zoo.definitions import Definition, definitions


def entry(folder, **scores):
    return write_metrics(folder, network=made_up_network(folder.name, scores=scores))


def test_scores_that_are_defined_alike_share_a_note(tmp_path):
    found = [
        entry(tmp_path / "a", fid=made_up_score(1.0), kid=made_up_score(2.0, std=0.1)),
        entry(tmp_path / "b", fid=made_up_score(3.0, split="other", seed=7)),
        entry(tmp_path / "c", fid=made_up_score(4.0, seed=7)),
    ]
    text = "n_real 9, n_fake 9, classifier c, dataset d, split {}, resize none"
    assert definitions(found, less=("seed",)) == [
        Definition(["fid", "kid"], ["a", "c"], text.format("s")),
        Definition(["fid"], ["b"], text.format("other")),
    ]
    assert [one.generators for one in definitions(found)] == [["a"], ["b"], ["c"]]
