"""The full validator: `jsonschema` with our own keyword meanings. Only `schemas` loads it, when a value is refused."""

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from appliance.config import formats

Node = Mapping[str, Any]
# References are resolved against this; nothing is ever fetched, the registry has no retriever.
_ROOT: Final = "https://schemas.invalid/"


class FullValidator:
    """Judges values by the schemas of some documents, by their names."""

    def __init__(self, documents: Mapping[str, Node]) -> None:
        resources = [(_ROOT + name, DRAFT202012.create_resource(document)) for name, document in documents.items()]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._validators: dict[str, Any] = {}

    def errors(self, reference: str, value: object) -> list[Any]:
        """What the schema at a reference finds wrong with a value."""
        validator = self._validators.get(reference)
        if validator is None:
            kind: Any = _validator_class()
            validator = kind({"$ref": _ROOT + reference}, registry=self._registry, format_checker=_formats())
            self._validators[reference] = validator
        return list(validator.iter_errors(value))


@cache
def _formats() -> FormatChecker:
    """A checker with our formats and no other."""
    checker = FormatChecker(formats=())
    checker.checkers = {name: (_for_format(name), ()) for name in formats.WORDS}
    return checker


def _for_format(name: str) -> Any:
    return lambda value: formats.conforms(value, name)


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
