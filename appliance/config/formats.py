"""The `format` words of our schemas: jsonschema asserts none by itself and knows no `uri` at all."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION: Final = re.compile(r"(0|[1-9][0-9]{0,9})(ms|s|m|h|d|w)")
# RFC 3986 appendix A, as characters; what a scheme then allows is for the rules.
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_WEB_URI: Final = re.compile(
    r"(https?)://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?"
)
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
# RFC 6749 appendix A.1: a client_id is printable ASCII.
_CLIENT_ID: Final = re.compile(r"[\x20-\x7e]{1,255}")
_EMAIL: Final = re.compile(r"[^\s@<>\"]{1,64}@[A-Za-z0-9.-]{1,253}")
_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})")


def read_duration(text: str) -> float:
    """Seconds of "300ms", "60s", "15m", "8h", "30d" or "2w"; ValueError for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("not a duration")
    number = int(found[1])
    return number / 1000 if found[2] == "ms" else number * _UNITS[found[2]]


def read_timestamp(text: str) -> int:
    """Epoch seconds of an RFC 3339 date and time with offset; ValueError for anything else."""
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError("not a date and time with offset")
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except (ValueError, OverflowError, re.error, RecursionError):
        return False
    return True


def _is_web_uri(text: str, schemes: tuple[str, ...]) -> bool:
    found = _WEB_URI.fullmatch(text)
    return found is not None and found[1] in schemes and int((found[3] or ":1")[1:]) in range(1, 65536)


def _is_host_port(text: str) -> bool:
    found = _HOST_PORT.fullmatch(text)
    return found is not None and int(found[2]) < 65536


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "https-uri": lambda text: _is_web_uri(text, ("https",)),
    "http-uri": lambda text: _is_web_uri(text, ("http", "https")),
    "origin": lambda text: _is_web_uri(text, ("http", "https")) and text.count("/") == 2 and "?" not in text,
    "duration": lambda text: _reads(read_duration, text),
    "date-time": lambda text: _reads(read_timestamp, text),
    "bcp47": lambda text: _LANGUAGE.fullmatch(text) is not None,
    "client-id": lambda text: _CLIENT_ID.fullmatch(text) is not None,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "host-port": _is_host_port,
    "regex": lambda text: _reads(re.compile, text),
}
#: What is said of a text that fails a format.
WORDS: Final[Mapping[str, str]] = {
    "uri": "an absolute URI",
    "https-uri": "an absolute https URL",
    "http-uri": "an absolute http or https URL",
    "origin": "an origin: scheme, host and port without a path",
    "duration": 'a duration such as "300ms", "60s", "15m", "8h" or "30d"',
    "date-time": 'a date and time with offset such as "2027-03-31T00:00:00Z"',
    "bcp47": "a language tag",
    "client-id": "a client id of printable ASCII characters",
    "email": "an e-mail address",
    "host-port": "an address as host:port",
    "regex": "a regular expression",
}


def conforms(value: object, name: str) -> bool:
    """Whether a value is of a format. What is no text, and a format that is none of ours, is not judged."""
    check = _CHECKS.get(name)
    return check is None or not isinstance(value, str) or check(value)
