"""The part of JSON Schema that types of authorization details are written in (RFC 9396 2.1), compiled to functions.

Small on purpose: what users are asked about must be bounded and named. References lead to the schema's own `$defs`
and never back to themselves; an object has no members but those that it names, unless it says otherwise; and a
keyword that is not known here is a mistake, not an annotation.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from appliance.config.regex import fault

Accept = Callable[[object], bool]
Place = tuple[str | int, ...]

MAX_DEPTH: Final = 16
MAX_NODES: Final = 2000

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ANNOTATIONS: Final = frozenset({"$schema", "$defs", "$comment", "title", "description", "default", "examples"})
_REFERENCE: Final = "#/$defs/"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(_DATE.pattern + r"[Tt][0-9:]{8}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


class SchemaMistake(Exception):
    """A schema that cannot be used: where in it, and why."""

    def __init__(self, place: Place, message: str, remedy: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.remedy = remedy


def compile_schema(schema: Mapping[str, Any]) -> Accept:
    """A function that tells whether an object without its `type` is a good one. SchemaMistake."""
    compiler = _Compiler(schema)
    kind = schema.get("type", "object")
    if kind != "object":
        raise SchemaMistake(("type",), "authorization details are objects", "write `type: object`, or leave it out")
    accept = compiler.compile(schema, (), ())
    return lambda value: isinstance(value, dict) and accept(value)


def member_paths(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of all members that the schema names and that hold values of their own, with dots between."""
    return tuple(dict.fromkeys(_leaves(schema, schema, "", 0)))


def _leaves(root: Mapping[str, Any], node: Any, path: str, depth: int) -> list[str]:
    if not isinstance(node, Mapping) or depth > MAX_DEPTH:
        return [path] if path else []
    found: list[str] = []
    for below in _in_place(root, node):
        members = below.get("properties")
        for name, child in members.items() if isinstance(members, Mapping) else ():
            if path or name != "type":
                found += _leaves(root, child, f"{path}.{name}" if path else str(name), depth + 1)
        if "items" in below:
            found += [each for each in _leaves(root, below["items"], path, depth + 1) if each != path]
    return found or ([path] if path else [])


def _in_place(root: Mapping[str, Any], node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes that describe the same value."""
    found = [node]
    target = str(node.get("$ref", "")).removeprefix(_REFERENCE)
    definitions = root.get("$defs", {})
    others = [definitions.get(target)] if isinstance(definitions, Mapping) and "$ref" in node else []
    for keyword in ("allOf", "anyOf", "oneOf"):
        choices = node.get(keyword, ())
        others += choices if isinstance(choices, list) else []
    for each in others:
        if isinstance(each, Mapping) and each is not node:
            found += _in_place(root, each)
    return found


class _Compiler:
    """Compiles the nodes of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._definitions = schema.get("$defs", {})
        self._nodes = 0

    def compile(self, node: Any, place: Place, within: tuple[str, ...]) -> Accept:
        """What accepts the values of a node; `within`: the definitions that it stands in."""
        self._nodes += 1
        if self._nodes > MAX_NODES or len(place) > 2 * MAX_DEPTH:
            raise SchemaMistake(place, "the schema is too large or nested too deep", "split the type")
        if isinstance(node, bool):
            return lambda value: node
        if not isinstance(node, Mapping):
            raise SchemaMistake(place, "a schema is an object", "write for example {type: string, maxLength: 100}")
        checks = [
            self._keyword(str(name), argument, node, (*place, str(name)), within)
            for name, argument in node.items()
            if name not in _ANNOTATIONS and name != "additionalProperties"
        ]
        self._check_annotations(node, place)
        if "properties" not in node and "additionalProperties" in node:
            checks.append(self._members({}, node["additionalProperties"], place, within))
        return lambda value: all(check(value) for check in checks)

    def _check_annotations(self, node: Mapping[str, Any], place: Place) -> None:
        if node.get("$schema", _DIALECT) != _DIALECT:
            raise SchemaMistake((*place, "$schema"), "this is another dialect of JSON Schema", f"write {_DIALECT}")
        if "$defs" in node and place:
            raise SchemaMistake((*place, "$defs"), "`$defs` stands at the top of the schema", "move it there")

    def _keyword(
        self, name: str, argument: Any, node: Mapping[str, Any], place: Place, within: tuple[str, ...]
    ) -> Accept:
        if name == "$ref":
            return self._reference(argument, place, within)
        if name == "properties":
            if not isinstance(argument, Mapping):
                raise SchemaMistake(place, "`properties` is an object of schemas", "write one schema for each member")
            return self._members(argument, node.get("additionalProperties", False), place, within)
        if name == "items":
            check = self.compile(argument, place, within)
            return lambda value: not isinstance(value, list) or all(map(check, value))
        if name == "not":
            check = self.compile(argument, place, within)
            return lambda value: not check(value)
        if name in ("allOf", "anyOf", "oneOf"):
            if not isinstance(argument, list) or not argument:
                raise SchemaMistake(place, f"`{name}` is a list of schemas", "write at least one")
            choices = [self.compile(each, (*place, at), within) for at, each in enumerate(argument)]
            least, most = {"allOf": (len(choices),) * 2, "anyOf": (1, len(choices)), "oneOf": (1, 1)}[name]
            return lambda value: least <= sum(choice(value) for choice in choices) <= most
        return _simple(name, argument, place)

    def _reference(self, argument: Any, place: Place, within: tuple[str, ...]) -> Accept:
        target = str(argument)
        name = target.removeprefix(_REFERENCE)
        if not target.startswith(_REFERENCE) or not isinstance(self._definitions, Mapping):
            raise SchemaMistake(place, "a reference leads out of the schema", "put what it means into its `$defs`")
        if name not in self._definitions:
            raise SchemaMistake(place, f"there is no `{name}` in `$defs`", "add it, or mend the name")
        if name in within:
            raise SchemaMistake(place, "a definition refers to itself", "write down the levels that you need")
        return self.compile(self._definitions[name], place, (*within, name))

    def _members(self, named: Mapping[str, Any], others: Any, place: Place, within: tuple[str, ...]) -> Accept:
        checks = {name: self.compile(child, (*place, name), within) for name, child in named.items()}
        rest = self.compile(others, place, within)

        def accept(value: object) -> bool:
            if not isinstance(value, dict):
                return True
            return all(checks.get(name, rest)(child) for name, child in value.items())

        return accept


def _simple(name: str, argument: Any, place: Place) -> Accept:
    maker = _SIMPLE.get(name)
    if maker is None:
        raise SchemaMistake(place, f"`{name}` is not understood here", f"there are: {', '.join(sorted(_KNOWN))}")
    kind, make = maker
    if not _fits(argument, kind):
        raise SchemaMistake(place, f"the value of `{name}` has the wrong type", "see JSON Schema 2020-12")
    if name == "pattern" and (why := fault(argument)) is not None:
        raise SchemaMistake(place, f"the pattern {why}", "write a simpler one")
    if name == "format" and argument not in _FORMATS:
        raise SchemaMistake(place, "this format is not checked", f"there are: {', '.join(_FORMATS)}; or a `pattern`")
    if name == "type" and not set([argument] if isinstance(argument, str) else argument) <= _KINDS.keys():
        raise SchemaMistake(place, "there is no such type", f"there are: {', '.join(_KINDS)}")
    found: Accept = make(argument)
    return found


def _fits(argument: Any, kind: str) -> bool:
    if kind == "count":
        return type(argument) is int and argument >= 0
    if kind == "number":
        return type(argument) in (int, float)
    if kind == "names":
        return isinstance(argument, list) and all(isinstance(each, str) for each in argument)
    if kind == "type":
        return isinstance(argument, str) or (_fits(argument, "names") and bool(argument))
    return kind == "any" or isinstance(argument, {"list": list, "text": str, "flag": bool}[kind])


def _number(value: object) -> bool:
    return type(value) in (int, float)


def _same(one: object, other: object) -> bool:
    """Equal as JSON, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return one == other


def _kind(argument: Any) -> Accept:
    kinds = [_KINDS[name] for name in ([argument] if isinstance(argument, str) else argument)]
    return lambda value: any(kind(value) for kind in kinds)


def _size(kind: Any, limit: int, sign: int) -> Accept:
    return lambda value: not isinstance(value, kind) or sign * len(value) <= sign * limit


def _pattern(argument: str) -> Accept:
    # In JSON Schema the end is the end; in Python `$` would let one line break pass.
    whole = argument[:-1] + r"\Z" if argument.endswith("$") and not argument.endswith("\\$") else argument
    search = re.compile(whole).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _bound(fits: Callable[[Any], bool]) -> Accept:
    return lambda value: not _number(value) or fits(value)


def _unique(argument: bool) -> Accept:
    def accept(value: object) -> bool:
        if not argument or not isinstance(value, list):
            return True
        return not any(_same(value[at], other) for at in range(len(value)) for other in value[:at])

    return accept


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None and _reads(datetime.fromisoformat, text.upper())


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _reads(date.fromisoformat, text)


def _reads(reader: Callable[[str], object], text: str) -> bool:
    try:
        reader(text)
    except ValueError:
        return False
    return True


def _format(argument: str) -> Accept:
    check = _FORMATS[argument]
    return lambda value: not isinstance(value, str) or check(value)


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": _is_date,
    "date-time": _is_time,
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}
_KINDS: Final[Mapping[str, Accept]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": _number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
#: Keyword to the kind of its argument, and what makes its check.
_SIMPLE: Final[Mapping[str, tuple[str, Callable[[Any], Accept]]]] = {
    "type": ("type", _kind),
    "enum": ("list", lambda choices: lambda value: any(_same(value, each) for each in choices)),
    "const": ("any", lambda wanted: lambda value: _same(value, wanted)),
    "required": ("names", lambda names: lambda value: not isinstance(value, dict) or value.keys() >= set(names)),
    "minProperties": ("count", lambda limit: _size(dict, limit, -1)),
    "maxProperties": ("count", lambda limit: _size(dict, limit, 1)),
    "minItems": ("count", lambda limit: _size(list, limit, -1)),
    "maxItems": ("count", lambda limit: _size(list, limit, 1)),
    "uniqueItems": ("flag", _unique),
    "minLength": ("count", lambda limit: _size(str, limit, -1)),
    "maxLength": ("count", lambda limit: _size(str, limit, 1)),
    "pattern": ("text", _pattern),
    "format": ("text", _format),
    "minimum": ("number", lambda limit: _bound(lambda value: value >= limit)),
    "maximum": ("number", lambda limit: _bound(lambda value: value <= limit)),
    "exclusiveMinimum": ("number", lambda limit: _bound(lambda value: value > limit)),
    "exclusiveMaximum": ("number", lambda limit: _bound(lambda value: value < limit)),
}
_KNOWN: Final = frozenset(
    {*_SIMPLE, "$ref", "properties", "additionalProperties", "items", "not", "allOf", "anyOf", "oneOf"}
)
