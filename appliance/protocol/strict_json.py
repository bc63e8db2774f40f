"""JSON from strangers: one meaning or a refusal.

The stock loader keeps the last of two equal names, invents NaN and Infinity, makes integers of any
size and runs out of stack on deep nesting. Each of these let two readers of one signed text see
different things, or turned a request into a server error.
"""

import json
import math
from collections.abc import Iterator

MAX_DEPTH = 8
MAX_LENGTH = 65536
# RFC 8259 6: integers beyond 2**53 - 1 are not read alike by all software.
_INTEGER_LIMIT = 2**53
_INTEGER_DIGITS = 17


class StrictJsonProblem(ValueError):
    """The text is not the strict JSON asked for; the message never repeats the text."""


def _read_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonProblem("duplicate member name")
    return members


def _read_integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS or not -_INTEGER_LIMIT < (value := int(digits)) < _INTEGER_LIMIT:
        raise StrictJsonProblem("integer out of range")
    return value


def _read_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise StrictJsonProblem("number out of range")
    return value


def _refuse_constant(_name: str) -> object:
    raise StrictJsonProblem("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_read_members,
    parse_int=_read_integer,
    parse_float=_read_float,
    parse_constant=_refuse_constant,
)


def _check_string(text: str) -> None:
    # NUL is cut or refused by databases, a lone surrogate cannot be written back as UTF-8.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise StrictJsonProblem("character not allowed")


def _children(value: object, *, escapes: bool) -> Iterator[object]:
    if isinstance(value, dict):
        if escapes:
            for name in value:
                _check_string(name)
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_tree(root: object, *, max_depth: int, escapes: bool) -> None:
    level = [root]
    depth = 0
    while level:
        below: list[object] = []
        for value in level:
            if isinstance(value, str):
                if escapes:
                    _check_string(value)
            elif isinstance(value, dict | list):
                below.extend(_children(value, escapes=escapes))
                if depth >= max_depth:
                    raise StrictJsonProblem("nested too deep")
        level = below
        depth += 1


def loads(text: str | bytes, *, max_depth: int = MAX_DEPTH, max_length: int = MAX_LENGTH) -> object:
    """The value of a JSON text, or StrictJsonProblem.

    `max_length` counts bytes of a bytes text and characters of a str. A container at the top has
    depth 1, so `max_depth=1` allows one flat object.
    """
    if len(text) > max_length:
        raise StrictJsonProblem("too long")
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        elif not text.isascii():
            text.encode("utf-8")
        value = _DECODER.decode(text)
    except StrictJsonProblem:
        raise
    except RecursionError:
        raise StrictJsonProblem("nested too deep") from None
    except ValueError:
        raise StrictJsonProblem("not JSON") from None
    # Raw control characters and raw surrogates were refused above, so both need an escape.
    escapes = "\\u" in text
    # What does not open so many is not nested so deep.
    if escapes or text.count("{") + text.count("[") > max_depth:
        _check_tree(value, max_depth=max_depth, escapes=escapes)
    return value


def loads_object(
    text: str | bytes, *, max_depth: int = MAX_DEPTH, max_length: int = MAX_LENGTH
) -> dict[str, object]:
    """The same for texts that have to be a JSON object."""
    value = loads(text, max_depth=max_depth, max_length=max_length)
    if not isinstance(value, dict):
        raise StrictJsonProblem("not a JSON object")
    return value
