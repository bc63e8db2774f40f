"""Response types: the closed set of OpenID Connect Core 3 and Multiple Response Type Encoding Practices."""

from functools import lru_cache
from itertools import permutations
from typing import Final

from appliance.protocol.errors import InvalidRequest, UnsupportedResponseType

#: The canonical spelling of each set; the order of words on the wire does not matter (RFC 6749 3.1.1).
CANONICAL: Final[tuple[str, ...]] = (
    "code",
    "token",
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
    "none",
)

_BY_SET: Final = {frozenset(name.split(" ")): name for name in CANONICAL}
#: Every spelling with its set. A repeated word or a second space is not the grammar of RFC 6749 3.1.1.
_BY_TEXT: Final = {" ".join(words): frozenset(words) for found in _BY_SET for words in permutations(found)}
_TOKENS: Final = frozenset({"token", "id_token"})


def read(text: str | None) -> frozenset[str]:
    """The set of words. InvalidRequest when missing, UnsupportedResponseType outside the closed set."""
    if text is None:
        raise InvalidRequest("parameter response_type is missing", parameter="response_type")
    found = _BY_TEXT.get(text)
    if found is None:
        raise UnsupportedResponseType("response_type is not supported", parameter="response_type")
    return found


def canonical(words: frozenset[str]) -> str:
    """The canonical spelling of a set that `read` made."""
    return _BY_SET[words]


def same(declared: str, words: frozenset[str]) -> bool:
    """Whether a declared or registered response type is this set, however its words are ordered."""
    return frozenset(declared.split(" ")) == words


@lru_cache(maxsize=64)
def sets(declared: tuple[str, ...]) -> frozenset[frozenset[str]]:
    """The sets of response types that were declared or registered, and checked there."""
    return frozenset(frozenset(each.split(" ")) for each in declared)


def needs_nonce(words: frozenset[str]) -> bool:
    """Whether an ID Token comes through the front channel (OpenID Connect Core 3.2.2.1, 3.3.2.11)."""
    return "id_token" in words


def carries_tokens(words: frozenset[str]) -> bool:
    """Whether tokens come through the front channel, so that the query must not be used."""
    return not words.isdisjoint(_TOKENS)


def resolve_mode(asked: str, words: frozenset[str]) -> str:
    """The mode that is meant: `jwt` is short for the default one, signed (JARM 2.3.4)."""
    return f"{default_mode(words)}.jwt" if asked == "jwt" else asked


def default_mode(words: frozenset[str]) -> str:
    """The response mode when none is asked (Multiple Response Type Encoding Practices 2.1, 5)."""
    return "fragment" if carries_tokens(words) else "query"
