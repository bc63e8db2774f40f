"""What a plain YAML scalar means, or that tools disagree about it.

Most YAML software reads `no` as false, `010` as 8, `1:30` as 90 and a date as a date; YAML 1.2 reads them
otherwise. A word with two meanings is refused with a hint how to write either, so that nobody's linter,
generator or reviewer sees another configuration than the provider.
"""

import re
from typing import Final

from appliance.config.problems import Unreadable

# Only a scalar that starts like this can be anything but a text.
_SUSPECT: Final = frozenset("nNyYoOtTfF~<=0123456789+-.")
_CONSTANTS: Final = {
    "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# Not `y` and `n`: tools in use read them as text, and they are members of every RSA and EC key (RFC 7517).
_BOOLEAN_WORDS: Final = {
    "yes": "true",
    "on": "true",
    "no": "false",
    "off": "false",
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]*")
_EXPONENT: Final = re.compile(r"[-+]?([0-9][0-9_]*)?\.?[0-9_]*[eE][-+]?[0-9]+")
_OCTAL: Final = re.compile(r"[-+]?0o?[0-9_]+")
_OTHER_RADIX: Final = re.compile(r"[-+]?0(x[0-9a-fA-F_]+|b[01_]+)")
_UNDERSCORES: Final = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
_SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_SPECIAL_FLOAT: Final = re.compile(r"[-+]?\.(inf|Inf|INF|nan|NaN|NAN)")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")
# Integers beyond 2**53 - 1 are not read alike by all software (RFC 8259 6).
_INTEGER_LIMIT: Final = 2**53

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; Unreadable for one with more than one meaning, or with none."""
    if not text:
        raise Unreadable((), "a value is missing", 'write "" for an empty text, {} for an empty map, or null', "OP020")
    if text[0] not in _SUSPECT:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return _read_integer(text)
    if _DECIMAL.fullmatch(text) and any(character.isdigit() for character in text):
        return float(text)
    _check_word(text)
    _check_number(text)
    return text


def _read_integer(text: str) -> int:
    # The length first: int() of a very long text is slow.
    if len(text) > 17 or abs(value := int(text)) >= _INTEGER_LIMIT:
        raise _ambiguous("a number this large loses digits in other tools", f'write "{text[:20]}" in quotes')
    return value


def _check_word(text: str) -> None:
    boolean = _BOOLEAN_WORDS.get(text.lower()) if len(text) <= 3 else None
    if boolean:
        words = f"`{text}` is a word here, but `{boolean}` to many other YAML tools"
        raise _ambiguous(words, f'write "{text}" in quotes for the text, or {boolean}')
    if text == "~":
        raise _ambiguous("`~` is null in YAML", 'write null, or "~" in quotes for the text')
    if text in ("=", "<<"):
        raise _ambiguous(f"`{text}` has a special meaning in YAML", f'write "{text}" in quotes')


def _check_number(text: str) -> None:
    quoted = f'write "{text}" in quotes for the text'
    if _OCTAL.fullmatch(text):
        raise _ambiguous(f"`{text}` is an octal number to some YAML tools", f"{quoted}, or the decimal number")
    if _OTHER_RADIX.fullmatch(text) or _UNDERSCORES.fullmatch(text):
        raise _ambiguous(f"`{text}` is a number to some YAML tools", f"{quoted}, or a plain decimal number")
    if _SEXAGESIMAL.fullmatch(text):
        words = f"`{text}` is a number of base 60 to some YAML tools"
        raise _ambiguous(words, f'{quoted}, or a duration such as "90s"')
    if _EXPONENT.fullmatch(text) and any(character.isdigit() for character in text):
        raise _ambiguous(f"`{text}` is a number to some YAML tools", f"{quoted}, or the number written out")
    if _SPECIAL_FLOAT.fullmatch(text):
        raise _ambiguous(f"`{text}` is not a number that a configuration can use", quoted)
    if _DATE.fullmatch(text):
        raise _ambiguous(f"`{text}` is a date to many YAML tools", f'write "{text}" in quotes')


def _ambiguous(message: str, help: str) -> Unreadable:
    return Unreadable((), message, help, "OP021")
