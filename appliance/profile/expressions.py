"""The mapping language of `claims/`, compiled: an expression becomes a function of the source documents.

Compiled once per generation; evaluating never raises, whatever the documents hold. None means nothing.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from appliance.config.declared.claims import (
    Const,
    Convert,
    Expression,
    FirstOf,
    Join,
    Match,
    Members,
    Path,
    Table,
)
from appliance.profile import claim_forms

#: Name of a source in the claims set to the user's document there.
Documents = Mapping[str, object]
Evaluate = Callable[[Documents], object]


def compile_expression(expression: Expression) -> Evaluate:
    """The function that an expression stands for."""
    match expression:
        case Path():
            return _path(expression)
        case Const():
            return lambda _documents: expression.value
        case Join():
            return _join(expression)
        case FirstOf():
            return _first_of(expression)
        case Convert():
            convert, inner = _CONVERSIONS[expression.to], compile_expression(expression.value)
            return lambda documents: convert(inner(documents))
        case Members():
            return _members(expression)
        case Match():
            return _match(expression)
        case Table():
            return _table(expression)


def sources_of(expression: Expression) -> frozenset[str]:
    """The names of the sources that an expression reads."""
    inner: tuple[Expression, ...]
    match expression:
        case Path():
            return frozenset({expression.source})
        case Const():
            return frozenset()
        case Join():
            inner = expression.parts
        case FirstOf():
            inner = expression.options
        case Members():
            inner = tuple(expression.members.values())
        case Convert() | Match() | Table():
            inner = (expression.value,)
    return frozenset[str]().union(*(sources_of(each) for each in inner))


def _path(path: Path) -> Evaluate:
    source, steps = path.source, path.steps

    def evaluate(documents: Documents) -> object:
        return _walk(documents.get(source), steps)

    return evaluate


def _walk(value: object, steps: tuple[str | int | tuple[str], ...]) -> object:
    for position, step in enumerate(steps):
        if isinstance(step, str):
            # Most documents are plain dictionaries, and to ask whether something is a Mapping takes long.
            value = value.get(step) if type(value) is dict or isinstance(value, Mapping) else None
        elif isinstance(step, int):
            entries = value if isinstance(value, list | tuple) else ()
            value = entries[step] if -len(entries) <= step < len(entries) else None
        elif step == ("primary",):
            value = _primary(value)
        else:
            entries = value if isinstance(value, list | tuple) else [value]
            found = [_walk(entry, steps[position + 1 :]) for entry in entries]
            return [each for each in found if each is not None] or None
        if value is None:
            return None
    return value


def _primary(value: object) -> object:
    """Of a list the entry marked primary, else the first verified one, else the first."""
    if not isinstance(value, list | tuple):
        return value
    for mark in ("primary", "verified"):
        for entry in value:
            if isinstance(entry, Mapping) and claim_forms.boolean(entry.get(mark)):
                return entry
    return value[0] if value else None


def _join(join: Join) -> Evaluate:
    parts = [compile_expression(part) for part in join.parts]

    def evaluate(documents: Documents) -> object:
        texts = (claim_forms.text(part(documents)) for part in parts)
        return join.separator.join(text for text in texts if text is not None) or None

    return evaluate


def _first_of(first_of: FirstOf) -> Evaluate:
    options = [compile_expression(option) for option in first_of.options]

    def evaluate(documents: Documents) -> object:
        found = (claim_forms.plain(option(documents)) for option in options)
        return next((value for value in found if value is not None), None)

    return evaluate


def _members(members: Members) -> Evaluate:
    compiled = {name: compile_expression(member) for name, member in members.members.items()}

    def evaluate(documents: Documents) -> object:
        return claim_forms.plain({name: member(documents) for name, member in compiled.items()})

    return evaluate


def _match(expression: Match) -> Evaluate:
    inner, pattern = compile_expression(expression.value), re.compile(expression.pattern)

    def evaluate(documents: Documents) -> object:
        return _each(inner(documents), take)

    def take(value: object) -> object:
        found = pattern.search(value) if isinstance(value, str) else None
        return found[expression.take] if found else None

    return evaluate


def _table(expression: Table) -> Evaluate:
    inner = compile_expression(expression.value)

    def evaluate(documents: Documents) -> object:
        return _each(inner(documents), translate)

    def translate(value: object) -> object:
        key = claim_forms.text(value)
        return None if key is None else expression.table.get(key, expression.default)

    return evaluate


def _each(value: object, function: Callable[[object], object]) -> object:
    """The function of a value, or of each of a list, without the nothings."""
    if isinstance(value, list | tuple):
        return [found for entry in value if (found := function(entry)) is not None] or None
    return function(value)


def _cased(change: Callable[[str], str]) -> Callable[[object], object]:
    return lambda value: _each(value, lambda each: change(each) if isinstance(each, str) else each)


def _listed(value: object) -> object:
    if isinstance(value, list | tuple):
        return list(value)
    return None if value is None else [value]


_CONVERSIONS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "lower": _cased(str.lower),
        "upper": _cased(str.upper),
        "boolean": claim_forms.boolean,
        "number": claim_forms.number,
        "string": claim_forms.text,
        "date": claim_forms.day,
        "locale": claim_forms.locale,
        "list": _listed,
    }
)
