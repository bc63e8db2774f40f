"""The `scope` parameter (RFC 6749 3.3)."""

import re
from collections.abc import Iterable
from typing import Final

from appliance.protocol.errors import InvalidScope

OPENID: Final = "openid"
OFFLINE_ACCESS: Final = "offline_access"

MAX_LENGTH: Final = 4096
MAX_TOKENS: Final = 200

_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")


def read(text: str | None) -> tuple[str, ...]:
    """The scope tokens in the order asked, each once. InvalidScope for characters that no token has."""
    if text is None:
        return ()
    if len(text) > MAX_LENGTH or not _TEXT.fullmatch(text):
        raise InvalidScope("scope has characters that it must not have, or is too long", parameter="scope")
    found = tuple(dict.fromkeys(token for token in text.split(" ") if token))
    if len(found) > MAX_TOKENS:
        raise InvalidScope("scope has too many values", parameter="scope")
    return found


def text(scope: Iterable[str]) -> str:
    """The wire form."""
    return " ".join(scope)
