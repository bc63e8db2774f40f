"""`vars:` of op.yaml, their values from an environment, and the environment's patch of objects.

A variable works inside string values only, `${var.name}`; every other dollar sign is itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.config import formats
from appliance.config.faults import Fault, describe, suggestion
from appliance.config.problems import Path

_REFERENCE: Final = re.compile(r"\$\{var\.([^}]*)\}")
MARKER: Final = "${var."
Scalar = str | int | bool


@dataclass(frozen=True, slots=True)
class Variables:
    """The value of each variable that has a proper one, and the names of all that are declared.

    `declared` is None when a broken file keeps us from knowing them.
    """

    values: Mapping[str, Scalar]
    declared: frozenset[str] | None

    def substitute(self, value: Any) -> tuple[Any, list[Fault]]:
        """A value with its variables replaced, and what was wrong with them."""
        faults: list[Fault] = []
        return self._replace(value, (), faults), faults

    def complete(self, value: object) -> bool:
        """Whether no variable is left in a value that has been substituted."""
        if isinstance(value, str):
            return MARKER not in value
        if isinstance(value, dict):
            return all(map(self.complete, value.values()))
        return not isinstance(value, list) or all(map(self.complete, value))

    def _replace(self, value: object, path: Path, faults: list[Fault]) -> object:
        if isinstance(value, str):
            return self._text(value, path, faults) if MARKER in value else value
        if isinstance(value, dict):
            return {name: self._replace(child, (*path, name), faults) for name, child in value.items()}
        if isinstance(value, list):
            return [self._replace(child, (*path, index), faults) for index, child in enumerate(value)]
        return value

    def _text(self, text: str, path: Path, faults: list[Fault]) -> object:
        whole = _REFERENCE.fullmatch(text)
        if whole and whole[1] in self.values:
            return self.values[whole[1]]
        for name in _REFERENCE.findall(text):
            if self.declared is not None and name not in self.declared:
                remedy = (
                    suggestion(name, sorted(self.declared)) if self.declared else "declare it under `vars` in op.yaml"
                )
                faults.append(Fault("OP030", path, f"there is no variable `{name[:60]}`", remedy))
        if text.count(MARKER) != len(_REFERENCE.findall(text)):
            faults.append(Fault("OP030", path, "a `${var.` is not closed by `}`"))
        return _REFERENCE.sub(lambda found: _spell(self.values.get(found[1], found[0])), text)


@dataclass(slots=True)
class Declarations:
    """What resolving the variables gave: their values, and faults of the declarations and of the values."""

    variables: Variables
    declared: list[Fault] = field(default_factory=list)
    given: list[Fault] = field(default_factory=list)


def resolve(declared: Mapping[str, Any], given: Mapping[str, Any], environment: str | None) -> Declarations:
    """The variables from their declarations in op.yaml and the values of the chosen environment."""
    values: dict[str, Scalar] = {}
    found = Declarations(Variables(values, frozenset(declared)))
    for name in given:
        if name not in declared:
            remedy = suggestion(name, list(declared))
            found.given.append(Fault("OP030", (name,), f"op.yaml declares no variable `{name[:60]}`", remedy, key=True))
    for name, declaration in declared.items():
        faults, value = found.declared, declaration.get("default")
        path: Path = (name, "default")
        if name in given:
            faults, value, path = found.given, given[name], (name,)
        if value is None:
            where = f"environment `{environment}` gives it none" if environment else "no environment is chosen"
            words = f"the variable `{name}` has no value: it has no default, and {where}"
            found.declared.append(Fault("OP031", (name,), words, "choose an environment, or add a default", key=True))
            continue
        wrong = _mismatch(declaration, value)
        if wrong is None:
            values[name] = value
        else:
            faults.append(Fault("OP032", path, f"the variable `{name}` must be {wrong}, not {describe(value)}", None))
    return found


def patch(written: Mapping[str, Any], change: Mapping[str, Any]) -> tuple[dict[str, Any], list[Path], list[Fault]]:
    """An object with a patch merged by key; which paths came from the patch; what matched nothing.

    null takes a member away; a list or scalar replaces what was there.
    """
    replaced: list[Path] = []
    faults: list[Fault] = []
    return _merge(written, change, (), replaced, faults), replaced, faults


def _merge(
    written: Mapping[str, Any],
    change: Mapping[str, Any],
    path: Path,
    replaced: list[Path],
    faults: list[Fault],
) -> dict[str, Any]:
    merged = dict(written)
    for name, value in change.items():
        here = (*path, name)
        if value is None:
            if name not in merged:
                words = f"there is no `{name}` to take away"
                faults.append(Fault("OP033", here, words, suggestion(name, list(written)), key=True))
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _merge(merged[name], value, here, replaced, faults)
        else:
            merged[name] = value
            replaced.append(here)
    return merged


def _mismatch(declaration: Mapping[str, Any], value: object) -> str | None:
    kind = declaration["type"]
    if kind == "enum":
        choices = declaration.get("values", [])
        return None if value in choices else "one of " + ", ".join(map(str, choices))
    if kind == "integer":
        return None if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if kind == "boolean":
        return None if isinstance(value, bool) else "true or false"
    if not isinstance(value, str):
        return "a text"
    if kind in ("uri", "duration") and not formats.conforms(value, kind):
        return formats.WORDS[kind]
    return None


def _spell(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
