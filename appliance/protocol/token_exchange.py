"""Token exchange as values (RFC 8693): what tokens are called, and who acts for whom."""

from collections.abc import Mapping
from typing import Final

#: Like `resource` it may be sent several times (RFC 8693 2.1).
AUDIENCE: Final = "audience"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
_PREFIX: Final = "urn:ietf:params:oauth:token-type:"
#: What may be in `may_act`, because it can be compared with who acts.
_NAMING: Final = frozenset({"sub", "iss", "client_id"})
#: Deeper than any chain that a policy allows.
_DEEPEST: Final = 32


def short_name(token_type: str) -> str:
    """The last word of a token type's URN (RFC 8693 3), "" where it is none."""
    return token_type.removeprefix(_PREFIX) if token_type.startswith(_PREFIX) else ""


def chain(actor: Mapping[str, object], before: Mapping[str, object] | None) -> dict[str, object]:
    """The `act` claim of who acts now for whom others acted before (RFC 8693 4.1)."""
    return dict(actor) if before is None else {**actor, "act": before}


def depth(act: object) -> int:
    """How many have acted one for another: the length of the chain in an `act` claim."""
    found = 0
    while isinstance(act, Mapping) and found < _DEEPEST:
        found += 1
        act = act.get("act")
    return found


def may_act(allowed: object, actor: Mapping[str, object]) -> bool:
    """Whether a token's `may_act` is of this actor (RFC 8693 4.4); what cannot be compared is of nobody."""
    if not isinstance(allowed, Mapping) or not allowed or not allowed.keys() <= _NAMING:
        return False
    return all(actor.get(name) == value for name, value in allowed.items())
