"""The scope parameter (RFC 6749 3.3): an ordered set of tokens."""

import re

from appliance.protocol.errors import InvalidScope

MAX_SCOPES = 100
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")


def read_scope(text: str) -> tuple[str, ...]:
    """The scope values in the order they were asked for, each once. InvalidScope on any other syntax."""
    if text.count(" ") >= MAX_SCOPES or not _SCOPE.fullmatch(text):
        raise InvalidScope("parameter scope is malformed", parameter="scope")
    return tuple(dict.fromkeys(text.split(" ")))
