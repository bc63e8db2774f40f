"""Rules of the registered claims (RFC 7519 4.1) with strict types.

A claim comes from whoever holds the key, which for a DPoP proof is anybody: a number may be a
text, true, or larger than any clock.
"""

from collections.abc import Collection, Mapping

from appliance.jose.problems import TokenProblem

_MAX_TIME = 2**53
_MAX_AUDIENCES = 16
_MAX_TEXT = 2048


def read_time(claims: Mapping[str, object], name: str) -> float | None:
    """A NumericDate, or None when the claim is absent."""
    if name not in claims:
        return None
    value = claims[name]
    # bool is an int in Python, never in JSON.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenProblem(f"{name} is not a number")
    # Written so that NaN, which is neither smaller nor larger, is out of range as well.
    if not 0 <= value < _MAX_TIME:
        raise TokenProblem(f"{name} is out of range")
    return value


def check_times(
    claims: Mapping[str, object],
    now: float,
    *,
    leeway: int = 0,
    early: int = 0,
    required: Collection[str] = ("exp",),
    max_ttl: int | None = None,
    max_age: int | None = None,
) -> None:
    """`exp`, `nbf` and `iat` against the clock.

    `max_ttl` bounds how far ahead `exp` may lie, so that a replay cache stays finite; `max_age`
    how far back `iat` may lie. `leeway` is for both clocks; `early` for one that is ahead of ours and writes when a
    token begins.
    """
    exp, nbf, iat = read_time(claims, "exp"), read_time(claims, "nbf"), read_time(claims, "iat")
    for name in required:
        if name not in claims:
            raise TokenProblem(f"{name} is missing")
    # RFC 7519 4.1.4: on or after exp the token is over.
    if exp is not None and exp + leeway <= now:
        raise TokenProblem("token has expired")
    if exp is not None and max_ttl is not None and exp > now + max_ttl + leeway:
        raise TokenProblem("exp is too far ahead")
    if nbf is not None and nbf > now + leeway + early:
        raise TokenProblem("token is not valid yet")
    if iat is not None and iat > now + leeway + early:
        raise TokenProblem("iat is in the future")
    if iat is not None and max_age is not None and iat < now - max_age - leeway:
        raise TokenProblem("iat is too old")


def read_text(claims: Mapping[str, object], name: str, *, max_length: int = _MAX_TEXT) -> str:
    """A claim that has to be a text of at least one character."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= max_length:
        raise TokenProblem(f"{name} is missing, not a text, empty or too long")
    return value


def read_audience(claims: Mapping[str, object]) -> tuple[str, ...]:
    """The members of `aud`, one or several (RFC 7519 4.1.3)."""
    value = claims.get("aud")
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_AUDIENCES:
        raise TokenProblem("aud is missing, empty or too long")
    for member in listed:
        if not isinstance(member, str) or not 0 < len(member) <= _MAX_TEXT:
            raise TokenProblem("aud holds something else than short texts")
    return tuple(listed)


def check_audience(
    claims: Mapping[str, object],
    accepted: Collection[str],
    *,
    sole: bool = False,
    as_text: bool = False,
) -> None:
    """One of `accepted` is an audience.

    `sole` asks that there be no other member: an assertion that also names another server can be
    used there by us and here by it. `as_text` refuses the list form (FAPI 2.0 5.3.2.1).
    """
    members = read_audience(claims)
    if as_text and not isinstance(claims["aud"], str):
        raise TokenProblem("aud is not a single text")
    if len(members) == 1 and members[0] in accepted:
        return
    if not any(member in accepted for member in members):
        raise TokenProblem("token is for another audience")
    if sole and len(members) != 1:
        raise TokenProblem("token is for other audiences as well")


def check_issuer(claims: Mapping[str, object], expected: str) -> None:
    """`iss` is exactly `expected`: no normalisation of any kind (RFC 7519 4.1.1)."""
    if read_text(claims, "iss") != expected:
        raise TokenProblem("token has another issuer")
