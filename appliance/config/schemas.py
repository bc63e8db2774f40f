"""The schemas as the engine uses them: loaded once, local references only, our own keyword meanings.

Shape is judged by `jsonschema`; `faults` puts its findings into words.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any, Final
from urllib.parse import urljoin

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from appliance.config.acceptance import Accept, Compiler, Unsupported
from appliance.config.formats import make_checker
from appliance.config.problems import Path

Node = Mapping[str, Any]
# References are resolved against this; nothing is ever fetched, the registry has no retriever.
_ROOT: Final = "https://schemas.invalid/"
_IN_PLACE: Final = ("if", "then", "else")
_ALTERNATIVES: Final = ("allOf", "anyOf", "oneOf")
#: Members of a secret reference that may be shown: they say where the secret is.
_PLACE_OF_SECRET: Final = frozenset({"file", "env"})


class SchemaProblem(Exception):
    """The product's own schemas are broken."""


class Schemas:
    """The schema documents of a directory. A reference is `client.json#/$defs/client`."""

    def __init__(self, directory: FilePath) -> None:
        self._documents: dict[str, Node] = {
            path.relative_to(directory).as_posix(): _read_document(path) for path in sorted(directory.rglob("*.json"))
        }
        if not self._documents:
            raise SchemaProblem(f"there are no schemas in {directory}")
        resources = [
            (_ROOT + name, DRAFT202012.create_resource(document)) for name, document in self._documents.items()
        ]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._validators: dict[str, Any] = {}
        self._accept: dict[str, Accept] = {}
        for name, document in self._documents.items():
            for reference in _references(document):
                self.node(reference, name)

    def errors(self, reference: str, value: object) -> list[ValidationError]:
        """What the schema at a reference finds wrong with a value."""
        if self._quick(reference)(value):
            return []
        return self.full_errors(reference, value)

    def _quick(self, reference: str) -> Accept:
        accept = self._accept.get(reference)
        if accept is None:
            try:
                accept = Compiler(self, _formats()).compile(*self.node(reference))
            except Unsupported:
                accept = _unsure
            self._accept[reference] = accept
        return accept

    def full_errors(self, reference: str, value: object) -> list[ValidationError]:
        """The same by the full validator alone."""
        validator = self._validators.get(reference)
        if validator is None:
            kind: Any = _validator_class()
            validator = kind({"$ref": _ROOT + reference}, registry=self._registry, format_checker=_formats())
            self._validators[reference] = validator
        return list(validator.iter_errors(value))

    def node(self, reference: str, document: str = "") -> tuple[str, Node]:
        """The schema node a reference names, seen from a document, and the document it stands in."""
        name, _, pointer = reference.partition("#")
        target = urljoin("/" + document, name).removeprefix("/") if name else document
        found: Any = self._documents.get(target)
        if found is None or "://" in name:
            raise SchemaProblem(f"{document or 'the engine'} refers to {reference}, which is no schema here")
        for step in pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]
            except (KeyError, IndexError, ValueError):
                raise SchemaProblem(f"{document or 'the engine'} refers to {reference}: no such node") from None
        return target, found

    def same(self, document: str, node: Node) -> Iterator[tuple[str, Node]]:
        """A node and all that apply to the same value: references, alternatives, conditions."""
        if not isinstance(node, Mapping):
            return
        yield document, node
        if "$ref" in node:
            yield from self.same(*self.node(node["$ref"], document))
        for keyword in _ALTERNATIVES:
            for choice in node.get(keyword, ()):
                yield from self.same(document, choice)
        for keyword in _IN_PLACE:
            if keyword in node:
                yield from self.same(document, node[keyword])

    def below(self, nodes: list[tuple[str, Node]], step: str | int) -> list[tuple[str, Node]]:
        """The nodes that describe a member (or item) of the value that `nodes` describe."""
        found: list[tuple[str, Node]] = []
        for document, node in nodes:
            for child in _children(node, step):
                found.extend(self.same(document, child))
        return found

    def properties(self, nodes: list[tuple[str, Node]]) -> dict[str, tuple[str, Node]]:
        """Every property that nodes of one value name, with the document and node that describe it."""
        named: dict[str, tuple[str, Node]] = {}
        for document, node in nodes:
            for name, child in node.get("properties", {}).items():
                if child is not False and (name not in named or "$ref" in child or "type" in child):
                    named.setdefault(name, (document, child))
        return named

    def known_keys(self, reference: str, path: Path) -> tuple[str, ...]:
        """The names a map at a path may use."""
        return tuple(self.properties(self.known_nodes(reference, path)))

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """Every member name that some schema calls a secret."""
        return frozenset(name for document in self._documents.values() for name in _secret_names(document))

    def is_secret(self, reference: str, path: Path) -> bool:
        """Whether what is written at a path must not be shown."""
        if path and path[-1] in _PLACE_OF_SECRET:
            return False
        nodes = list(self.same(*self.node(reference)))
        secret = False
        for step in path:
            nodes = self.below(nodes, step)
            secret = secret or any(node.get("x-op-secret") for _, node in nodes)
        return secret

    def known_nodes(self, reference: str, path: Path) -> list[tuple[str, Node]]:
        """The nodes that describe what stands at a path."""
        nodes = list(self.same(*self.node(reference)))
        for step in path:
            nodes = self.below(nodes, step)
        return nodes


@lru_cache(maxsize=4)
def load_schemas(directory: FilePath) -> Schemas:
    """The schemas of a directory, read once per process."""
    return Schemas(directory)


def _unsure(_value: object) -> bool:
    return False


def _read_document(path: FilePath) -> Node:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # At a `$schema` jsonschema would change to its stock validator, which lacks our keywords.
    document.pop("$schema", None)
    return document


def _children(node: Node, step: str | int) -> Iterator[Node]:
    if isinstance(step, int):
        prefix = node.get("prefixItems", ())
        child = prefix[step] if step < len(prefix) else node.get("items")
        if isinstance(child, Mapping):
            yield child
        return
    child = node.get("properties", {}).get(step)
    if isinstance(child, Mapping):
        yield child
        return
    matched = [child for pattern, child in node.get("patternProperties", {}).items() if re.search(pattern, step)]
    if not matched and isinstance(node.get("additionalProperties"), Mapping):
        matched = [node["additionalProperties"]]
    yield from matched


def _secret_names(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            if isinstance(child, Mapping) and child.get("x-op-secret") is True and name not in _PLACE_OF_SECRET:
                yield str(name)
            yield from _secret_names(child)
    elif isinstance(value, list):
        for child in value:
            yield from _secret_names(child)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


@cache
def _formats() -> Any:
    return make_checker()


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


@cache
def _validator_class() -> Any:
    stock: Any = Draft202012Validator
    types = stock.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
    keywords = {
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _unevaluated_properties,
        "pattern": _check_pattern,
        "properties": _properties,
        "propertyNames": _property_names,
        "required": _required,
    }
    extended: Any = extend
    return extended(stock, validators=keywords, type_checker=types)


def _is_integer(_checker: object, value: object) -> bool:
    # jsonschema takes 1.0 for an integer; a reader of the file does not.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: object, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_pattern(_validator: Any, pattern: str, value: object, _schema: Node) -> Iterator[ValidationError]:
    # Whole value: `$` alone also matches before a line break at the end.
    if isinstance(value, str) and not _pattern(pattern).fullmatch(value):
        yield ValidationError("pattern")


def _required(_validator: Any, names: list[str], value: object, _schema: Node) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield ValidationError(name)


def _properties(validator: Any, named: Node, value: object, _schema: Node) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for name, child in named.items():
        if name in value and child is False:
            # The stock validator does not say which property it was.
            yield ValidationError(name, path=[name])
        elif name in value:
            yield from validator.descend(value[name], child, path=name, schema_path=name)


def _additional_properties(validator: Any, allowed: object, value: object, schema: Node) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, child in value.items():
        if name in named or any(_pattern(pattern).search(name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(name)
        elif allowed is not True:
            yield from validator.descend(child, allowed, path=name)


def _unevaluated_properties(validator: Any, allowed: object, value: object, schema: Node) -> Iterator[ValidationError]:
    stock: Any = Draft202012Validator.VALIDATORS["unevaluatedProperties"]
    for error in stock(validator, allowed, value, schema):
        if allowed is not False or not isinstance(value, dict):
            yield error
            continue
        # The stock error lists all of them in its message only.
        for name in value:
            if repr(name) in error.message:
                yield ValidationError(name)


def _property_names(validator: Any, names: Any, value: object, _schema: Node) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for name in value:
            for error in validator.descend(name, names):
                error.path.appendleft(name)
                setattr(error, "on_key", True)  # noqa: B010 - an attribute of ours on their class
                yield error
