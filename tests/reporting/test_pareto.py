"""What the students of a zoo cost beside their FID."""

import pytest
from made_up_zoo import made_up_network, made_up_score, write_metrics
from support import ROOT

from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.result import ExportedModel
from akdg_tf.errors import UserError
from akdg_tf.models import MLPGenerator
from akdg_tf.reporting import pareto
from akdg_tf.reporting.pareto import Point


def point(name, fid, kilobytes, mult_adds=None):
    return Point(name, {"fid[c]": fid}, kilobytes, mult_adds, {})


POINTS = [point("a", 10.0, 100, 5), point("b", 5.0, 200, 5), point("c", 6.0, 300, None), point("d", 5.0, 150, 9)]


def test_the_front_holds_the_students_that_no_other_one_beats():
    assert pareto.front(POINTS, pareto.COSTS["kB"]) == {"a", "d"}
    assert pareto.front(POINTS, pareto.COSTS["mult-adds"]) == {"b"}
    assert pareto.front(POINTS, pareto.COSTS["ms per image, 1 thread"]) == set()


def test_the_table_begins_with_the_smallest_and_marks_the_front():
    lines = pareto.table(POINTS, "all of *c*").splitlines()
    assert [line.split(" | ")[0] for line in lines[2:6]] == ["| a", "| d", "| b", "| c"]
    assert lines[2] == "| a | 10 | 100 * | 5 |  |  |" and lines[5] == "| c | 6 | 300 |  |  |  |"
    assert lines[-1].endswith(r"all of \*c\*.")


def test_only_students_that_were_scored_alike_are_compared(tmp_path):
    for name, fid, dataset in (("a", 3.0, "d"), ("b", 4.0, "d"), ("c", 5.0, "other")):
        network = made_up_network(name, scores={"fid[c]": made_up_score(fid, dataset=dataset)})
        write_metrics(tmp_path / name, kind="student", teacher=made_up_network("t"), network=network)
    write_metrics(tmp_path / "t")
    write_metrics(tmp_path / "u", kind="student", teacher=made_up_network("t"), network=made_up_network("u", scores={}))
    content = litert_model(MLPGenerator(4, (8, 8, 1), 4), (0, 1))
    (tmp_path / "b" / "model.tflite").write_bytes(content)
    first, second = pareto.groups(tmp_path, timed=True).values()
    assert [each.name for each in first] == ["a", "b"] and [each.name for each in second] == ["c"]
    assert (first[0].kilobytes, first[0].milliseconds) == (0.12, {})  # its weights: it has no file
    assert first[1].kilobytes == len(content) / 1e3 and set(first[1].milliseconds) == {1, 2}
    assert pareto.groups(tmp_path, timed=False)[next(iter(pareto.groups(tmp_path, timed=False)))][1].milliseconds == {}


def test_other_images_of_the_same_number_are_other_data_and_the_order_of_the_scores_says_nothing(tmp_path):
    scores = {"fid[c]": made_up_score(3.0), "fid[d]": made_up_score(4.0, classifier="d")}
    turned = dict(reversed(scores.items()))
    for name, found, digest in (("a", scores, "a" * 64), ("b", turned, "a" * 64), ("c", scores, "c" * 64)):
        network, teacher = made_up_network(name, scores=found), made_up_network("t")
        write_metrics(tmp_path / name, kind="student", teacher=teacher, network=network, data_digest=digest)
    compared = [{each.name for each in points} for points in pareto.groups(tmp_path, timed=False).values()]
    assert compared == [{"a", "b"}, {"c"}]


def test_a_quantized_file_is_compared_by_the_scores_of_its_own_images(tmp_path):
    network = made_up_network("a", scores={"fid[c]": made_up_score(3.0)})
    file = ExportedModel(99, "int4", 9, 0.5, 0.1, {"fid[c]": made_up_score(4.0)})
    write_metrics(tmp_path / "a", kind="student", teacher=made_up_network("t"), network=network, litert=file)
    ((found,),) = pareto.groups(tmp_path, timed=False).values()
    assert found.fids == {"fid[c]": 4.0}


def test_the_pages_hold_a_table_and_a_picture_for_each_group(tmp_path):
    for name, fid, dataset in (("a", 3.0, "d"), ("b", 4.0, "d"), ("c", 5.0, "other")):
        network = made_up_network(name, scores={"fid[c]": made_up_score(fid, dataset=dataset)})
        write_metrics(tmp_path / "zoo" / name, kind="student", teacher=made_up_network("t"), network=network)
    for page in pareto.pages(tmp_path / "zoo"):
        page.write(tmp_path / "report")
    text = (tmp_path / "report" / "pareto_1.md").read_text()
    assert "| a | 3 | 0.12 * | 20 * |" in text and "| b | 4 |" in text and "| c |" not in text
    assert {path.name for path in (tmp_path / "report").glob("*.png")} == {"pareto_1.png", "pareto_2.png"}


def test_a_picture_has_a_panel_for_each_known_cost():
    two = pareto.picture(POINTS)
    one = pareto.picture([point("x $_{", 1.0, 10)])
    assert two.shape[1] == one.shape[1] and two.shape[0] > one.shape[0] and two.std() > 0  # four names are two lines
    assert (one[:, one.shape[1] // 2 + 50 :] == 255).all()  # the mult-adds are unknown


def test_the_zoo_of_the_repository_has_a_page_for_mnist_and_none_is_one_line(tmp_path):
    found = pareto.groups(ROOT / "zoo", timed=False)
    assert any("mnist_mlp_akdg" in {each.name for each in points} for points in found.values())
    with pytest.raises(UserError, match="holds no student with a FID"):
        list(pareto.pages(tmp_path))
