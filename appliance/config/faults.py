"""What a schema finds wrong, in words an operator can act on, with the path it is about.

A value is repeated in a message only where the schema does not call the place a secret.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from appliance.config import formats
from appliance.config.problems import Path
from appliance.config.schemas import Finding, Schemas
from appliance.config.secrecy import is_secret_path

_TYPES: Final = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a map", "null": "null",
}  # fmt: skip
_SHOWN: Final = 80
_LISTED: Final = 12
_UNKNOWN: Final = frozenset({"additionalProperties", "unevaluatedProperties"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding about a value: its path within the value, and whether the key there is meant."""

    code: str
    path: Path
    message: str
    help: str | None = None
    key: bool = False


def find_faults(schemas: Schemas, reference: str, value: object) -> list[Fault]:
    """Everything wrong with a value's shape; a misspelt required key is one fault, not two."""
    errors = schemas.errors(reference, value)
    if not errors:
        return []
    return _Wording(schemas, reference).faults(errors)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    plain = {name.lower().replace("-", "_"): name for name in known}
    same = plain.get(word.lower().replace("-", "_"))
    if same is not None:
        return same
    close = difflib.get_close_matches(word.lower().replace("-", "_"), plain, n=1, cutoff=0.66)
    return plain[close[0]] if close else None


def suggestion(word: str, known: Sequence[str]) -> str:
    """Help for an unknown word: the nearest known one and, if they are few, all."""
    listed = ", ".join(known[:_LISTED]) + (", ..." if len(known) > _LISTED else "")
    close = nearest(word, known)
    if close is None:
        return f"one of: {listed}" if listed else "nothing is declared that could be named here"
    return f"did you mean `{close}`? (one of: {listed})"


def describe(value: object) -> str:
    """The kind of a value in words, without the value."""
    if value is None:
        return "null"
    for kind, name in (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, kind):
            return "true or false" if kind is bool else _TYPES[name]
    return "a map"


class _Wording:
    """Puts the validator's errors about one value into words."""

    def __init__(self, schemas: Schemas, reference: str) -> None:
        self._schemas = schemas
        self._reference = reference

    def faults(self, errors: Iterable[Finding]) -> list[Fault]:
        listed = list(errors)
        missing = {(tuple(e.absolute_path), e.message): e for e in listed if e.validator == "required"}
        folded: list[Fault] = []
        for error in listed:
            if error.validator not in _UNKNOWN:
                continue
            path = tuple(error.absolute_path)
            close = self._meant(error, path)
            missing.pop((path, close or ""), None)
            folded.append(self._unknown(error, path, close))
        folded.extend(
            Fault("OP101", path, f"`{name}` is missing", self._about(path, name), key=bool(path))
            for path, name in missing
        )
        for error in listed:
            if error.validator not in _UNKNOWN and error.validator != "required":
                folded.extend(self._fault(error))
        return list(dict.fromkeys(folded))

    def _meant(self, error: Finding, path: Path) -> str | None:
        return nearest(error.message, self._schemas.known_keys(self._reference, path))

    def _unknown(self, error: Finding, path: Path, close: str | None) -> Fault:
        name = error.message
        known = self._schemas.known_keys(self._reference, path)
        remedy = f"did you mean `{close}`?" if close else None
        if close and isinstance(error.instance, dict) and close in error.instance:
            remedy = f"did you mean `{close}`, which is written already?"
        if remedy is None and known:
            remedy = "known here: " + ", ".join(known[:30]) + (", ..." if len(known) > 30 else "")
        if name in known:
            return Fault("OP108", (*path, name), f"`{name}` does not belong to this kind", None, key=True)
        return Fault("OP102", (*path, name), f"unknown key `{name[:_SHOWN]}`", remedy, key=True)

    def _fault(self, error: Finding) -> Iterator[Fault]:
        path = tuple(error.absolute_path)
        schema: Any = error.schema
        own = schema.get("x-op-message") if isinstance(schema, dict) else None
        if error.validator in ("anyOf", "oneOf") and own is None:
            yield from self._choice(error, path)
            return
        fault = self._single(error, path)
        if own is not None:
            fault = replace(fault, message=own)
        yield replace(fault, key=True) if getattr(error, "on_key", False) else fault

    def _single(self, error: Finding, path: Path) -> Fault:
        limit: Any = error.validator_value
        shown = self._show(error, path)
        match error.validator:
            case "type":
                kinds = [limit] if isinstance(limit, str) else list(limit)
                return self._wrong_type(error, path, kinds)
            case "enum":
                known = [str(choice) for choice in limit if choice is not None]
                return Fault(
                    "OP104",
                    path,
                    f"{shown} is not a valid value{self._of(path)}",
                    suggestion(str(error.instance), known),
                )
            case "const":
                return Fault("OP104", path, f"{shown} is not allowed{self._of(path)}", f"must be `{limit}`")
            case "format":
                wanted = formats.WORDS.get(limit, limit)
                return Fault("OP105", path, f"{shown} is not {wanted}", self._words(error))
            case "pattern":
                return Fault("OP107", path, f"{shown} does not have the expected form", self._words(error))
            case "uniqueItems":
                return Fault("OP109", path, f"an entry appears twice{self._of(path)}", "remove one of them")
            case "dependentRequired":
                return Fault(
                    "OP108",
                    path,
                    f"settings that belong together are missing{self._of(path)}",
                    self._words(error),
                )
            case "properties":
                return Fault("OP108", path, f"`{error.message}` may not be given here", None, key=True)
            case "not":
                return Fault("OP108", path, f"{shown} is not allowed here", self._words(error))
        return Fault("OP106", path, self._limit(str(error.validator), limit, path, shown), self._words(error))

    def _choice(self, error: Finding, path: Path) -> Iterator[Fault]:
        branches: dict[object, list[Finding]] = {}
        for cause in error.context or ():
            branches.setdefault(cause.relative_schema_path[0], []).append(cause)
        if not branches:
            yield Fault("OP108", path, "more than one of several exclusive settings is given", self._words(error))
            return
        fitting = [causes for causes in branches.values() if not any(_is_kind_mismatch(c) for c in causes)]
        if fitting:
            depth = max(max(len(c.relative_path) for c in causes) for causes in fitting)
            deepest = [causes for causes in fitting if max(len(c.relative_path) for c in causes) == depth]
            yield from self.faults(min(deepest, key=lambda causes: len(list(causes))))
            return
        kinds: list[str] = []
        for cause in error.context or ():
            if cause.validator == "type":
                wanted: Any = cause.validator_value
                kinds += [wanted] if isinstance(wanted, str) else wanted
        if kinds:
            yield self._wrong_type(error, path, kinds)
            return
        known = [str(c.validator_value) for c in error.context or () if c.validator == "const"]
        yield Fault(
            "OP104",
            path,
            f"{self._show(error, path)} is not a valid value{self._of(path)}",
            suggestion(str(error.instance), known),
        )

    def _wrong_type(self, error: Finding, path: Path, kinds: list[str]) -> Fault:
        wanted = " or ".join(dict.fromkeys(_TYPES.get(kind, kind) for kind in kinds))
        words = f"{self._name(path)} must be {wanted}, not {describe(error.instance)}"
        remedy = self._words(error)
        if "string" in kinds and isinstance(error.instance, bool | int | float):
            remedy = "write it in quotes"
        elif kinds == ["array"] and isinstance(error.instance, str):
            remedy = "write it in square brackets"
        return Fault("OP103", path, words, remedy)

    def _limit(self, keyword: str, limit: object, path: Path, shown: str) -> str:
        words = {
            "minimum": f"{shown} is less than {limit}",
            "exclusiveMinimum": f"{shown} must be greater than {limit}",
            "maximum": f"{shown} is more than {limit}",
            "exclusiveMaximum": f"{shown} must be less than {limit}",
            "multipleOf": f"{shown} must be a multiple of {limit}",
            "minLength": f"{self._name(path)} must not be empty"
            if limit == 1
            else f"{self._name(path)} is shorter than {limit} characters",
            "maxLength": f"{self._name(path)} is longer than {limit} characters",
            "minItems": f"{self._name(path)} must not be empty"
            if limit == 1
            else f"{self._name(path)} needs at least {limit} entries",
            "maxItems": f"{self._name(path)} has more than {limit} entries",
            "minProperties": f"{self._name(path)} needs at least {limit} setting",
            "maxProperties": f"{self._name(path)} takes at most {limit} setting",
        }
        return words.get(keyword, f"{self._name(path)} is not as the schema wants it ({keyword})")

    def _show(self, error: Finding, path: Path) -> str:
        value = error.instance
        if getattr(error, "on_key", False):
            return f"the key `{str(value)[:_SHOWN]}`"
        if isinstance(value, dict | list) or is_secret_path(path) or self._schemas.is_secret(self._reference, path):
            return "this value"
        if value is None or isinstance(value, bool):
            return f"`{str(value).lower() if value is not None else 'null'}`"
        text = str(value)
        return f"`{text}`" if len(text) <= _SHOWN and text.isprintable() else "this text"

    def _about(self, path: Path, name: str) -> str | None:
        nodes = self._schemas.known_nodes(self._reference, (*path, name))
        return next((str(node["description"]) for _, node in nodes if node.get("description")), None)

    @staticmethod
    def _words(error: Finding) -> str | None:
        schema: Any = error.schema
        if not isinstance(schema, dict):
            return None
        examples = [str(example) for example in schema.get("examples", ()) if isinstance(example, str | int)]
        said = [str(schema["description"])] if schema.get("description") else []
        if examples:
            said.append("For example: " + ", ".join(examples[:4]))
        return " ".join(said) or None

    @staticmethod
    def _of(path: Path) -> str:
        name = next((step for step in reversed(path) if isinstance(step, str)), None)
        return f" for `{name}`" if name else ""

    @staticmethod
    def _name(path: Path) -> str:
        name = next((step for step in reversed(path) if isinstance(step, str)), None)
        if name is None:
            return "this"
        return f"`{name}`" if isinstance(path[-1], str) else f"an entry of `{name}`"


def _is_kind_mismatch(error: Finding) -> bool:
    return not error.relative_path and error.validator in ("type", "const")
