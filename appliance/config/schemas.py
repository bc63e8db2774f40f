"""The schemas as the engine uses them: loaded once, local references only.

`acceptance` says yes to most values; of all others `validation` says what is wrong, and `faults` puts it into words.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any, Final, Protocol
from urllib.parse import urljoin

from appliance.config.acceptance import Accept, Compiler, Unsupported
from appliance.config.problems import Path

Node = Mapping[str, Any]
_IN_PLACE: Final = ("if", "then", "else")
_ALTERNATIVES: Final = ("allOf", "anyOf", "oneOf")
#: Members of a secret reference that may be shown: they say where the secret is.
_PLACE_OF_SECRET: Final = frozenset({"file", "env"})


class SchemaProblem(Exception):
    """The product's own schemas are broken."""


class Finding(Protocol):
    """What the full validator finds wrong with a value: the part of its error class that is used here."""

    message: str
    validator: Any
    validator_value: Any
    instance: Any
    schema: Any

    @property
    def context(self) -> "Iterable[Finding] | None":
        """What each alternative finds, for a keyword that has some."""

    @property
    def absolute_path(self) -> Sequence[str | int]:
        """Where in the whole value."""

    @property
    def relative_path(self) -> Any:
        """Where in the part that the keyword judges."""

    @property
    def relative_schema_path(self) -> Any:
        """Which part of the schema."""


class Judge(Protocol):
    """The full validator."""

    def errors(self, reference: str, value: object) -> "list[Finding]":
        """What the schema at a reference finds wrong with a value."""


class Schemas:
    """The schema documents of a directory. A reference is `client.json#/$defs/client`."""

    def __init__(self, directory: FilePath) -> None:
        self._documents: dict[str, Node] = {
            path.relative_to(directory).as_posix(): _read_document(path) for path in sorted(directory.rglob("*.json"))
        }
        if not self._documents:
            raise SchemaProblem(f"there are no schemas in {directory}")
        self._accept: dict[str, Accept] = {}
        self._full: Judge | None = None
        for name, document in self._documents.items():
            for reference in _references(document):
                self.node(reference, name)

    def errors(self, reference: str, value: object) -> list[Finding]:
        """What the schema at a reference finds wrong with a value."""
        if self._quick(reference)(value):
            return []
        return self.full_errors(reference, value)

    def _quick(self, reference: str) -> Accept:
        accept = self._accept.get(reference)
        if accept is None:
            try:
                accept = Compiler(self).compile(*self.node(reference))
            except Unsupported:
                accept = _unsure
            self._accept[reference] = accept
        return accept

    def full_errors(self, reference: str, value: object) -> list[Finding]:
        """The same by the full validator alone."""
        return self._judge().errors(reference, value)

    def prepare(self) -> None:
        """Load the full validator now: for a process in which nobody may wait for it later."""
        self._judge()

    def _judge(self) -> Judge:
        if self._full is None:
            # Not above: it takes a tenth of a second to load, and a start with good files never asks it.
            from appliance.config.validation import FullValidator

            self._full = FullValidator(self._documents)
        return self._full

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
