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
    InvalidRequest,
    InvalidScope,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from appliance.protocol.prompt import CONSENT, CREATE
from appliance.protocol.scope import OFFLINE_ACCESS
from appliance.protocol.security_profile import FAPI2, FAPI2_MESSAGE_SIGNING, includes

Check = Callable[[Asked, Client, Profile], Asked]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check and where it is written."""

    check: Check
    source: str
    #: Whether it is about requests without a browser, too.
    direct: bool = False


def check(asked: Asked, client: Client, profile: Profile) -> Asked:
    """The request after every rule. The OAuthError of the first rule that it breaks."""
    for each in _CHECKS:
        asked = each(asked, client, profile)
    return asked


def check_direct(asked: Asked, client: Client, profile: Profile) -> Asked:
    """The same for a request that came without a browser (RFC 8628 3.1, CIBA 7.1)."""
    for rule in RULES:
        if rule.direct:
            asked = rule.check(asked, client, profile)
    return asked


def _refused(asked: Asked, client: Client, profile: Profile) -> Asked:
    # What would change the meaning of the request if it were read must not be passed over.
    if not asked.refused:
        return asked
    if "request" in asked.refused:
        raise RequestNotSupported("request objects are not supported", parameter="request")
    if "request_uri" in asked.refused:
        raise RequestUriNotSupported("request_uri is not supported", parameter="request_uri")
    if "registration" in asked.refused:
        raise RegistrationNotSupported("registration is not supported", parameter="registration")
    return asked


def _response_type_supported(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.response_type not in response_type.sets(profile.declared.response_types_supported):
        raise UnsupportedResponseType("response_type is not supported", parameter="response_type")
    return asked


def _response_type_registered(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.response_type not in response_type.sets(client.response_types):
        raise UnauthorizedClient("response_type is not registered for this client", parameter="response_type")
    return asked


def _response_mode(asked: Asked, client: Client, profile: Profile) -> Asked:
    mode = asked.mode
    if mode not in profile.response_modes:
        raise InvalidRequest("response_mode is not supported", parameter="response_mode")
    if not response_type.carries_tokens(asked.response_type):
        return asked
    if mode == "query":
        raise InvalidRequest("response_mode query must not carry tokens", parameter="response_mode")
    if mode == "query.jwt" and client.authorization_encrypted_response_alg is None:
        # JARM 2.3.1: signed is readable all the same.
        raise InvalidRequest("response_mode query.jwt must not carry tokens", parameter="response_mode")
    return asked


def _security_profile(asked: Asked, client: Client, profile: Profile) -> Asked:
    chosen = client.op.security_profile
    if includes(chosen, FAPI2) and asked.redirect_uri is None:
        raise InvalidRequest("parameter redirect_uri is missing", parameter="redirect_uri")
    if includes(chosen, FAPI2_MESSAGE_SIGNING) and not profile.response_modes[asked.mode].secured:
        raise InvalidRequest("response_mode must be one of signed answers", parameter="response_mode")
    return asked


def _resource(asked: Asked, client: Client, profile: Profile) -> Asked:
    if not asked.resource:
        if client.op.default_resource is None:
            return asked
        asked = replace(asked, resource=(client.op.default_resource,))
    profile.resources.check(asked.resource, client)
    kept = profile.resources.scope_at(asked.scope, asked.resource)
    if len(kept) != len(asked.scope) and profile.declared.unknown_scopes == "reject":
        raise InvalidScope("a scope means nothing at this resource", parameter="scope")
    return replace(asked, scope=kept)


def _authorization_details(asked: Asked, client: Client, profile: Profile) -> Asked:
    profile.details.check(asked.authorization_details, client)
    return asked


def _grant_management(asked: Asked, client: Client, profile: Profile) -> Asked:
    """Every request makes a grant of its own, which is `create`; none is changed by another."""
    offered = profile.declared.grant_management
    if not offered.actions:
        # Unknown parameters are ignored (RFC 6749 3.1).
        return asked
    action, grant_id = (asked.parameters.get(name) for name in ("grant_management_action", "grant_id"))
    if action is None and (offered.required or grant_id is not None):
        words = "parameter grant_management_action is missing"
        raise InvalidRequest(words, parameter="grant_management_action")
    if action is not None and (action != "create" or action not in offered.actions):
        raise InvalidRequest("grant_management_action is not supported", parameter="grant_management_action")
    if grant_id is not None:
        raise InvalidRequest("grant_id does not go with create", parameter="grant_id")
    if action is not None and client.is_public:
        raise UnauthorizedClient("grants are managed by confidential clients", parameter="grant_management_action")
    return asked


def _default_scope(asked: Asked, client: Client, profile: Profile) -> Asked:
    """RFC 6749 3.3: what a request without `scope` is for, as far as it is the client's."""
    default = profile.declared.default_scope if client.op.default_scope is None else client.op.default_scope
    if default is None or "scope" in asked.parameters:
        return asked
    allowed = profile.claims.allowed_scopes(client)
    return replace(asked, scope=tuple(name for name in default if name in allowed))


def _scope(asked: Asked, client: Client, profile: Profile) -> Asked:
    allowed = profile.claims.allowed_scopes(client)
    if asked.openid and not profile.declared.openid_connect:
        # Left out, the client would wait for an ID Token that never comes.
        raise InvalidScope("this authorization server is not an OpenID Provider", parameter="scope")
    if allowed.issuperset(asked.scope):
        return asked
    granted = tuple(name for name in asked.scope if name in allowed)
    if profile.declared.unknown_scopes == "reject":
        raise InvalidScope("a scope is not known here or not this client's", parameter="scope")
    return replace(asked, scope=granted)


def _openid(asked: Asked, client: Client, profile: Profile) -> Asked:
    if "id_token" in asked.response_type and not asked.openid:
        raise InvalidScope("an ID Token needs the scope openid", parameter="scope")
    return asked


def _offline_access(asked: Asked, client: Client, profile: Profile) -> Asked:
    # Core 11: ignored, not refused, where its conditions do not hold.
    # A request without a browser has no response type; its grant may refresh like a code's.
    refreshable = "code" in asked.response_type or not asked.response_type
    possible = refreshable and "refresh_token" in client.grant_types
    willing = CONSENT in asked.prompt or client.op.refresh_token == "always"
    if OFFLINE_ACCESS not in asked.scope or (possible and willing and client.op.refresh_token != "never"):
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


def _dpop_jkt(asked: Asked, client: Client, profile: Profile) -> Asked:
    constraint = profile.sender_constraint
    if asked.dpop_jkt is not None and not constraint.algs:
        return replace(asked, dpop_jkt=None)
    if "token" in asked.response_type and constraint.must_bind(client):
        # Whoever finds an access token in an address could use it.
        raise UnauthorizedClient("response_type would issue an access token that is bound to no key")
    return asked


def _claims(asked: Asked, client: Client, profile: Profile) -> Asked:
    if asked.claims is claims_request.NO_CLAIMS:
        return asked
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


def _create(asked: Asked, client: Client, profile: Profile) -> Asked:
    if CREATE not in asked.prompt:
        return asked
    if profile.sign_up is None:
        raise InvalidRequest("prompt create is not supported", parameter="prompt")
    if asked.hinted_sub is not None or claims_request.wanted_values(asked.claims, "sub"):
        # Nobody who is made now can be the user that the request names.
        raise InvalidRequest("prompt create cannot be combined with a named user", parameter="prompt")
    return asked


RULES: Final[tuple[Rule, ...]] = (
    Rule(_refused, "OpenID Connect Core 3.1.2.6"),
    Rule(_response_type_supported, "RFC 6749 3.1.1"),
    Rule(_response_type_registered, "OpenID Connect Registration 2"),
    Rule(_response_mode, "OAuth 2.0 Multiple Response Type Encoding Practices 2.1, 5"),
    Rule(_security_profile, "FAPI 2.0 Security Profile 5.3.2.2; FAPI 2.0 Message Signing 5.4.1"),
    Rule(_default_scope, "RFC 6749 3.3", direct=True),
    Rule(_scope, "RFC 6749 3.3", direct=True),
    Rule(_resource, "RFC 8707 2, 2.1", direct=True),
    Rule(_authorization_details, "RFC 9396 5", direct=True),
    Rule(_grant_management, "Grant Management for OAuth 2.0 5.1, 5.2, 5.4", direct=True),
    Rule(_openid, "OpenID Connect Core 3.1.2.1"),
    Rule(_offline_access, "OpenID Connect Core 11", direct=True),
    Rule(_nonce, "OpenID Connect Core 3.2.2.1, 3.3.2.11"),
    Rule(_pkce, "RFC 9700 2.1.1; RFC 7636 4.4.1"),
    Rule(_dpop_jkt, "RFC 9449 5, 10"),
    Rule(_claims, "OpenID Connect Core 5.5", direct=True),
    Rule(_acr_values, "OpenID Connect Core 3.1.2.1", direct=True),
    Rule(_id_token_hint, "OpenID Connect Core 3.1.2.1, 16.15", direct=True),
    Rule(_create, "Initiating User Registration via OpenID Connect 4.1"),
)
_CHECKS: Final = tuple(rule.check for rule in RULES)
