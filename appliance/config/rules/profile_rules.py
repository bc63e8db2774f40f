"""Profiles: the issuer, what is offered together, lifetimes, and what they refer to."""

import re
from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Problem
from appliance.config.rules import (
    client_key_rules,
    compat_rules,
    details_rules,
    key_rules,
    level_rules,
    logout_rules,
    pushed_request_rules,
    request_object_rules,
    resource_rules,
    response_crypto_rules,
    subject_rules,
)
from appliance.config.rules.rule import DAY, Rule, Scene, host_of, is_loopback, lengthy, unknown
from appliance.protocol import redirect_uri, response_type

_ISSUER = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?")
# First segments of paths that each profile has below its issuer.
_OWN_PATHS = frozenset(
    {
        *("authorize", "login", "otp", "consent", "accounts", "token", "userinfo", "jwks", "logout"),
        *("consents", "assets", "introspect", "revoke", "register", "grants", "check_session", "sign_up", "par"),
    }
)


def issuer_is_sound(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Discovery 1.0 3: https, without query and fragment; http is for this very machine."""
    issuer = profile.value.issuer
    path = ("issuer",)
    if "?" in issuer or "#" in issuer:
        message = "an issuer has neither query nor fragment (Discovery 1.0 3)"
        yield problem("OP242", profile, path, message, help=f"write {re.split('[?#]', issuer)[0]}")
    elif not _ISSUER.fullmatch(issuer):
        message = "an issuer is an absolute https URL with plain segments"
        yield problem("OP241", profile, path, message, help="for example https://login.example.com/retail")
    elif issuer.startswith("http:") and not is_loopback(host_of(redirect_uri.origin(issuer) or "http://")):
        message = "an issuer on another machine than this must be https (Discovery 1.0 3)"
        remedy = "write the address that browsers see; behind a proxy that is https too"
        yield problem("OP241", profile, path, message, help=remedy)
    elif "/.well-known" in issuer:
        message = "an issuer's path may not contain `.well-known`: clients put that there themselves"
        yield problem("OP244", profile, path, message, help=f"write {issuer.partition('/.well-known')[0]}")
    elif issuer.endswith("/"):
        message = "an issuer is compared to the character; clients often lose a slash at its end"
        yield problem("OP243", profile, path, message, help=f"write {issuer.rstrip('/')}")
    elif issuer.partition("://")[2].partition("/")[0] != issuer.partition("://")[2].partition("/")[0].lower():
        message = "browsers and clients write host names in lower case, and issuers are compared to the character"
        yield problem("OP246", profile, path, message, help="write the host in lower case")


def issuer_is_its_own(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """One issuer, one profile; and no issuer where another has its endpoints."""
    own = profile.value.issuer.rstrip("/").lower()
    for other in scene.linked.profiles.values():
        theirs = other.value.issuer.rstrip("/").lower()
        if other.id == profile.id:
            continue
        mark = label(other.where(("issuer",)), f"profile `{other.id}`")
        if own == theirs and profile.id > other.id:
            message = f"profile `{other.id}` has this issuer already"
            remedy = "give each profile a path of its own"
            yield problem("OP245", profile, ("issuer",), message, help=remedy, secondary=(mark,))
        elif own.startswith(f"{theirs}/") and own[len(theirs) + 1 :].partition("/")[0] in _OWN_PATHS:
            message = f"profile `{other.id}` has an endpoint at this address"
            yield problem("OP245", profile, ("issuer",), message, help="choose another path", secondary=(mark,))


def claims_set_exists(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Its claims set is there."""
    name, linked = profile.value.claims, scene.linked
    if name not in linked.claims and linked.complete("claims"):
        yield unknown("OP312", profile, ("claims",), name, "claims set", linked.claims)


def theme_exists(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Its theme is there."""
    name, linked = profile.value.theme, scene.linked
    if name not in linked.themes and linked.complete("themes"):
        yield unknown("OP317", profile, ("theme",), name, "theme", linked.themes)


def front_channel_has_a_mode(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Multiple Response Types 5: tokens in an address stand in the fragment, never in the query."""
    value = profile.value
    front = [each for each in value.response_types_supported if response_type.carries_tokens(_words(each))]
    if front and "fragment" not in value.response_modes_supported:
        message = f"response type `{front[0]}` answers in the fragment by default, which is not offered"
        remedy = "add `response_modes_supported: [query, fragment, form_post]`"
        path = ("response_modes_supported",) if "response_modes_supported" in profile.written else (
            "response_types_supported", value.response_types_supported.index(front[0]),
        )  # fmt: skip
        yield problem("OP248", profile, path, message, help=remedy)


def response_types_have_grants(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """OpenID Connect Registration 2: no client could use such a response type."""
    value = profile.value
    for position, each in enumerate(value.response_types_supported):
        needed = {"authorization_code"} if "code" in _words(each) else set()
        needed |= {"implicit"} if response_type.carries_tokens(_words(each)) else set()
        if missing := sorted(needed - set(value.grant_types_supported)):
            names = " and ".join(f"`{name}`" for name in missing)
            message = f"response type `{each}` needs grant type {names}"
            path = ("response_types_supported", position)
            yield problem("OP249", profile, path, message, help=f"add {names} to `grant_types_supported`")


def front_channel_is_used(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 9700 2.1.2: an offer that no client needs is only an attacker's."""
    clients = [each.value for each in scene.linked.clients.values() if each.value.op.profile == profile.id]
    used = {name for each in clients for name in each.response_types}
    for position, each in enumerate(profile.value.response_types_supported):
        if "token" in _words(each) and each not in used and scene.linked.complete("clients"):
            message = f"no client uses response type `{each}`, which puts access tokens into addresses"
            path = ("response_types_supported", position)
            yield problem("OP232", profile, path, message, help="take it away (RFC 9700 2.1.2)")


def lifetimes_make_sense(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Nothing ends before it begins, nothing idles longer than it lives."""
    ttl = profile.value.ttl
    for name in ("authorization_code", "access_token", "id_token", "interaction"):
        if getattr(ttl, name) == 0:
            message = f"`{name}` would end before it begins"
            yield problem("OP254", profile, ("ttl", name), message, help="write a length such as 60s")
    for name, one in (("refresh_token", ttl.refresh_token), ("session", ttl.session)):
        if one.idle > one.absolute:
            message = f"idle for {lengthy(one.idle)} is longer than the whole life of {lengthy(one.absolute)}"
            yield problem("OP252", profile, ("ttl", name, "idle"), message, help="make `idle` the shorter one")


def lifetimes_are_short(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 6749 4.1.2, RFC 9700 2.2: what is stolen should soon be worthless."""
    ttl = profile.value.ttl
    limits = (("authorization_code", 600, "minutes at most (RFC 6749 4.1.2)"),
              ("access_token", DAY, "use minutes, and refresh tokens for what is longer"),
              ("id_token", DAY, "an ID Token is read once, right after the login"))  # fmt: skip
    for name, most, remedy in limits:
        if (seconds := getattr(ttl, name)) > most:
            message = f"`{name}` lives {lengthy(seconds)}; whoever steals one has as long"
            yield problem("OP251", profile, ("ttl", name), message, help=remedy)


def _words(each: str) -> frozenset[str]:
    return frozenset(each.split(" "))


RULES: tuple[Rule[Profile], ...] = (
    issuer_is_sound,
    issuer_is_its_own,
    claims_set_exists,
    theme_exists,
    front_channel_has_a_mode,
    response_types_have_grants,
    front_channel_is_used,
    lifetimes_make_sense,
    lifetimes_are_short,
    *key_rules.RULES,
    *client_key_rules.PROFILE_RULES,
    *compat_rules.PROFILE_RULES,
    *level_rules.RULES,
    *response_crypto_rules.PROFILE_RULES,
    *logout_rules.PROFILE_RULES,
    *request_object_rules.PROFILE_RULES,
    *pushed_request_rules.PROFILE_RULES,
    *resource_rules.PROFILE_RULES,
    *details_rules.PROFILE_RULES,
    *subject_rules.RULES,
)
