"""What the cross-reference rules see: every declared object together with its place in the files.

`config.rules.check(whole)` receives a `Linked` and returns problems; it makes them by `problem` below, so
that a rule names an object and a path, never a line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from appliance.config.declared.access import Part, Policy
from appliance.config.declared.claims import ClaimsSet
from appliance.config.declared.profile import Profile
from appliance.config.declared.root import Root
from appliance.config.declared.theme import ThemeFiles
from appliance.config.problems import Mark, Path, Problem, problem_at
from appliance.protocol.client import Client

T_co = TypeVar("T_co", covariant=True)

#: Finds the place of a path within an object; True asks for the key, False for the value.
Locate = Callable[[Path, bool], Mark]


@dataclass(frozen=True, slots=True)
class Object(Generic[T_co]):
    """One declared object.

    `value` is what was bound from it; `written` is the object as it stands in the files (after variables and
    patches, without defaults), which tells what was left out.
    """

    family: str
    id: str
    value: T_co
    written: Mapping[str, object]
    locate: Locate

    def where(self, path: Path = (), *, key: bool = False) -> Mark:
        """The place of a value (or of its key). A path that is not written gives its nearest parent."""
        return self.locate(path, key)


@dataclass(frozen=True, slots=True)
class Linked:
    """The whole configuration, each family by id. `broken`: families of which a file is broken."""

    root: Object[Root]
    profiles: Mapping[str, Object[Profile]]
    clients: Mapping[str, Object[Client]]
    client_templates: Mapping[str, Object[Client]]
    claims: Mapping[str, Object[ClaimsSet]]
    sources: Mapping[str, Object[Part]]
    authenticators: Mapping[str, Object[Part]]
    policies: Mapping[str, Object[Policy]]
    themes: Mapping[str, Object[ThemeFiles]]
    broken: frozenset[str]

    def complete(self, family: str) -> bool:
        """Whether every object of a family is here; if not, a missing one is no mistake of who names it."""
        return family not in self.broken


def problem(
    code: str,
    at: Object[object],
    path: Path,
    message: str,
    *,
    help: str | None = None,
    key: bool = False,
    secondary: tuple[Mark, ...] = (),
) -> Problem:
    """A problem with a part of an object; marks its key instead of its value if asked to."""
    return problem_at(code, at.where(path, key=key), message, help=help, secondary=secondary)


def label(mark: Mark, words: str) -> Mark:
    """A mark as a secondary one: with words beside its underline."""
    return Mark(mark.file, mark.line, mark.column, mark.length, words)
