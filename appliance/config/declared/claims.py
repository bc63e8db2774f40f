"""`claims/<set>.yaml`: the mapping language, parsed. `profile.claims` evaluates it.

An expression is one of the classes below; `Expression` is their union. Evaluation gives a JSON value, or
nothing when the data is not there (a claim is then omitted, never null).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Path:
    """`source.a.b[primary].c`: a member name, a list position (int), or the selector "primary" or "all"."""

    source: str
    steps: tuple[str | int | tuple[str], ...]


@dataclass(frozen=True, slots=True)
class Const:
    """A value written down."""

    value: object


@dataclass(frozen=True, slots=True)
class Join:
    """Those parts that exist, as text, put together."""

    parts: tuple["Expression", ...]
    separator: str


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first that exists."""

    options: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Convert:
    """A value made to a form: "lower", "upper", "boolean", "number", "string", "date", "locale", "list"."""

    to: str
    value: "Expression"


@dataclass(frozen=True, slots=True)
class Members:
    """An object of expressions; members without a value are left out, an empty object is nothing."""

    members: Mapping[str, "Expression"]


@dataclass(frozen=True, slots=True)
class Match:
    """A regular expression over a text or each of a list of texts; gives capture group `take` of the matching."""

    value: "Expression"
    pattern: str
    take: int


@dataclass(frozen=True, slots=True)
class Table:
    """A translation of values by a table; `default` (or nothing) for the rest."""

    value: "Expression"
    table: Mapping[str, object]
    default: object


Expression = Union[Path, Const, Join, FirstOf, Convert, Members, Match, Table]  # noqa: UP007 - recursive


@dataclass(frozen=True, slots=True)
class ClaimsSet:
    """One claims set: names for sources, the local subject, and an expression per claim."""

    claims_set: str
    sources: Mapping[str, str]
    subject: Expression
    claims: Mapping[str, Expression]
