"""The order of checks of an authorization request, as a table one can read.

Each rule sees the request as the rules before it left it, and gives it back, narrowed where the profile says
"leave it out", or raises the error that the client gets. Client and redirect URI were verified before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from appliance.profile.profile import Profile
from appliance.protocol import claims_request, response_type
from appliance.protocol.authorization_request import AuthorizationRequest as Asked
from appliance.protocol.client import Client
from appliance.protocol.errors import (
    InvalidAuthorizationDetails,
    InvalidRequest,
    InvalidScope,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from appliance.protocol.prompt import CONSENT
from appliance.protocol.scope import OFFLINE_ACCESS

Check = Callable[[Asked, Client, Profile], Asked]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check and where it is written."""

    check: Check
    source: str


def check(asked: Asked, client: Client, profile: Profile) -> Asked:
    """The request after every rule. The OAuthError of the first rule that it breaks."""
    for rule in RULES:
        asked = rule.check(asked, client, profile)
    return asked


def _refused(asked: Asked, client: Client, profile: Profile) -> Asked:
    # What would change the meaning of the request if it were read must not be passed over.
    if "request" in asked.refused:
        raise RequestNotSupported("request objects are not supported", parameter="request")
    if "request_uri" in asked.refused:
        raise RequestUriNotSupported("request_uri is not supported", parameter="request_uri")
    if "registration" in asked.refused:
        raise RegistrationNotSupported("registration is not supported", parameter="registration")
    if "authorization_details" in asked.refused:
        raise InvalidAuthorizationDetails("no type of authorization_details is known here")
    return asked


def _response_type_supported(asked: Asked, client: Client, profile: Profile) -> Asked:
    supported = profile.declared.response_types_supported
    if not any(response_type.same(one, asked.response_type) for one in supported):
        raise UnsupportedResponseType("response_type is not supported", parameter="response_type")
    return asked


def _response_type_registered(asked: Asked, client: Client, profile: Profile) -> Asked:
    if not any(response_type.same(one, asked.response_type) for one in client.response_types):
        raise UnauthorizedClient("response_type is not registered for this client", parameter="response_type")
    return asked


def _response_mode(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.mode not in profile.response_modes:
        raise InvalidRequest("response_mode is not supported", parameter="response_mode")
    if asked.mode == "query" and response_type.carries_tokens(asked.response_type):
        raise InvalidRequest("response_mode query must not carry tokens", parameter="response_mode")
    encrypted = client.authorization_encrypted_response_alg is not None
    if asked.mode == "query.jwt" and response_type.carries_tokens(asked.response_type) and not encrypted:
        # JARM 2.3.1: signed is readable all the same.
        raise InvalidRequest("response_mode query.jwt must not carry tokens", parameter="response_mode")
    return asked


def _scope(asked: Asked, client: Client, profile: Profile) -> Asked:
    allowed = profile.claims.allowed_scopes(client)
    if asked.openid and not profile.declared.openid_connect:
        # Left out, the client would wait for an ID Token that never comes.
        raise InvalidScope("this authorization server is not an OpenID Provider", parameter="scope")
    granted = tuple(name for name in asked.scope if name in allowed)
    if len(granted) != len(asked.scope) and profile.declared.unknown_scopes == "reject":
        raise InvalidScope("a scope is not known here or not this client's", parameter="scope")
    return replace(asked, scope=granted)


def _openid(asked: Asked, client: Client, profile: Profile) -> Asked:
    if "id_token" in asked.response_type and not asked.openid:
        raise InvalidScope("an ID Token needs the scope openid", parameter="scope")
    return asked


def _offline_access(asked: Asked, client: Client, profile: Profile) -> Asked:
    # Core 11: ignored, not refused, where its conditions do not hold.
    possible = "code" in asked.response_type and "refresh_token" in client.grant_types
    willing = CONSENT in asked.prompt or client.op.refresh_token == "always"
    if possible and willing and client.op.refresh_token != "never":
        return asked
    return replace(asked, scope=tuple(name for name in asked.scope if name != OFFLINE_ACCESS))


def _nonce(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.nonce is None and response_type.needs_nonce(asked.response_type):
        raise InvalidRequest("parameter nonce is missing", parameter="nonce")
    return asked


def _pkce(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.code_challenge is not None or "code" not in asked.response_type:
        return asked
    own = client.op.require_pkce
    # With loosely matched addresses nothing else ties the code to who asked for it.
    loose = client.op.compat.redirect_match != "exact"
    if client.is_public or loose or (profile.declared.require_pkce if own is None else own):
        raise InvalidRequest("parameter code_challenge is missing", parameter="code_challenge")
    return asked


def _claims(asked: Asked, client: Client, profile: Profile) -> Asked:
    if not profile.declared.claims_parameter_supported:
        return replace(asked, claims=claims_request.NO_CLAIMS)
    narrowed = claims_request.narrow(asked.claims, profile.claims.allowed_claims(client))
    if profile.declared.claims_parameter_unmapped == "reject" and narrowed != asked.claims:
        raise InvalidRequest("claims asks for a claim outside of this client's scopes", parameter="claims")
    return replace(asked, claims=narrowed)


def _acr_values(asked: Asked, client: Client, profile: Profile) -> Asked:
    if len(asked.acr_values) > 1 and profile.declared.acr_values_multiple == "reject":
        raise InvalidRequest("acr_values names more than one level", parameter="acr_values")
    return asked


def _id_token_hint(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.id_token_hint is None:
        return asked
    claims = profile.tokens.read_id_token_hint(asked.id_token_hint)
    sub, audience = claims.get("sub"), claims.get("aud")
    # Another client's token would be a way to ask who else is known here (Core 16.15).
    audiences = audience if isinstance(audience, list) else [audience]
    if not isinstance(sub, str) or client.client_id not in audiences:
        raise InvalidRequest("id_token_hint was issued to another client", parameter="id_token_hint")
    return replace(asked, hinted_sub=sub)


RULES: Final[tuple[Rule, ...]] = (
    Rule(_refused, "OpenID Connect Core 3.1.2.6; RFC 9396 5"),
    Rule(_response_type_supported, "RFC 6749 3.1.1"),
    Rule(_response_type_registered, "OpenID Connect Registration 2"),
    Rule(_response_mode, "OAuth 2.0 Multiple Response Type Encoding Practices 2.1, 5"),
    Rule(_scope, "RFC 6749 3.3"),
    Rule(_openid, "OpenID Connect Core 3.1.2.1"),
    Rule(_offline_access, "OpenID Connect Core 11"),
    Rule(_nonce, "OpenID Connect Core 3.2.2.1, 3.3.2.11"),
    Rule(_pkce, "RFC 9700 2.1.1; RFC 7636 4.4.1"),
    Rule(_claims, "OpenID Connect Core 5.5"),
    Rule(_acr_values, "OpenID Connect Core 3.1.2.1"),
    Rule(_id_token_hint, "OpenID Connect Core 3.1.2.1, 16.15"),
)
