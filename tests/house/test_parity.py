"""Schema and dataclass: the schema alone says what a setting means and what it is when left out."""

import dataclasses
import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.house.source import ROOT

SCHEMAS = ROOT / "schemas"
BINDING = ROOT / "appliance" / "config" / "binding.py"
Schema = dict[str, Any]


#: Declared classes that no schema object describes: code makes them of what the files say.
MADE = frozenset(
    {
        "Declared",  # the whole, of all files
        "ThemeFiles",  # a folder, not a document
        "Part",  # a kind and the Options of its part
        *("Path", "Const", "Join", "FirstOf", "Convert", "Members", "Match", "Table"),  # a parsed expression
    }
)


def read_bindings() -> Mapping[str, type]:
    """The registry of the language, and the Options of every part that the files can name."""
    if not BINDING.exists():
        return {}
    try:
        bindings: Mapping[str, type] = importlib.import_module("appliance.config.binding").BINDINGS
        parts: Mapping[str, Mapping[str, type]] = importlib.import_module("appliance.options").PARTS
    except (ImportError, AttributeError) as error:
        pytest.fail(f"there are no usable bindings: {error}")
    options = {f"parts/{family}/{kind}.json": bound for family, kinds in parts.items() for kind, bound in kinds.items()}
    return {**bindings, **options}


def field_name(json_name: str) -> str:
    """The field that a JSON name becomes, by the product's own rule."""
    named: str = importlib.import_module("appliance.config.binding").field_name(json_name)
    return named


def read_schemas(directory: str = "") -> dict[str, Schema]:
    """All schema documents by their name below schemas/."""
    return {
        path.relative_to(SCHEMAS).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((SCHEMAS / directory).rglob("*.json"))
    }


def locate(schemas: Mapping[str, Schema], reference: str, document: str = "") -> tuple[str, Schema]:
    """The document and node that a reference names, seen from a document."""
    name, _, pointer = reference.partition("#")
    if not name:
        name = document
    elif name not in schemas:
        beside = (SCHEMAS / document).parent.joinpath(name).resolve()
        by_id = [other for other, schema in schemas.items() if schema.get("$id") == name]
        name = by_id[0] if by_id else beside.relative_to(SCHEMAS.resolve()).as_posix()
    node: Any = schemas[name]
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        node = node[int(step)] if isinstance(node, list) else node[step]
    return name, node


def resolved(schemas: Mapping[str, Schema], document: str, node: Schema) -> Iterator[Schema]:
    """A node and the nodes its references lead to."""
    yield node
    while "$ref" in node:
        document, node = locate(schemas, node["$ref"], document)
        yield node


def allows_null(schemas: Mapping[str, Schema], document: str, node: Schema) -> bool:
    """Whether null is a value of a node, so that leaving it out means null."""
    for seen in resolved(schemas, document, node):
        if "null" in (seen.get("type") or ()) or None in seen.get("enum", ()):
            return True
        choices = [*seen.get("anyOf", ()), *seen.get("oneOf", ())]
        if any(allows_null(schemas, document, choice) for choice in choices):
            return True
    return False


def parity_complaints(key: str, bound: type, schemas: Mapping[str, Schema]) -> list[str]:
    """Where a dataclass and its schema object differ, or the schema leaves something unsaid."""
    try:
        document, schema = locate(schemas, key)
    except (KeyError, IndexError, ValueError):
        return [f"{key}: there is no such schema"]
    schema = next((seen for seen in resolved(schemas, document, schema) if "properties" in seen), {})
    if not schema:
        return [f"{key}: the schema is no object with properties"]
    if not dataclasses.is_dataclass(bound):
        return [f"{key}: {bound.__qualname__} is no dataclass"]
    complaints = []
    if not bound.__dataclass_params__.frozen or "__slots__" not in vars(bound):  # type: ignore[attr-defined]
        complaints.append(f"{bound.__qualname__} is not frozen with slots")
    properties = {name: node for name, node in schema["properties"].items() if not name.startswith("$")}
    fields = {field.name: field for field in dataclasses.fields(bound)}
    named = {field_name(name) for name in properties}
    if schema.get("x-op-type") == "client_secret":
        # A secret reference written flat: its members become the one field.
        flat = {"hash", "file", "env"}
        properties = {name: node for name, node in properties.items() if name not in flat}
        named = (named - flat) | {"secret"}
    if any(node.get("x-op-type") == "localized" for node in schema.get("patternProperties", {}).values()):
        named |= {"localized"}
    complaints += [f"{key}: {bound.__qualname__} has no field {name}" for name in sorted(named - set(fields))]
    complaints += [
        f"{key}: no property for {bound.__qualname__}.{name}" for name in sorted(set(fields) - named)
    ]
    for name, field in fields.items():
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING:
            complaints.append(f"{bound.__qualname__}.{name} has a default in Python")
    required = set(schema.get("required", ()))
    for name, node in properties.items():
        nodes = list(resolved(schemas, document, node))
        if not any(seen.get("description") for seen in nodes):
            complaints.append(f"{key}: {name} has no description")
        if name in required or any("default" in seen or "x-op-key" in seen for seen in nodes):
            continue
        if not allows_null(schemas, document, node):
            complaints.append(f"{key}: {name} may be left out and has no default")
    return complaints


def declared_dataclasses() -> Iterator[type]:
    """Every dataclass that is defined in the declared room."""
    room = ROOT / "appliance" / "config" / "declared"
    if not BINDING.exists() or not room.exists():
        return
    for found in pkgutil.walk_packages([str(room)], "appliance.config.declared."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == found.name and dataclasses.is_dataclass(value):
                yield value


def test_each_dataclass_and_its_schema_say_the_same() -> None:
    schemas = read_schemas()
    complaints = [c for key, bound in read_bindings().items() for c in parity_complaints(key, bound, schemas)]
    assert complaints == []


def test_each_declared_dataclass_is_bound() -> None:
    bound = set(read_bindings().values())
    strays = [c for c in declared_dataclasses() if c not in bound and c.__qualname__ not in MADE]
    assert [f"{c.__module__}.{c.__qualname__}" for c in strays] == []


def test_each_schema_document_is_bound() -> None:
    bindings = read_bindings()
    documents = {key.partition("#")[0] for key in bindings}
    strays = [name for name, schema in read_schemas().items() if bindings and "properties" in schema]
    assert [name for name in strays if name not in documents] == []
