"""Clients: what they refer to, and that their flows, grants and algorithms are the profile's."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.faults import suggestion
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Mark, Problem
from appliance.config.rules import (
    client_key_rules,
    client_secret_rules,
    compat_rules,
    details_rules,
    grant_rules,
    logout_rules,
    pairwise_rules,
    pushed_request_rules,
    redirect_rules,
    request_object_rules,
    resource_rules,
    response_crypto_rules,
    security_profile_rules,
    sender_constraint_rules,
    waiting_rules,
)
from appliance.config.rules.rule import DAY, Rule, Scene, lengthy, unknown
from appliance.protocol import response_type
from appliance.protocol.client import Client

_LONGEST_ACCESS = DAY
#: Grant types that may begin a family of refresh tokens.
_REFRESHED = frozenset(
    {
        *("authorization_code", "implicit", "password"),
        *("urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba"),
    }
)


def profile_exists(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """The client belongs to a profile."""
    name, linked = client.value.op.profile, scene.linked
    if name not in linked.profiles and linked.complete("profiles"):
        yield unknown("OP311", client, ("op", "profile"), name, "profile", linked.profiles)


def theme_exists(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Its theme is there."""
    name, linked = client.value.op.theme, scene.linked
    if name is not None and name not in linked.themes and linked.complete("themes"):
        yield unknown("OP317", client, ("op", "theme"), name, "theme", linked.themes)


def scopes_are_the_profiles(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Each scope is one of the profile."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    listed = isinstance(client.written.get("scope"), list)
    scopes, kind = profile.value.scopes, f"scope in profile `{profile.id}` called"
    for position, name in enumerate(client.value.scope):
        if name not in scopes:
            path = ("scope", position) if listed else ("scope",)
            yield unknown("OP318", client, path, name, kind, scopes)


def levels_are_the_profiles(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Each of `default_acr_values` is a level of the profile."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    declared = [level.value for level in profile.value.acr]
    for position, value in enumerate(client.value.default_acr_values):
        if value not in declared:
            message = f"`{value}` is not an ACR level of profile `{profile.id}`"
            mark = label(profile.where(("acr",), key=True), "the levels are here")
            remedy = suggestion(value, declared)
            path = ("default_acr_values", position)
            yield problem("OP305", client, path, message, help=remedy, secondary=(mark,))


def response_types_are_the_profiles(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Each response type is one of the profile's."""
    profile = scene.profile_of(client.value.op.profile)
    for position, each in enumerate(client.value.response_types if profile else ()):
        if profile and not _logs_in(client.value):
            return
        if profile and each not in profile.value.response_types_supported:
            offered = ", ".join(profile.value.response_types_supported)
            message = f"profile `{profile.id}` does not offer response type `{each}`"
            mark = _setting(profile, "response_types_supported")
            path = ("response_types", position)
            yield problem("OP215", client, path, message, help=f"it offers: {offered}", secondary=mark)


def grant_types_are_the_profiles(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Each grant type is one of the profile's."""
    profile = scene.profile_of(client.value.op.profile)
    for position, each in enumerate(client.value.grant_types if profile else ()):
        if profile and each not in profile.value.grant_types_supported:
            remedy = "it offers: " + ", ".join(profile.value.grant_types_supported)
            if "grant_types" not in client.written:
                remedy += f"; the client does not write `grant_types`, which then is [{each}]"
            message = f"profile `{profile.id}` does not offer grant type `{each}`"
            mark = _setting(profile, "grant_types_supported")
            yield problem("OP216", client, ("grant_types", position), message, help=remedy, secondary=mark)


def _setting(at: Object[Profile], name: str) -> tuple[Mark, ...]:
    return (label(at.where((name,), key=True), "offered are these"),) if name in at.written else ()


def grant_types_fit_response_types(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """The table of OpenID Connect Registration 2."""
    value = client.value
    if not _logs_in(value) and not value.redirect_uris:
        return
    for position, each in enumerate(value.response_types):
        words = frozenset(each.split(" "))
        needed = {"authorization_code"} if "code" in words else set()
        needed |= {"implicit"} if response_type.carries_tokens(words) else set()
        if missing := sorted(needed - set(value.grant_types)):
            names = " and ".join(f"`{name}`" for name in missing)
            message = f"response type `{each}` needs grant type {names} (OpenID Connect Registration 2)"
            remedy = f"add {names} to `grant_types`"
            path = ("response_types", position) if "response_types" in client.written else ("grant_types",)
            yield problem("OP217", client, path, message, help=remedy)
    if not value.response_types and _logs_in(value):
        message = "`response_types` is empty, so this client cannot log anybody in"
        remedy = "name the response types, or keep only `grant_types: [client_credentials]`"
        yield problem("OP217", client, ("response_types",), message, help=remedy)


def _logs_in(client: Client) -> bool:
    return bool({"authorization_code", "implicit"} & set(client.grant_types))


def client_credentials_need_a_secret(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 6749 4.4: a client without credentials has none to show."""
    if client.value.is_public and "client_credentials" in client.value.grant_types:
        position = client.value.grant_types.index("client_credentials")
        message = "`client_credentials` is only for clients with a secret (RFC 6749 4.4)"
        remedy = "set `token_endpoint_auth_method: client_secret_basic` and add `client_secrets`"
        yield problem("OP218", client, ("grant_types", position), message, help=remedy)


def public_clients_use_pkce(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9700 2.1.1: without a secret only PKCE binds a code to who asked for it."""
    if client.value.is_public and client.value.op.require_pkce is False:
        message = "a public client must use PKCE (RFC 9700 2.1.1)"
        yield problem("OP224", client, ("op", "require_pkce"), message, help="remove this line")


def refresh_settings_agree(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A refresh token needs the grant type to be of use."""
    value = client.value
    if "refresh_token" in value.grant_types:
        elsewhere = grant_rules.gives_refresh_tokens(client, scene)
        if _REFRESHED.isdisjoint(value.grant_types) and not elsewhere:
            message = "there is nothing to refresh: no grant of this client issues a refresh token"
            path = ("grant_types", value.grant_types.index("refresh_token"))
            yield problem("OP226", client, path, message, help="remove it")
        return
    remedy = "add `refresh_token` to `grant_types`"
    if value.op.refresh_token == "always":
        message = "no refresh token is issued: the client lacks the grant type `refresh_token`"
        yield problem("OP226", client, ("op", "refresh_token"), message, help=remedy)
    elif "offline_access" in value.scope:
        message = "`offline_access` gives nothing: the client lacks the grant type `refresh_token`"
        yield problem("OP226", client, ("scope",), message, help=remedy)


def claims_in_id_token_are_released(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """What is wanted in the ID Token is a claim of a scope that the client may ask for."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    scopes = (profile.value.scopes[name] for name in client.value.scope if name in profile.value.scopes)
    released = tuple(dict.fromkeys(claim for scope in scopes for claim in scope.claims))
    for position, name in enumerate(client.value.op.claims_in_id_token):
        if name not in released:
            path = ("op", "claims_in_id_token", position)
            yield unknown("OP507", client, path, name, "claim of this client's scopes called", released)


def front_channel_is_meant(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9700 2.1.2: tokens in addresses end up in histories, logs and other people's pages."""
    for position, each in enumerate(client.value.response_types):
        words = frozenset(each.split(" "))
        if "token" in words:
            what = "access tokens"
        elif words == {"id_token"}:
            what = "ID Tokens with the user's claims"
        else:
            continue
        message = f"response type `{each}` puts {what} into addresses (RFC 9700 2.1.2)"
        remedy = "use `code` with PKCE, or accept it: op: {ignore: [{code: OP231, reason: ...}]}"
        yield problem("OP231", client, ("response_types", position), message, help=remedy)


def native_clients_ask(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 8252 8.6: any app can pretend to be this one, so silence would be given to any app."""
    value = client.value
    if value.is_public and value.application_type == "native" and value.op.consent == "skip_first_party":
        message = "a native app cannot prove who it is, so its users should be asked (RFC 8252 8.6)"
        yield problem("OP233", client, ("op", "consent"), message, help="use `consent: ask`")


def lifetimes_are_short(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9700 2.2, 4.10: what is stolen should soon be worthless."""
    ttl = client.value.op.ttl
    if ttl.access_token is not None and ttl.access_token > _LONGEST_ACCESS:
        message = f"access tokens that live {lengthy(ttl.access_token)} cannot be taken back in time"
        path = ("op", "ttl", "access_token")
        yield problem("OP251", client, path, message, help="use minutes, and refresh tokens for what is longer")
    for name in ("authorization_code", "access_token", "id_token"):
        if getattr(ttl, name) == 0:
            message = f"`{name}` would end before it begins"
            yield problem("OP254", client, ("op", "ttl", name), message, help="write a length such as 60s")


RULES: tuple[Rule[Client], ...] = (
    profile_exists,
    theme_exists,
    scopes_are_the_profiles,
    levels_are_the_profiles,
    response_types_are_the_profiles,
    grant_types_are_the_profiles,
    grant_types_fit_response_types,
    client_credentials_need_a_secret,
    public_clients_use_pkce,
    refresh_settings_agree,
    claims_in_id_token_are_released,
    front_channel_is_meant,
    native_clients_ask,
    lifetimes_are_short,
    *redirect_rules.RULES,
    *pairwise_rules.RULES,
    *client_secret_rules.RULES,
    *client_key_rules.CLIENT_RULES,
    *compat_rules.CLIENT_RULES,
    *response_crypto_rules.CLIENT_RULES,
    *logout_rules.CLIENT_RULES,
    *request_object_rules.CLIENT_RULES,
    *pushed_request_rules.CLIENT_RULES,
    *resource_rules.CLIENT_RULES,
    *details_rules.CLIENT_RULES,
    *sender_constraint_rules.CLIENT_RULES,
    *grant_rules.CLIENT_RULES,
    *security_profile_rules.CLIENT_RULES,
    *waiting_rules.CLIENT_RULES,
)
