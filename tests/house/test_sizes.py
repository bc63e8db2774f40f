"""Sizes: what does not fit on these pages is two things."""

from collections.abc import Iterable

from tests.house.source import Module, functions, parameters, product

MODULE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 7


def size_complaints(modules: Iterable[Module]) -> list[str]:
    """Modules and functions over their limits."""
    complaints = []
    for module in modules:
        if (lines := len(module.text.splitlines())) > MODULE_LINES:
            complaints.append(module.complaint(1, f"{lines} lines, more than {MODULE_LINES}"))
        for function in functions(module.tree):
            if (lines := (function.end_lineno or function.lineno) - function.lineno + 1) > FUNCTION_LINES:
                words = f"{function.name}: {lines} lines, more than {FUNCTION_LINES}"
                complaints.append(module.complaint(function.lineno, words))
            if (count := len(parameters(function))) > PARAMETERS:
                words = f"{function.name}: {count} parameters, more than {PARAMETERS}"
                complaints.append(module.complaint(function.lineno, words))
    return complaints


def test_modules_and_functions_keep_to_their_size() -> None:
    assert size_complaints(product()) == []
