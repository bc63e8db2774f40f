"""The `claims` parameter (OpenID Connect Core 5.5): shape first, then access control."""

from collections.abc import Iterable, Mapping
from typing import Final

from appliance.protocol.authorization import ClaimsRequest
from appliance.protocol.errors import InvalidRequest
from appliance.protocol.strict_json import StrictJsonProblem, loads_object

Member = Mapping[str, Mapping[str, object] | None]

MAX_LENGTH: Final = 8192
MAX_NAMES: Final = 200
MAX_NAME: Final = 128

#: Claims about the authentication, not the user's attributes: any client may ask for them (Core 2, 5.5.1).
AUTHENTICATION_CLAIMS: Final[frozenset[str]] = frozenset({"sub", "acr", "amr", "auth_time"})

NO_CLAIMS: Final = ClaimsRequest({}, {})


def read(text: str | None) -> ClaimsRequest:
    """The claims request. InvalidRequest when it is not the JSON of Core 5.5."""
    if text is None:
        return NO_CLAIMS
    try:
        whole = loads_object(text, max_depth=4, max_length=MAX_LENGTH)
    except StrictJsonProblem:
        raise _problem("claims is not a JSON object that can be used") from None
    # Core 5.5: other members may be there and are not understood.
    return ClaimsRequest(_member(whole.get("id_token")), _member(whole.get("userinfo")))


def _member(asked: object) -> Member:
    if asked is None:
        return {}
    if not isinstance(asked, dict) or len(asked) > MAX_NAMES:
        raise _problem("a member of claims is not an object of claims")
    return {name: _request(name, one) for name, one in asked.items() if 0 < len(name) <= MAX_NAME}


def _request(name: str, one: object) -> Mapping[str, object] | None:
    if one is None:
        return None
    if not isinstance(one, dict):
        raise _problem("a requested claim is neither null nor an object")
    if not isinstance(one.get("essential", False), bool):
        raise _problem("essential of a requested claim is not a boolean")
    wanted = [one["value"]] if "value" in one else []
    values = one.get("values", [])
    if not isinstance(values, list) or ("values" in one and not values):
        raise _problem("values of a requested claim is not a list of values")
    allowed = str if name in ("sub", "acr") else str | bool | int | float
    if not all(isinstance(value, allowed) for value in [*wanted, *values]):
        raise _problem("a value of a requested claim has the wrong type")
    return one


def _problem(description: str) -> InvalidRequest:
    return InvalidRequest(description, parameter="claims")


def names(claims: ClaimsRequest) -> tuple[str, ...]:
    """Every claim name asked for, once."""
    return tuple(dict.fromkeys((*claims.id_token, *claims.userinfo)))


def narrow(claims: ClaimsRequest, allowed: Iterable[str]) -> ClaimsRequest:
    """What is left of a request when only those claims (and the ones about authentication) may be asked."""
    keep = frozenset(allowed) | AUTHENTICATION_CLAIMS

    def part(member: Member) -> Member:
        return {name: one for name, one in member.items() if name in keep}

    return ClaimsRequest(part(claims.id_token), part(claims.userinfo))


def wanted_values(claims: ClaimsRequest, name: str) -> tuple[str, ...]:
    """The text values asked for a claim, over both members, in order; empty when any will do."""
    if claims is NO_CLAIMS:
        return ()
    found: list[str] = []
    for member in (claims.id_token, claims.userinfo):
        one = member.get(name) or {}
        values = one.get("values")
        for value in (one.get("value"), *(values if isinstance(values, list) else ())):
            if isinstance(value, str) and value not in found:
                found.append(value)
    return tuple(found)


def is_essential(claims: ClaimsRequest, name: str) -> bool:
    """Whether a claim was asked as essential in either member."""
    if claims is NO_CLAIMS:
        return False
    asked = (claims.id_token.get(name), claims.userinfo.get(name))
    return any(one is not None and one.get("essential") is True for one in asked)
