"""The one parser of query strings and urlencoded bodies.

Strict where libraries are lenient: UTF-8 only, no NUL, whole percent escapes, bounded count and size;
repeated parameters are kept visible so that RFC 6749 3.1 can be enforced.
"""

import re
from binascii import a2b_qp
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeVar, overload
from urllib.parse import quote_plus, unquote_to_bytes

from appliance.protocol.errors import InvalidRequest

MAX_LENGTH = 65536
MAX_FIELDS = 200

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
# Most of what is quoted is ASCII: a table is three times faster than the library's way over octets.
_QUOTED: Final = {number: quote_plus(chr(number)) for number in range(128)}
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NONE: Final[frozenset[str]] = frozenset()
_NOTHING: Final[Mapping[str, list[str]]] = MappingProxyType({})

D = TypeVar("D")


class Params(Mapping[str, str]):
    """Parsed parameters: a read-only mapping of the values sent once, which remembers the repeated ones.

    An empty value counts as not sent (RFC 6749 3.1). A repeated parameter is absent from the mapping and
    named in `repeated`; `all` has its values, for the few that may be.
    """

    __slots__ = ("_several", "_values", "repeated")

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        sent = list(pairs)
        values = dict(sent)
        several = _NOTHING if len(values) == len(sent) else _several(sent)
        if several or not all(values.values()):
            values = {name: value for name, value in values.items() if value and name not in several}
        self._values = values
        self._several = several
        self.repeated = frozenset(several) if several else _NONE

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    # The mixin's way is a caught KeyError for everything that was not sent, which is most of what is asked.
    def __contains__(self, name: object) -> bool:
        return name in self._values

    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str | D, /) -> str | D: ...

    def get(self, name: str, default: D | None = None, /) -> str | D | None:
        """The value sent for a name, else the default."""
        return self._values.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def require(self, name: str) -> str:
        """The value of a parameter. InvalidRequest when it is missing or repeated."""
        if name in self.repeated:
            raise InvalidRequest(f"parameter {name} was sent more than once", parameter=name)
        value = self._values.get(name)
        if value is None:
            raise InvalidRequest(f"parameter {name} is missing", parameter=name)
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter, in the order sent; for parameters that may repeat (RFC 8707 2)."""
        several = self._several.get(name)
        if several is not None:
            return tuple(value for value in several if value)
        value = self._values.get(name)
        return () if value is None else (value,)

    def known(self, names: Set[str]) -> dict[str, str]:
        """The values sent once of the parameters with these names."""
        if self._values.keys() <= names:
            # Mostly nothing else is sent.
            return self._values.copy()
        return {name: value for name, value in self._values.items() if name in names}

    def narrowed(self, names: Set[str]) -> "Params":
        """The parameters with these names, and no others."""
        if not self._several:
            made = Params(())
            made._values = self.known(names)
            return made
        return Params((name, value) for name in names for value in self.all(name))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every name with each of its values."""
        yield from self._values.items()
        for name, values in self._several.items():
            yield from ((name, value) for value in values)

    def check_once(self, *may_repeat: str) -> None:
        """InvalidRequest when any other parameter was sent more than once (RFC 6749 3.1)."""
        if self.repeated and not self.repeated <= {*may_repeat}:
            raise InvalidRequest("a parameter was sent more than once")


_EMPTY: Final = Params(())


def read(raw: str | bytes, *, max_length: int = MAX_LENGTH, max_fields: int = MAX_FIELDS) -> Params:
    """Parse a query string or an application/x-www-form-urlencoded body, decoding exactly once.

    InvalidRequest on anything that is not clean UTF-8 with whole escapes, or too long.
    """
    if len(raw) > max_length:
        raise InvalidRequest("the request is too long")
    if not raw:
        return _EMPTY
    text = _plain_text(raw)
    if not text.isascii() and len(text.encode()) > max_length:
        raise InvalidRequest("the request is too long")
    # All of it once, instead of each name and value: what a field must not have, the whole must not have.
    if "+" in text:
        text = text.replace("+", " ")
    fields = text.split("&", max_fields + 1)
    if len(fields) > max_fields:
        raise InvalidRequest("the request has too many parameters")
    if "%" in text:
        _check_escapes(text)
    pairs: list[tuple[str, str]] = []
    for field in fields:
        if field:
            name, _, value = field.partition("=")
            pairs.append((_unescape(name), _unescape(value)) if "%" in field else (name, value))
    return Params(pairs)


def decode_component(text: str) -> str:
    """Decode one form-urlencoded component, as in HTTP Basic credentials (RFC 6749 2.3.1)."""
    if _UNRESERVED.fullmatch(text):
        return text
    plain = _plain_text(text).replace("+", " ")
    if "%" not in plain:
        return plain
    _check_escapes(plain)
    return _unescape(plain)


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """application/x-www-form-urlencoded text of name-value pairs (RFC 6749 appendix B)."""
    return "&".join([f"{_quoted_name(name)}={_quote(value)}" for name, value in pairs])


def _quote(text: str) -> str:
    # Most of what is sent is unreserved (handles, names): a match is several times faster than a quoting.
    if _UNRESERVED.fullmatch(text):
        return text
    return text.translate(_QUOTED) if text.isascii() else quote_plus(text)


# There are few names, and the same ones again and again.
_quoted_name = lru_cache(maxsize=256)(_quote)


def _several(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if len(values) > 1}


def _check_escapes(text: str) -> None:
    if _BAD_ESCAPE.search(text):
        raise InvalidRequest("a parameter has a broken percent escape")


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    if not text.isascii():
        return _plain_text(unquote_to_bytes(text))
    # Quoted-printable is the same but for the character before the digits, and its decoder is written in C.
    return _plain_text(a2b_qp(text.replace("=", "=3D").replace("%", "=")))


def _plain_text(raw: str | bytes) -> str:
    try:
        # A text may have lone surrogates, which are what was not UTF-8 on the wire.
        text = raw if isinstance(raw, str) and raw.isascii() else _octets(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("a parameter is not UTF-8") from None
    if "\0" in text:
        raise InvalidRequest("a parameter contains a NUL character")
    return text


def _octets(raw: str | bytes) -> bytes:
    return raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
