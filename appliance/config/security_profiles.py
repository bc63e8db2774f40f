"""`security_profile`: one word that switches a whole set of rules on (OAuth 2.1, FAPI 2.0).

What the operator leaves out becomes what the set asks for, before anything is bound; what he writes against it is
refused by `rules.security_profile_rules`, which reads the same tables.
"""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from appliance.config.problems import Path
from appliance.protocol.security_profile import (
    FAPI2,
    FAPI2_ALGORITHMS,
    FAPI2_MESSAGE_SIGNING,
    FAPI2_METHODS,
    OAUTH21,
    includes,
)

_SIGNING = "FAPI 2.0 Message Signing"
_FAPI = "FAPI 2.0 Security Profile"

#: The longest life of a code, and of a pushed request (exclusive), in seconds.
_CODE = 60
_PUSHED = 600


@dataclass(frozen=True, slots=True)
class Requirement:
    """One rule of a set about one member."""

    profile: str
    path: Path
    #: Whether a bound value of the member keeps the rule.
    fits: Callable[[Any], bool]
    #: Where it is written.
    section: str
    #: What the rule asks for, as in "this profile ...".
    words: str
    #: What the member is where the operator wrote nothing; None: the schema's default keeps the rule already.
    fill: object = None


def _is(wanted: object) -> Callable[[Any], bool]:
    return lambda value: bool(value == wanted)


def _within(allowed: Collection[str]) -> Callable[[Any], bool]:
    return lambda value: {value} <= {*allowed, None} if isinstance(value, str | None) else set(value) <= set(allowed)


def _at_most(limit: int) -> Callable[[Any], bool]:
    return lambda value: value is None or value <= limit


def _without(word: str) -> Callable[[Any], bool]:
    return lambda values: not any(word in value.split(" ") for value in values)


def _signed_by_fapi(entries: Any) -> bool:
    return all(entry.alg in FAPI2_ALGORITHMS for entry in entries)


#: What a set asks of a profile, in the order of the sets.
PROFILE_REQUIREMENTS: Final[tuple[Requirement, ...]] = (
    Requirement(OAUTH21, ("require_pkce",), _is(True), "OAuth 2.1 7.5.1", "requires PKCE of every client", True),
    Requirement(
        OAUTH21,
        ("response_types_supported",),
        _without("token"),
        "OAuth 2.1 10",
        "issues no access token from the authorization endpoint",
    ),
    Requirement(
        OAUTH21,
        ("grant_types_supported",),
        _without("password"),
        "OAuth 2.1 10",
        "takes no passwords of users at the token endpoint",
    ),
    Requirement(OAUTH21, ("discovery",), _is(True), f"{_FAPI} 5.3.2.1", "publishes its metadata"),
    Requirement(
        FAPI2,
        ("response_types_supported",),
        _is(("code",)),
        f"{_FAPI} 5.3.2.2",
        "has the response type `code` and no other",
    ),
    Requirement(
        FAPI2,
        ("endpoints", "pushed_authorization_request"),
        _is(True),
        f"{_FAPI} 5.3.2.2",
        "has a pushed authorization request endpoint",
        True,
    ),
    Requirement(
        FAPI2,
        ("require_pushed_authorization_requests",),
        _is(True),
        f"{_FAPI} 5.3.2.2",
        "takes pushed authorization requests only",
        True,
    ),
    Requirement(
        FAPI2,
        ("pushed_authorization_request", "public_clients"),
        _is(False),
        f"{_FAPI} 5.3.2.2",
        "takes pushed requests of clients that prove themselves",
        False,
    ),
    Requirement(
        FAPI2,
        ("token_endpoint_auth_methods_supported",),
        _within(FAPI2_METHODS),
        f"{_FAPI} 5.3.2.1",
        "lets clients prove themselves by private_key_jwt or mutual TLS only",
        ["private_key_jwt"],
    ),
    Requirement(
        FAPI2, ("dpop", "required"), _is(True), f"{_FAPI} 5.3.2.1", "issues sender-constrained tokens only", True
    ),
    Requirement(
        FAPI2,
        ("dpop_signing_alg_values_supported",),
        _within(FAPI2_ALGORITHMS),
        f"{_FAPI} 5.4.1",
        "signs with PS256, ES256 or EdDSA only",
        ["ES256", "PS256", "EdDSA"],
    ),
    Requirement(
        FAPI2,
        ("client_assertion", "audience"),
        _is("issuer_only"),
        f"{_FAPI} 5.3.2.1",
        "takes its issuer as a string for the only audience of client assertions",
        "issuer_only",
    ),
    Requirement(
        FAPI2, ("ttl", "refresh_token", "rotate"), _is(False), f"{_FAPI} 5.3.2.1", "rotates no refresh tokens", False
    ),
    Requirement(
        FAPI2,
        ("ttl", "authorization_code"),
        _at_most(_CODE),
        f"{_FAPI} 5.3.2.1",
        f"has authorization codes that live {_CODE}s at most",
    ),
    Requirement(
        FAPI2,
        ("ttl", "pushed_authorization_request"),
        _at_most(_PUSHED - 1),
        f"{_FAPI} 5.3.2.2",
        f"has pushed requests that live less than {_PUSHED}s",
    ),
    Requirement(
        FAPI2,
        ("keys", "signing"),
        _signed_by_fapi,
        f"{_FAPI} 5.4.1",
        "signs with PS256, ES256 or EdDSA only",
        [{"alg": "PS256"}],
    ),
    Requirement(
        FAPI2_MESSAGE_SIGNING,
        ("request_parameter_supported",),
        _is(True),
        f"{_SIGNING} 5.3.1",
        "reads signed request objects",
        True,
    ),
    Requirement(
        FAPI2_MESSAGE_SIGNING,
        ("response_modes_supported",),
        _within(("query.jwt", "fragment.jwt", "form_post.jwt")),
        f"{_SIGNING} 5.4.1",
        "answers authorization requests by signed JWTs only",
        ["query.jwt", "form_post.jwt"],
    ),
    Requirement(
        FAPI2_MESSAGE_SIGNING,
        ("request_object", "max_lifetime"),
        _at_most(3600),
        f"{_SIGNING} 5.3.1",
        "has request objects that live an hour at most",
    ),
)

_ALGORITHM_MEMBERS = (
    *("token_endpoint_auth_signing_alg", "id_token_signed_response_alg", "userinfo_signed_response_alg"),
    *("request_object_signing_alg", "authorization_signed_response_alg", "introspection_signed_response_alg"),
)

#: What a set asks of a client, whether it or its profile named the set.
CLIENT_REQUIREMENTS: Final[tuple[Requirement, ...]] = (
    Requirement(
        OAUTH21, ("op", "require_pkce"), lambda value: value is not False, "OAuth 2.1 7.5.1", "requires PKCE", True
    ),
    Requirement(
        OAUTH21,
        ("response_types",),
        _without("token"),
        "OAuth 2.1 10",
        "issues no access token from the authorization endpoint",
    ),
    Requirement(
        OAUTH21, ("grant_types",), _without("password"), "OAuth 2.1 10", "takes no passwords of users from clients"
    ),
    Requirement(
        FAPI2, ("response_types",), _within(("code",)), f"{_FAPI} 5.3.2.2", "has the response type `code` only"
    ),
    Requirement(
        FAPI2,
        ("token_endpoint_auth_method",),
        _within(FAPI2_METHODS),
        f"{_FAPI} 5.3.2.1",
        "has clients that prove themselves by private_key_jwt or mutual TLS only",
        "private_key_jwt",
    ),
    Requirement(
        FAPI2,
        ("op", "ttl", "authorization_code"),
        _at_most(_CODE),
        f"{_FAPI} 5.3.2.1",
        f"has authorization codes that live {_CODE}s at most",
    ),
    *(
        Requirement(
            FAPI2, (name,), _within(FAPI2_ALGORITHMS), f"{_FAPI} 5.4.1", "signs with PS256, ES256 or EdDSA only"
        )
        for name in _ALGORITHM_MEMBERS
    ),
)

_REQUIREMENTS: Final[Mapping[str, tuple[tuple[Requirement, ...], Path]]] = {
    "profiles": (PROFILE_REQUIREMENTS, ("security_profile",)),
    "clients": (CLIENT_REQUIREMENTS, ("op", "security_profile")),
    "client_templates": (CLIENT_REQUIREMENTS, ("op", "security_profile")),
}


def complete(family: str, written: dict[str, Any]) -> dict[str, Any]:
    """The document with what its own security profile switches on wherever it says nothing."""
    requirements, at = _REQUIREMENTS.get(family, ((), ()))
    chosen = _get(written, at) if at else None
    if chosen not in (OAUTH21, FAPI2, FAPI2_MESSAGE_SIGNING):
        return written
    completed = deepcopy(written)
    for requirement in requirements:
        if requirement.fill is not None and includes(chosen, requirement.profile):
            _set(completed, requirement.path, requirement.fill)
    return completed


def _get(document: Any, path: Path) -> object:
    for step in path:
        if not isinstance(document, dict):
            return None
        document = document.get(step)
    return document


def _set(document: dict[str, Any], path: Path, value: object) -> None:
    """Write a value where there is none; what is not of the right shape is left to who checks shapes."""
    *parents, last = path
    for step in parents:
        child = document.setdefault(str(step), {})
        if not isinstance(child, dict):
            return
        document = child
    document.setdefault(str(last), deepcopy(value))
