"""HTTP URIs that others write of our endpoints, brought to one form to be compared (RFC 9449 4.3, RFC 3986 6.2)."""

import re
from typing import Final

_MAX_LENGTH: Final = 2048
_URI = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(/[^?#]*)?(?:[?#].*)?", re.I)
# RFC 3986 2.2, 2.3: what a URI is written with; everything else is percent-encoded.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_PORTS: Final = {"http": 80, "https": 443}


def normalised(uri: str) -> str | None:
    """The URI without query and fragment after syntax- and scheme-based normalisation; None when it is none.

    User information is no part of the URI of a request, and neither are the segments `.` and `..`: clients
    resolve them before they send, so that whoever writes them here means to mislead.
    """
    if len(uri) > _MAX_LENGTH or not _CHARACTERS.fullmatch(uri):
        return None
    found = _URI.fullmatch(uri)
    if found is None:
        return None
    scheme, host, port, path = found[1].lower(), found[2].lower(), found[3], _ESCAPE.sub(_escape, found[4] or "/")
    if not {".", ".."}.isdisjoint(path.split("/")):
        return None
    explicit = "" if port is None or int(port) == _PORTS[scheme] else f":{int(port)}"
    return f"{scheme}://{host}{explicit}{path}"


def _escape(escape: re.Match[str]) -> str:
    """RFC 3986 6.2.2.1, 6.2.2.2: an unreserved character stands for itself, and others in upper case."""
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
