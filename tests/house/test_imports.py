"""Imports say the truth: none for the type checker alone, none in a function without a reason."""

import ast
from collections.abc import Iterable

from tests.house.source import Module, functions, product


def type_checking_complaints(modules: Iterable[Module]) -> list[str]:
    """Uses of the constant that hides an import from the interpreter."""
    return [
        module.complaint(node.lineno, "an import for the type checker alone hides a circle")
        for module in modules
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING")
        or (isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING")
    ]


def lazy_import_complaints(modules: Iterable[Module]) -> list[str]:
    """Imports inside a function that no comment on the line or the line above explains."""
    complaints = []
    for module in modules:
        lines = module.text.splitlines()
        explained = {number for number, line in enumerate(lines, start=1) if "#" in line}
        seen = set()
        for function in functions(module.tree):
            for node in ast.walk(function):
                if not isinstance(node, ast.Import | ast.ImportFrom) or node.lineno in seen:
                    continue
                seen.add(node.lineno)
                if node.lineno in explained or node.lineno - 1 in explained:
                    explained.add(node.lineno)  # one reason serves a run of imports
                else:
                    complaints.append(module.complaint(node.lineno, "a lazy import that gives no reason"))
    return complaints


def test_nothing_is_imported_for_the_type_checker_alone() -> None:
    assert type_checking_complaints(product()) == []


def test_a_lazy_import_gives_its_reason() -> None:
    assert lazy_import_complaints(product()) == []
