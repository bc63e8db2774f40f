"""The strict front: one place reads the wire, and lenient readers are used nowhere.

RFC 6749 3.1 and 3.2 forbid repeated parameters, and a lenient reader hides them; a duplicate key in a
configuration file is hidden in the same way.
"""

import ast
from collections.abc import Iterable, Iterator

from tests.house.source import ROOT, Module, functions, parameters, product, read_modules

LENIENT_ATTRIBUTES = frozenset({"post", "json", "text", "host", "url", "scheme", "remote"})
#: What the server's connection hands on in its place.
PARSED = frozenset({"Incoming", "RawRequestMessage"})
LENIENT_YAML = frozenset(
    f"{prefix}load{suffix}" for prefix in ("", "safe_", "full_", "unsafe_") for suffix in ("", "_all")
)
LENIENT_FORMS = frozenset({"parse_qs", "parse_qsl"})
WIRE = "appliance.server.messages"
FORM = "appliance.protocol.form"


def annotated_requests(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Scopes and names in them that hold the web server's own request."""
    own = {
        found.name
        for found in module.imports
        if found.package == "aiohttp" and found.name in {"Request", "BaseRequest"}
    }
    for function in functions(module.tree):
        for parameter in parameters(function):
            words = ast.unparse(parameter.annotation).strip("'\"") if parameter.annotation else ""
            parsed = words.rpartition(".")[2] in PARSED
            if parsed or "web.Request" in words or "web.BaseRequest" in words or words in own:
                yield function, parameter.arg


def wire_complaints(modules: Iterable[Module]) -> list[str]:
    """Reads of the web server's request outside the one module that translates it."""
    return [
        module.complaint(node.lineno, f"{name}.{node.attr} is read outside {WIRE}")
        for module in modules
        if module.name != WIRE
        for scope, name in annotated_requests(module)
        for node in ast.walk(scope)
        if isinstance(node, ast.Attribute)
        and node.attr in LENIENT_ATTRIBUTES
        and _is_of(node.value, name)
    ]


def _is_of(value: ast.expr, name: str) -> bool:
    """Whether an expression is what has that name, or the message in it."""
    if isinstance(value, ast.Attribute) and value.attr == "message":
        value = value.value
    return isinstance(value, ast.Name) and value.id == name


def lenient_complaints(modules: Iterable[Module]) -> list[str]:
    """Uses of yaml's loaders anywhere, and of the standard library's form readers outside the form module."""
    complaints = []
    for module in modules:
        used = [(found.package, found.name or "", found.line) for found in module.imports]
        used += [
            (node.value.id if isinstance(node.value, ast.Name) else "", node.attr, node.lineno)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute)
        ]
        for origin, name, line in used:
            if origin == "yaml" and name in LENIENT_YAML:
                complaints.append(module.complaint(line, f"yaml.{name} hides duplicate keys and positions"))
            if name in LENIENT_FORMS and module.name != FORM:
                complaints.append(module.complaint(line, f"{name} is called outside {FORM}"))
    return complaints


def test_the_wire_is_read_in_one_place() -> None:
    assert wire_complaints(product()) == []


def test_lenient_readers_are_used_nowhere() -> None:
    assert lenient_complaints([*product(), *read_modules(ROOT, "bench")]) == []
