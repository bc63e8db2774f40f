"""The mapping language of claims: written values in, the expressions of `declared.claims` out.

A text is a path into a source (`person.emails[primary].value`); an object has one operator. Every mistake of
an expression is found at once, each with the path to the part that is wrong.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from appliance.config import regex
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
from appliance.config.problems import Path as Place
from appliance.config.problems import Unreadable

MAX_DEPTH = 16

CONVERSIONS = ("lower", "upper", "boolean", "number", "string", "date", "locale", "list")
SELECTORS = ("primary", "all")

_SOURCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(0|[1-9][0-9]{0,3})\]|\[([a-z_]+)\]|\[\"([^\"\[\]\x00-\x1f]+)\"\]")
_PATH_REMEDY = "a path looks like person.emails[primary].value; a fixed text is written {const: ...}"
_LIST_REMEDY = "alternatives are written {first_of: [...]}, parts of one text {join: [...]}"
_SYNTAX, _OPERATOR, _PATTERN = "OP501", "OP502", "OP503"


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a written expression; `paths` tells where which path stands in it."""

    expression: Expression | None
    mistakes: tuple[Unreadable, ...]
    paths: tuple[tuple[Place, Path], ...]


def read_all(written: object) -> Reading:
    """An expression, or all the mistakes in it."""
    reader = _Reader()
    expression = reader.read(written, ())
    return Reading(None if reader.mistakes else expression, tuple(reader.mistakes), tuple(reader.paths))


def read(written: object) -> Expression:
    """An expression; Unreadable with the first mistake."""
    reading = read_all(written)
    if reading.expression is None:
        raise reading.mistakes[0]
    return reading.expression


class _Reader:
    """Reads one expression and collects its mistakes."""

    def __init__(self) -> None:
        self.mistakes: list[Unreadable] = []
        self.paths: list[tuple[Place, Path]] = []
        self._operators: Mapping[str, tuple[tuple[str, ...], _Read]] = {
            "join": (("separator",), self._join),
            "first_of": ((), self._first_of),
            "const": ((), self._const),
            "object": ((), self._object),
            "match": (("pattern", "take"), self._match),
            "table": (("value", "default"), self._table),
            **dict.fromkeys(CONVERSIONS, ((), self._convert)),
        }

    def read(self, written: object, at: Place) -> Expression | None:
        """One expression; None after a mistake."""
        try:
            return self._read(written, at)
        except Unreadable as mistake:
            self.mistakes.append(mistake)
            return None

    def _read(self, written: object, at: Place) -> Expression | None:
        if len(at) > 2 * MAX_DEPTH:
            raise _mistake(at, f"expressions are nested more than {MAX_DEPTH} deep")
        if isinstance(written, str):
            return self._path(written, at)
        if not isinstance(written, Mapping):
            remedy = _LIST_REMEDY if isinstance(written, list) else "a fixed value is written {const: ...}"
            raise _mistake(at, "an expression is a path or an object with one operator", remedy)
        operators = [key for key in written if key in self._operators]
        if len(operators) == 1:
            allowed, operator = self._operators[operators[0]]
            self.mistakes.extend(_strangers(written, {operators[0], *allowed}, at))
            return operator(operators[0], written, at)
        if operators:
            words = " and ".join(f"`{name}`" for name in sorted(operators))
            remedy = "put one into the other: {lower: {string: ...}}"
            raise _mistake(at, f"{words} are both operators; an expression has one", remedy, _OPERATOR)
        raise self._unknown(written, at)

    def _unknown(self, written: Mapping[object, object], at: Place) -> Unreadable:
        known = ", ".join(sorted(self._operators))
        if not written:
            return _mistake(at, "an expression has an operator", f"one of: {known}", _OPERATOR)
        name = str(next(iter(written)))
        close = difflib.get_close_matches(name, self._operators, 1)
        remedy = f"did you mean `{close[0]}`?" if close else f"one of: {known}"
        return _mistake((*at, name), f"`{name}` is not an operator", remedy, _OPERATOR, key=True)

    def _path(self, written: str, at: Place) -> Expression | None:
        source = _SOURCE.match(written)
        steps: list[str | int | tuple[str]] = []
        position = source.end() if source else 0
        while source and position < len(written):
            step = _STEP.match(written, position)
            if step is None:
                break
            position = step.end()
            if step[3] and step[3] not in SELECTORS:
                remedy = "there are [primary], [all] and positions such as [0]"
                raise _mistake(at, f"`[{step[3]}]` is not a selector", remedy)
            steps.append(step[1] or step[4] or ((step[3],) if step[3] else int(step[2])))
        if source is None or position < len(written):
            where = "is not a path" if not position else f"is not a path from `{written[position:][:20]}` on"
            raise _mistake(at, f"`{written[:60]}` {where}", _PATH_REMEDY)
        if not steps:
            raise _mistake(at, f"`{written}` names a whole source, not a value in it", _PATH_REMEDY)
        path = Path(source[0], tuple(steps))
        self.paths.append((at, path))
        return path

    def _join(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        separator = written.get("separator", " ")
        if not isinstance(separator, str):
            raise _mistake((*at, "separator"), "`separator` is a text", 'such as " " or ", "')
        parts = self._several(written[name], (*at, name))
        return None if parts is None else Join(parts, separator)

    def _first_of(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        options = self._several(written[name], (*at, name))
        return None if options is None else FirstOf(options)

    def _several(self, written: object, at: Place) -> tuple[Expression, ...] | None:
        if not isinstance(written, list) or not written:
            raise _mistake(at, "a list of expressions belongs here", "write [person.a, person.b]")
        read = [self.read(each, (*at, position)) for position, each in enumerate(written)]
        found = tuple(each for each in read if each is not None)
        return found if len(found) == len(read) else None

    def _const(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        value = written[name]
        if value is None or (isinstance(value, str) and not value):
            raise _mistake((*at, name), "a constant without value", "a claim without value is left out: remove it")
        return Const(value)

    def _convert(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        value = self.read(written[name], (*at, name))
        return None if value is None else Convert(name, value)

    def _object(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        members = written[name]
        if not isinstance(members, Mapping) or not members:
            raise _mistake((*at, name), "an object of expressions belongs here", "write {member: person.a}")
        read = {str(key): self.read(value, (*at, name, str(key))) for key, value in members.items()}
        found = {key: value for key, value in read.items() if value is not None}
        return Members(found) if len(found) == len(read) else None

    def _match(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        value = self.read(written[name], (*at, name))
        pattern = written.get("pattern")
        if not isinstance(pattern, str) or not pattern:
            raise _mistake((*at, "pattern"), "`match` needs a `pattern`, a regular expression")
        if fault := regex.fault(pattern):
            remedy = "write what may be repeated as one class, such as [a-z0-9]+" if "run away" in fault else None
            raise _mistake((*at, "pattern"), f"the pattern {fault}", remedy, _PATTERN)
        groups = regex.groups(pattern)
        take = written.get("take", min(groups, 1))
        if not isinstance(take, int) or isinstance(take, bool) or not 0 <= take <= groups:
            remedy = "0 takes the whole match" if not groups else f"0 is the whole match, up to {groups} a group"
            message = f"the pattern has {groups} group{'s' if groups != 1 else ''}"
            raise _mistake((*at, "take"), message, remedy, _PATTERN)
        return None if value is None else Match(value, pattern, take)

    def _table(self, name: str, written: Mapping[str, object], at: Place) -> Expression | None:
        table = written[name]
        if "value" not in written:
            message = "`table` needs a `value`, the expression that is looked up in it"
            raise _mistake((*at, name), message, "add `value: person.a` beside it", key=True)
        value = self.read(written["value"], (*at, "value"))
        if not isinstance(table, Mapping) or not table:
            raise _mistake((*at, name), "a table of values belongs here", "write {f: female, m: male}")
        rows = {str(key): row for key, row in table.items()}
        return None if value is None else Table(value, rows, written.get("default"))


def _strangers(written: Mapping[str, object], allowed: set[str], at: Place) -> Iterator[Unreadable]:
    for key in written:
        if key not in allowed:
            close = difflib.get_close_matches(key, allowed, 1)
            remedy = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(sorted(allowed))}"
            message = f"`{key}` does not belong to this operator"
            yield _mistake((*at, key), message, remedy, _OPERATOR, key=True)


def _mistake(
    at: Place, message: str, remedy: str | None = None, code: str = _SYNTAX, *, key: bool = False
) -> Unreadable:
    return Unreadable(at, message, remedy, code, key=key)


_Read = Callable[[str, Mapping[str, object], Place], Expression | None]
