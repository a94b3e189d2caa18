"""Private API of others is used in `compat.py` alone."""

import ast

import pytest
from support import ROOT

MODULES = sorted((ROOT / "akdg_tf").rglob("*.py"))
PRIVATE_MODULES = ("tensorflow.python", "keras.src", "tensorboard.compat")


def private_names(source):
    """The private attributes of anything but self and cls, and the private modules that are imported."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node.attr
        elif isinstance(node, ast.Attribute) and node.attr == "__internal__":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (name for name in (node.module,) if name.startswith(PRIVATE_MODULES))
            if not node.module.startswith("akdg_tf"):
                yield from (name.name for name in node.names if name.name.startswith("_"))
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith(PRIVATE_MODULES))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_but_compat_uses_private_names(path):
    found = sorted(set(private_names(path.read_text())))
    expected = (
        ["__internal__", "_flatten_layers", "_value", "tensorflow.python.framework"] if path.name == "compat.py" else []
    )
    assert found == expected
