"""Distinguished names in their text form (RFC 4514), read into what can be compared.

A name is compared part by part: text tells nothing, since one name can be spelt in many ways.
"""

import re
from typing import Final

#: Relative names from the top of the tree to its leaf, each the set of its (OID, value).
DistinguishedName = tuple[frozenset[tuple[str, str]], ...]

# RFC 4514 3, RFC 4519 2, and what certificates have besides; without regard to case.
_TYPES: Final = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "TITLE": "2.5.4.12",
    "BUSINESSCATEGORY": "2.5.4.15",
    "POSTALCODE": "2.5.4.17",
    "GIVENNAME": "2.5.4.42",
    "GN": "2.5.4.42",
    "DNQUALIFIER": "2.5.4.46",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
    "E": "1.2.840.113549.1.9.1",
    "JURISDICTIONL": "1.3.6.1.4.1.311.60.2.1.1",
    "JURISDICTIONST": "1.3.6.1.4.1.311.60.2.1.2",
    "JURISDICTIONC": "1.3.6.1.4.1.311.60.2.1.3",
}
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,20})){1,20}")
_TYPE = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*|[0-9.]+)\s*=\s*")
_HEX = re.compile(r"#((?:[0-9A-Fa-f]{2})+)\s*(?=[,+]|$)")
# RFC 4514 3: plain characters, escaped specials, escaped octets of UTF-8.
_VALUE = re.compile(r"""(?:[^\x00"+,;<>\\]|\\[ "#+,;<=>\\]|\\[0-9A-Fa-f]{2})*""")
_ESCAPED = re.compile(rb'\\([ "#+,;<=>\\]|[0-9A-Fa-f]{2})')
#: DER tags of UTF8String, PrintableString, TeletexString and IA5String: what `#` values of names hold.
_TEXT_TAGS: Final = (0x0C, 0x13, 0x14, 0x16)


class NameProblem(ValueError):
    """The text is no distinguished name."""


def read_name(text: str) -> DistinguishedName:
    """The name that a text stands for. NameProblem."""
    relative: list[set[tuple[str, str]]] = [set()]
    position = 0
    while True:
        kind, position = _read_type(text, position)
        value, position = _read_value(text, position)
        relative[-1].add((kind, value))
        if position == len(text):
            # The text begins with the leaf, the name itself with the top (RFC 4514 2.1).
            return tuple(frozenset(each) for each in reversed(relative))
        if text[position] == ",":
            relative.append(set())
        elif text[position] != "+":
            raise NameProblem("a part of the name is neither ended by a comma nor joined by a plus")
        position += 1


def _read_type(text: str, position: int) -> tuple[str, int]:
    found = _TYPE.match(text, position)
    if found is None:
        raise NameProblem("a part of the name does not begin with TYPE=")
    kind = found[1] if _OID.fullmatch(found[1]) else _TYPES.get(found[1].upper(), "")
    if not kind:
        raise NameProblem("a part of the name has a type that is not known: write its OID")
    return kind, found.end()


def _read_value(text: str, position: int) -> tuple[str, int]:
    if text.startswith("#", position):
        found = _HEX.match(text, position)
        if found is None:
            raise NameProblem("a value after # is not hexadecimal")
        return _read_der(bytes.fromhex(found[1])), found.end()
    plain = _VALUE.match(text, position)
    raw = plain[0] if plain is not None else ""
    # Spaces at the ends count only where they are escaped.
    stripped = raw.strip(" ")
    if raw.rstrip(" ").endswith("\\") and raw.endswith(" "):
        stripped += " "
    try:
        value = _ESCAPED.sub(_unescape, stripped.encode("utf-8")).decode("utf-8")
    except UnicodeError:
        raise NameProblem("a value of the name is not UTF-8") from None
    if not value:
        raise NameProblem("a part of the name has no value")
    return value, position + len(raw)


def _unescape(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode("ascii")) if len(escape[1]) == 2 else escape[1]


def _read_der(octets: bytes) -> str:
    if len(octets) < 3 or octets[0] not in _TEXT_TAGS or octets[1] != len(octets) - 2 or octets[1] > 127:
        raise NameProblem("a value after # is not a short text in DER")
    try:
        return octets[2:].decode("utf-8")
    except UnicodeDecodeError:
        raise NameProblem("a value after # is not UTF-8") from None
