"""Public functions say what they take and what they give."""

from collections.abc import Iterable

from tests.house.source import Module, functions, parameters, product


def annotation_complaints(modules: Iterable[Module]) -> list[str]:
    """Public functions with an unannotated parameter or no annotated result."""
    complaints: list[str] = []
    for module in modules:
        for function in functions(module.tree):
            if function.name.startswith("_") and not function.name.endswith("__"):
                continue
            complaints.extend(
                module.complaint(parameter.lineno, f"{function.name}: {parameter.arg} has no annotation")
                for parameter in parameters(function)
                if parameter.annotation is None
            )
            if function.returns is None:
                complaints.append(module.complaint(function.lineno, f"{function.name}: no annotated result"))
    return complaints


def test_public_functions_are_annotated() -> None:
    assert annotation_complaints(product()) == []
