"""Parsed JSON becomes dataclasses, or the field that does not fit is named."""

import dataclasses

import pytest

from akdg_tf.artifacts.typed_json import Mismatch, build


@dataclasses.dataclass(frozen=True)
class Leaf:
    value: float
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class Tree:
    count: int
    leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] = dataclasses.field(default_factory=dict)
    young: bool = False


def test_what_fits_is_built_at_any_depth():
    found = {"count": 2, "leaves": [{"value": 1, "name": None}, {"value": 0.5, "name": "a"}], "young": True}
    found["by_name"] = {"b": {"value": -1e299}}
    assert build(Tree, found) == Tree(2, (Leaf(1), Leaf(0.5, "a")), {"b": Leaf(-1e299)}, True)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "it must be an object"),
        ({}, "the field count is missing"),
        ({"count": True}, "the field count must be an integer"),
        ({"count": 2.0}, "the field count must be an integer"),
        ({"count": 2, "young": 1}, "the field young must be true or false"),
        ({"count": 2, "leaves": {}}, "the field leaves must be a list"),
        ({"count": 2, "leaves": [{"value": 1}, {"value": "1"}]}, r"the field leaves\[1\].value must be a number"),
        ({"count": 2, "by_name": {"b": {"value": 1, "name": 2}}}, r"the field by_name\['b'\].name must be a string"),
        ({"count": 2, "leaves": [{"value": float("nan")}]}, r"the field leaves\[0\].value is not a finite number"),
        ({"count": 10**400}, "the field count is not a finite number"),
        ({"count": 2, "leaves": [{"value": 1, "extra": 3}]}, r"there is no field 'leaves\[0\].extra'"),
        ({"count": 2, "x" * 99: 3}, f"there is no field '{'x' * 60}...'$"),
    ],
)
def test_what_does_not_fit_is_named(found, says):
    with pytest.raises(Mismatch, match=f"^{says}"):
        build(Tree, found)
