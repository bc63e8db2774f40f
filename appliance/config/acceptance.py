"""A quick "yes" for values whose shape is right: schemas compiled to plain functions.

It says yes only to what the full validator would say yes to. At a no, or for a schema with a keyword that is
not compiled here, the full validator decides and finds the words.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from appliance.config import formats

Node = Mapping[str, Any]
Accept = Callable[[Any], bool]

_ANNOTATIONS: Final = frozenset({"$defs", "title", "description", "default", "examples", "then", "else"})
_KINDS: Final[Mapping[str, Accept]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    # Of NaN and the infinities only the full validator knows.
    "number": lambda value: type(value) is int or (type(value) is float and abs(value) < 1e300),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


class Unsupported(Exception):
    """A keyword that is left to the full validator."""


class Resolver(Protocol):
    """Finds the node a reference names."""

    def node(self, reference: str, document: str = "") -> tuple[str, Node]:
        """The document and node of a reference seen from a document."""


class Compiler:
    """Compiles schema nodes, each once. After Unsupported a compiler is not to be used again."""

    def __init__(self, schemas: Resolver) -> None:
        self._schemas = schemas
        self._compiled: dict[int, Accept] = {}

    def compile(self, document: str, node: Any) -> Accept:
        """A function that accepts values of a node; Unsupported when it has keywords not known here."""
        if node is True:
            return lambda value: True
        if node is False:
            return lambda value: False
        known = self._compiled.get(id(node))
        if known is not None:
            return known
        # A schema may refer to itself; until it is compiled such a reference goes through this table.
        self._compiled[id(node)] = lambda value: self._compiled[id(node)](value)
        checks = [
            check
            for keyword, argument in node.items()
            if not (keyword in _ANNOTATIONS or keyword.startswith("x-"))
            for check in self._keyword(keyword, argument, document, node)
        ]
        compiled = self._compiled[id(node)] = _all_of(checks)
        return compiled

    def _keyword(self, keyword: str, argument: Any, document: str, node: Node) -> list[Accept]:
        if keyword == "$ref":
            return [self.compile(*self._schemas.node(argument, document))]
        if keyword in ("properties", "patternProperties", "additionalProperties"):
            # One check for the three: that of whichever of them comes first in the node.
            first = next(name for name in node if name in ("properties", "patternProperties", "additionalProperties"))
            return [self._members(document, node)] if keyword == first else []
        if keyword in ("allOf", "anyOf", "oneOf"):
            choices = [self.compile(document, choice) for choice in argument]
            return [_COMBINED[keyword](choices)]
        if keyword == "if":
            return [self._condition(document, node)]
        if keyword == "unevaluatedProperties":
            return [self._unevaluated(document, node)]
        if keyword == "items":
            return [_items(self.compile(document, argument))]
        if keyword == "propertyNames":
            names = self.compile(document, argument)
            return [lambda value: not isinstance(value, dict) or all(map(names, value))]
        if keyword == "format":
            return [lambda value: formats.conforms(value, argument)]
        maker = _SIMPLE.get(keyword)
        if maker is None:
            raise Unsupported(keyword)
        return [maker(argument)]

    def _condition(self, document: str, node: Node) -> Accept:
        test = self.compile(document, node["if"])
        then = self.compile(document, node.get("then", True))
        otherwise = self.compile(document, node.get("else", True))
        return lambda value: then(value) if test(value) else otherwise(value)

    def _unevaluated(self, document: str, node: Node) -> Accept:
        judged = self._judged(document, node)
        rest = self.compile(document, node["unevaluatedProperties"])
        return lambda value: (
            not isinstance(value, dict) or all(rest(value[name]) for name in value.keys() - judged(value))
        )

    def _judged(self, document: str, node: Any) -> Callable[[Any], frozenset[str]]:
        """Which members of a value that a node accepts it judges: those it names, never one too many."""
        if not isinstance(node, Mapping):
            return lambda value: frozenset()
        named = frozenset(node.get("properties", ()))
        within = [self._judged(document, choice) for choice in node.get("allOf", ())]
        if "$ref" in node:
            within.append(self._judged(*self._schemas.node(node["$ref"], document)))
        if "if" in node:
            within.append(self._judged_by_case(document, node))
        return lambda value: named.union(*(judged(value) for judged in within))

    def _judged_by_case(self, document: str, node: Node) -> Callable[[Any], frozenset[str]]:
        test = self.compile(document, node["if"])
        tested = self._judged(document, node["if"])
        then = self._judged(document, node.get("then"))
        otherwise = self._judged(document, node.get("else"))
        return lambda value: tested(value) | then(value) if test(value) else otherwise(value)

    def _members(self, document: str, node: Node) -> Accept:
        named = {name: self.compile(document, child) for name, child in node.get("properties", {}).items()}
        patterns = [
            (re.compile(pattern).search, self.compile(document, child))
            for pattern, child in node.get("patternProperties", {}).items()
        ]
        rest = self.compile(document, node.get("additionalProperties", True))

        def accept(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for name, child in value.items():
                known = named.get(name)
                if known is not None and not known(child):
                    return False
                matching = [check for search, check in patterns if search(name)] if patterns else ()
                if known is None and not matching and not rest(child):
                    return False
                if not all(check(child) for check in matching):
                    return False
            return True

        return accept


def _all_of(checks: list[Accept]) -> Accept:
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _any_of(checks: list[Accept]) -> Accept:
    return lambda value: any(check(value) for check in checks)


def _one_of(checks: list[Accept]) -> Accept:
    return lambda value: sum(check(value) for check in checks) == 1


def _items(check: Accept) -> Accept:
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _type(names: str | list[str]) -> Accept:
    if isinstance(names, str):
        return _KINDS[names]
    return _any_of([_KINDS[name] for name in names])


def _enum(choices: list[Any]) -> Accept:
    if not all(choice is None or isinstance(choice, str | bool | int) for choice in choices):
        raise Unsupported("enum")
    # With the type, since True == 1 in Python and not in JSON.
    known = {(type(choice), choice) for choice in choices}
    scalars = (str, bool, int, type(None))
    return lambda value: isinstance(value, scalars) and (type(value), value) in known


def _pattern(text: str) -> Accept:
    match = re.compile(text).fullmatch
    return lambda value: not isinstance(value, str) or match(value) is not None


def _required(names: list[str]) -> Accept:
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _size(kind: Any, limit: int, sign: int) -> Accept:
    return lambda value: not isinstance(value, kind) or sign * len(value) <= sign * limit


def _bound(limit: float, sign: int) -> Accept:
    return lambda value: type(value) not in (int, float) or sign * value <= sign * limit


def _unique(wanted: bool) -> Accept:
    def accept(value: Any) -> bool:
        if not wanted or not isinstance(value, list):
            return True
        return all(isinstance(item, str) for item in value) and len(set(value)) == len(value)

    return accept


_COMBINED: Final[Mapping[str, Callable[[list[Accept]], Accept]]] = {
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
}
_SIMPLE: Final[Mapping[str, Callable[[Any], Accept]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value: _enum([value]),
    "pattern": _pattern,
    "required": _required,
    "minLength": lambda limit: _size(str, limit, -1),
    "maxLength": lambda limit: _size(str, limit, 1),
    "minItems": lambda limit: _size(list, limit, -1),
    "maxItems": lambda limit: _size(list, limit, 1),
    "minProperties": lambda limit: _size(dict, limit, -1),
    "maxProperties": lambda limit: _size(dict, limit, 1),
    "minimum": lambda limit: _bound(limit, -1),
    "maximum": lambda limit: _bound(limit, 1),
    "uniqueItems": _unique,
}
