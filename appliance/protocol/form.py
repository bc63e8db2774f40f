"""The one parser of query strings and urlencoded bodies.

Strict where libraries are lenient: UTF-8 only, no NUL, whole percent escapes, bounded count and size;
repeated parameters are kept visible so that RFC 6749 3.1 can be enforced.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote_plus, unquote_to_bytes

from appliance.protocol.errors import InvalidRequest

MAX_LENGTH = 65536
MAX_FIELDS = 200

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Params(Mapping[str, str]):
    """Parsed parameters: a read-only mapping of the values sent once, which remembers the repeated ones.

    An empty value counts as not sent (RFC 6749 3.1). A repeated parameter is absent from the mapping and
    named in `repeated`.
    """

    __slots__ = ("_values", "repeated")

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        values: dict[str, str] = {}
        repeated: list[str] = []
        for name, value in pairs:
            if name in values:
                repeated.append(name)
            values[name] = value
        for name in repeated:
            values.pop(name, None)
        self._values = values if all(values.values()) else {name: value for name, value in values.items() if value}
        self.repeated = frozenset(repeated)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    # The mixin's way is a caught KeyError for everything that was not sent, which is most of what is asked.
    def __contains__(self, name: object) -> bool:
        return name in self._values

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

    def check_once(self) -> None:
        """InvalidRequest when any parameter was sent more than once (RFC 6749 3.1)."""
        if self.repeated:
            raise InvalidRequest("a parameter was sent more than once")


def read(raw: str | bytes, *, max_length: int = MAX_LENGTH, max_fields: int = MAX_FIELDS) -> Params:
    """Parse a query string or an application/x-www-form-urlencoded body, decoding exactly once.

    InvalidRequest on anything that is not clean UTF-8 with whole escapes, or too long.
    """
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > max_length:
        raise InvalidRequest("the request is too long")
    if not data:
        return Params(())
    fields = data.split(b"&", max_fields + 1)
    if len(fields) > max_fields:
        raise InvalidRequest("the request has too many parameters")
    decode = _decode if b"%" in data or b"+" in data else _decode_plain
    return Params((decode(name), decode(value)) for name, _, value in (f.partition(b"=") for f in fields if f))


def decode_component(text: str) -> str:
    """Decode one form-urlencoded component, as in HTTP Basic credentials (RFC 6749 2.3.1)."""
    return _decode(text.encode("utf-8", "surrogatepass"))


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """application/x-www-form-urlencoded text of name-value pairs (RFC 6749 appendix B)."""
    return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in pairs)


def _quote(text: str) -> str:
    # Most of what is sent is unreserved (handles, names): a match is several times faster than a quoting.
    return text if _UNRESERVED.fullmatch(text) else quote_plus(text)


def _decode(data: bytes) -> str:
    if b"%" in data:
        if _BAD_ESCAPE.search(data):
            raise InvalidRequest("a parameter has a broken percent escape")
        data = unquote_to_bytes(data.replace(b"+", b" "))
    elif b"+" in data:
        data = data.replace(b"+", b" ")
    return _decode_plain(data)


def _decode_plain(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("a parameter is not UTF-8") from None
    if "\0" in text:
        raise InvalidRequest("a parameter contains a NUL character")
    return text
