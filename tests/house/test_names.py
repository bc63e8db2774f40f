"""Names are the field's own words; a word that fits everything names nothing."""

import ast
import re
from collections.abc import Iterable

from tests.house.source import Module, functions, product

FORBIDDEN = frozenset(
    {
        "util",
        "utils",
        "helper",
        "helpers",
        "common",
        "misc",
        "manager",
        "managers",
        "handler",
        "handlers",
        "service",
        "services",
        "impl",
        "base",
        "abstract",
        "data",
        "info",
    }
)
FORBIDDEN_VERBS = ("do_", "process_")
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z0-9]*|[a-z0-9]+")


def forbidden_words(name: str) -> set[str]:
    """The forbidden words in a snake_case or CamelCase name."""
    return {word.lower() for word in _WORD.findall(name)} & FORBIDDEN


def name_complaints(modules: Iterable[Module]) -> list[str]:
    """Files, rooms and classes with a forbidden word; functions that merely do or process."""
    complaints = []
    for module in modules:
        if module.name == "appliance":
            continue
        leaf = module.name.rpartition(".")[2]
        allowed = {"handler", "handlers"} if ".dispatch" in module.name else set()
        if words := forbidden_words(leaf) - allowed:
            complaints.append(module.complaint(1, f"a file named with {', '.join(sorted(words))}"))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and (words := forbidden_words(node.name) - allowed):
                words_found = ", ".join(sorted(words))
                complaints.append(module.complaint(node.lineno, f"{node.name}: named with {words_found}"))
        complaints.extend(
            module.complaint(function.lineno, f"{function.name}: a verb that says nothing")
            for function in functions(module.tree)
            if function.name.lstrip("_").startswith(FORBIDDEN_VERBS)
        )
    return complaints


def test_no_name_uses_a_word_that_fits_everything() -> None:
    assert name_complaints(product()) == []
