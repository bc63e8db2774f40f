"""Requests whose users decide elsewhere (RFC 8628, CIBA): who may make them, who is told, and how long they wait."""

from collections.abc import Iterator
from typing import Final

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene, host_of, is_loopback, lengthy
from appliance.protocol import redirect_uri
from appliance.protocol.client import Client

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
CIBA: Final = "urn:openid:params:grant-type:ciba"

#: Nobody finds his browser and logs in in less, seconds.
_SHORTEST: Final = 60
_LONGEST_DEVICE: Final = 1800
_MEMBERS: Final = (
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
    "backchannel_authentication_request_signing_alg",
    "backchannel_user_code_parameter",
)
#: Methods by which a client proves that it has the keys at its `jwks_uri`.
_BY_KEY: Final = ("private_key_jwt", "self_signed_tls_client_auth")


def who_asks_about_users_is_known(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """CIBA 7.1: the client authenticates."""
    if client.value.is_public and CIBA in client.value.grant_types:
        message = "a public client cannot ask about users (CIBA Core 1.0 7.1)"
        remedy = "choose another `token_endpoint_auth_method`, for example private_key_jwt"
        yield problem("OP961", client, ("grant_types", client.value.grant_types.index(CIBA)), message, help=remedy)


def decisions_can_be_told(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """CIBA 4, 9: by a mode of the profile, at an address that may be asked."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    mode, path = value.backchannel_token_delivery_mode, ("backchannel_token_delivery_mode",)
    if CIBA not in value.grant_types:
        return
    if mode == "ping" and value.backchannel_client_notification_endpoint is None:
        message = "without `backchannel_client_notification_endpoint` there is nowhere to ping this client"
        yield problem("OP962", client, path, message, help="add it, or use `poll`", key=True)
    if profile is None:
        return
    offered = profile.value.backchannel_authentication.backchannel_token_delivery_modes_supported
    if (mode or "poll") not in offered:
        message = f"profile `{profile.id}` does not offer `{mode or 'poll'}`"
        yield problem("OP962", client, path, message, help="it offers: " + ", ".join(offered))


def notification_endpoint_can_be_reached(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """CIBA 9: over TLS; on this very machine only where that is meant."""
    uri, outbound = client.value.backchannel_client_notification_endpoint, scene.linked.root.value.outbound
    path = ("backchannel_client_notification_endpoint",)
    if uri is None:
        return
    origin = redirect_uri.origin(uri) or ""
    at_home = bool(origin) and is_loopback(host_of(origin))
    if "#" in uri:
        yield problem("OP962", client, path, "a fragment is never sent", help="leave it out")
    elif at_home and not outbound.allow_loopback:
        message = "this address is on this very machine, which is not asked"
        remedy = "for development: `outbound: {allow_loopback: true}` in op.yaml"
        yield problem("OP962", client, path, message, help=remedy)
    elif not at_home and uri.startswith("http:"):
        yield problem("OP962", client, path, "clients are told over https only", help="use https")


def signed_requests_can_be_verified(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """CIBA 4, 7.1.1: with a public key of the client."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    alg, path = value.backchannel_authentication_request_signing_alg, (_MEMBERS[2],)
    if CIBA not in value.grant_types:
        return
    if alg is not None and value.jwks is None and value.jwks_uri is None:
        message = f"there is no key of the client to verify `{alg}` with"
        yield problem("OP963", client, path, message, help="add the client's `jwks` or `jwks_uri`")
    if alg is None and profile is not None and profile.value.backchannel_authentication.signed_requests_required:
        message = f"profile `{profile.id}` takes signed requests only, and this client registered no algorithm"
        remedy = f"add `{_MEMBERS[2]}: ES256` and the client's `jwks`"
        yield problem("OP963", client, ("grant_types", value.grant_types.index(CIBA)), message, help=remedy)
    own_sector = value.op.sector_identifier or value.sector_identifier_uri or value.redirect_uris
    proves = alg is not None or value.token_endpoint_auth_method in _BY_KEY
    if value.subject_type == "pairwise" and value.jwks_uri and not own_sector and not proves:
        message = "a sector by `jwks_uri` is for clients that prove to have its keys (CIBA Core 1.0 4)"
        remedy = f"use private_key_jwt, add `{_MEMBERS[2]}`, or declare `op.sector_identifier`"
        yield problem("OP963", client, ("jwks_uri",), message, help=remedy)


def members_have_a_grant_type(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """What a client of another kind says of it means nothing."""
    for name in _MEMBERS if CIBA not in client.value.grant_types else ():
        if getattr(client.value, name):
            message = f"without the grant type `{CIBA}` this says nothing"
            yield problem("OP964", client, (name,), message, help="add the grant type, or remove this line", key=True)


def blocks_have_a_grant_type(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A block that was written for a grant type which is not offered."""
    for name, grant_type in (("device_authorization", DEVICE_CODE), ("backchannel_authentication", CIBA)):
        if name in profile.written and grant_type not in profile.value.grant_types_supported:
            message = f"the profile does not offer the grant type `{grant_type}`"
            remedy = "add it to `grant_types_supported`, or remove these lines"
            yield problem("OP964", profile, (name,), message, help=remedy, key=True)


def waits_can_be_met(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 8628 3.2, CIBA 7.3: time enough for a person, and for his client to ask."""
    device, backchannel = profile.value.device_authorization, profile.value.backchannel_authentication
    for name, ttl in (("device_authorization", device.ttl), ("backchannel_authentication", backchannel.ttl)):
        if ttl < _SHORTEST:
            message = f"nobody finds his browser and logs in within {lengthy(ttl)}"
            yield problem("OP965", profile, (name, "ttl"), message, help=f"at least {lengthy(_SHORTEST)}")
    if backchannel.ttl > backchannel.longest_ttl:
        message = f"`ttl` is longer than the {lengthy(backchannel.longest_ttl)} that clients may ask for"
        path = ("backchannel_authentication", "longest_ttl")
        yield problem("OP965", profile, path, message, help="make `longest_ttl` the longer one")
    if device.ttl > _LONGEST_DEVICE:
        message = f"a code that can be typed for {lengthy(device.ttl)} can be guessed, and passed on, as long"
        yield problem("OP966", profile, ("device_authorization", "ttl"), message, help="minutes are enough")


CLIENT_RULES: tuple[Rule[Client], ...] = (
    who_asks_about_users_is_known,
    decisions_can_be_told,
    notification_endpoint_can_be_reached,
    signed_requests_can_be_verified,
    members_have_a_grant_type,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (blocks_have_a_grant_type, waits_can_be_met)
