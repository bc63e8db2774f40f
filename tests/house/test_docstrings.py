"""Every module and every class says what it is for."""

import ast
from collections.abc import Iterable

from tests.house.source import Module, product


def docstring_complaints(modules: Iterable[Module]) -> list[str]:
    """Modules and classes without a docstring."""
    complaints = []
    for module in modules:
        if not ast.get_docstring(module.tree):
            complaints.append(module.complaint(1, "the module has no docstring"))
        complaints.extend(
            module.complaint(node.lineno, f"the class {node.name} has no docstring")
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef) and not ast.get_docstring(node)
        )
    return complaints


def test_modules_and_classes_have_docstrings() -> None:
    assert docstring_complaints(product()) == []
