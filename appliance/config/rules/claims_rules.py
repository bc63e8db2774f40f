"""Claims sets and scopes: what is promised is mapped, what is mapped can be had, and nobody forges ours."""

from collections.abc import Iterator, Mapping

from appliance.config import expressions
from appliance.config.declared.claims import ClaimsSet, Const
from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene, unknown

# Core 5.1.
STANDARD_CLAIMS = frozenset(
    {
        *("sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "email", "email_verified", "gender", "birthdate", "zoneinfo"),
        *("locale", "phone_number", "phone_number_verified", "address", "updated_at"),
    }
)
# Written by the provider alone (RFC 8725 3.10).
RESERVED = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp"),
        *("at_hash", "c_hash", "s_hash", "sid", "cnf", "act", "may_act", "client_id", "scope", "events"),
        *("txn", "sub_jwk", "_claim_names", "_claim_sources"),
    }
)
STANDARD_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})


def sources_exist(claims: Object[ClaimsSet], scene: Scene) -> Iterator[Problem]:
    """Each name stands for a declared source."""
    linked = scene.linked
    for alias, name in claims.value.sources.items():
        if name not in linked.sources and linked.complete("sources"):
            yield unknown("OP316", claims, ("sources", alias), name, "source", linked.sources)


def paths_begin_at_a_source(claims: Object[ClaimsSet], scene: Scene) -> Iterator[Problem]:
    """The first word of a path is one of the set's own names for sources."""
    known = claims.value.sources
    used: set[str] = set()
    for place, written in _expressions(claims.written):
        for at, path in expressions.read_all(written).paths:
            used.add(path.source)
            if path.source not in known:
                yield unknown("OP504", claims, (*place, *at), path.source, "source in this set called", known)
    for alias in known.keys() - used - _used_by_profiles(claims, scene):
        message = f"no expression uses `{alias}`"
        yield problem("OP505", claims, ("sources", alias), message, help="remove it", key=True)


def _expressions(written: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    yield ("subject",), written.get("subject", {})
    claims = written.get("claims", {})
    for name, each in claims.items() if isinstance(claims, Mapping) else ():
        yield ("claims", str(name)), each


def _used_by_profiles(claims: Object[ClaimsSet], scene: Scene) -> set[str]:
    subjects = [
        each.written.get("subject") for each in scene.linked.profiles.values() if each.value.claims == claims.id
    ]
    return {path.source for each in subjects if each for _, path in expressions.read_all(each).paths}


def claims_are_not_ours(claims: Object[ClaimsSet], scene: Scene) -> Iterator[Problem]:
    """RFC 8725 3.10: a mapping must not be able to write `iss`, `sub` or `acr`."""
    for name in claims.value.claims:
        if name.partition("#")[0] in RESERVED:
            message = f"`{name}` is written by the provider itself"
            remedy = "`subject` is what `sub` is made from" if name == "sub" else "choose another name"
            yield problem("OP508", claims, ("claims", name), message, help=remedy, key=True)


def verification_is_looked_up(claims: Object[ClaimsSet], scene: Scene) -> Iterator[Problem]:
    """Core 5.7: clients join accounts by verified addresses; a constant says so of everybody's."""
    for name in ("email_verified", "phone_number_verified"):
        each = claims.value.claims.get(name)
        if isinstance(each, Const) and each.value is True:
            message = f"`{name}` is true for everybody, verified or not"
            remedy = "take it from the source, or leave it out"
            yield problem("OP514", claims, ("claims", name), message, help=remedy)


def subject_begins_at_a_source(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A profile's own subject is looked up in the sources of its claims set."""
    claims = scene.linked.claims.get(profile.value.claims)
    if claims is None or profile.value.subject is None:
        return
    known = claims.value.sources
    for at, path in expressions.read_all(profile.written.get("subject")).paths:
        if path.source not in known:
            yield unknown("OP504", profile, ("subject", *at), path.source, "source in its claims set called", known)


def scopes_release_mapped_claims(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A claim that is neither standard nor mapped is a slip of the pen."""
    claims = scene.linked.claims.get(profile.value.claims)
    if claims is None:
        return
    mapped = claims.value.claims
    for scope, settings in profile.value.scopes.items():
        for position, name in enumerate(settings.claims):
            path = ("scopes", scope, "claims", position)
            if name in RESERVED:
                yield problem("OP508", profile, path, f"`{name}` is written by the provider itself", help="remove it")
            elif name not in mapped and name not in STANDARD_CLAIMS:
                yield unknown("OP506", profile, path, name, f"claim in claims set `{claims.id}` called", mapped)


def scopes_are_explained(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """The consent page can say what a scope of your own means only if you tell it."""
    if "openid" not in profile.value.scopes and profile.value.openid_connect:
        message = "without scope `openid` this profile is OAuth only: no ID Tokens, no UserInfo"
        yield problem("OP510", profile, ("scopes",), message, help="add `openid: {}`", key=True)
    for scope, settings in profile.value.scopes.items():
        asked = settings.consent and settings.selects_policy is None
        if scope not in STANDARD_SCOPES and asked and not settings.description:
            message = f"users are asked about scope `{scope}` but not told what it is"
            remedy = "add `description: {en: ...}`, or `consent: false` if they need not be asked"
            yield problem("OP511", profile, ("scopes", scope), message, help=remedy, key=True)


def claims_in_id_token_are_released(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What is wanted in the ID Token is a claim of some scope."""
    released = tuple(dict.fromkeys(name for scope in profile.value.scopes.values() for name in scope.claims))
    for position, name in enumerate(profile.value.claims_in_id_token):
        if name not in released:
            path = ("claims_in_id_token", position)
            yield unknown("OP507", profile, path, name, "claim of any scope called", released)


CLAIMS_RULES: tuple[Rule[ClaimsSet], ...] = (
    sources_exist,
    paths_begin_at_a_source,
    claims_are_not_ours,
    verification_is_looked_up,
)

PROFILE_RULES: tuple[Rule[Profile], ...] = (
    subject_begins_at_a_source,
    scopes_release_mapped_claims,
    scopes_are_explained,
    claims_in_id_token_are_released,
)
