"""Token exchange, trusted issuers, grant management: whoever is named is there, and whatever is offered can be used."""

from collections.abc import Iterator

from appliance.config.declared.grants import ExchangePolicy
from appliance.config.declared.profile import Profile
from appliance.config.faults import suggestion
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.client_key_rules import key_faults, uri_faults
from appliance.config.rules.rule import Rule, Scene, lengthy, unknown
from appliance.protocol.client import Client

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_MANAGEMENT_SCOPES = {"query": "grant_management_query", "revoke": "grant_management_revoke"}
_LONGEST_ASSERTION = 3600


def issuers_are_others(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Somebody else, whose keys are in one place, public and sound, and whose users are in a source."""
    linked, own = scene.linked, profile.value.issuer
    for issuer, each in profile.value.trusted_issuers.items():
        at: Path = ("trusted_issuers", issuer)
        if issuer == own:
            message = "this is the profile's own issuer"
            yield problem("OP366", profile, at, message, help="remove it", key=True)
        if each.jwks is None and each.jwks_uri is None:
            message = "nothing tells its public keys"
            yield problem("OP361", profile, at, message, help="add `jwks_uri`, or `jwks` with the keys", key=True)
        elif each.jwks is not None and each.jwks_uri is not None:
            message = "`jwks` and `jwks_uri` are both there"
            remedy = "keep `jwks_uri` if the issuer publishes its keys, else `jwks`"
            yield problem("OP256", profile, (*at, "jwks_uri"), message, help=remedy, key=True)
        yield from key_faults(profile, (*at, "jwks"), each.jwks)
        yield from uri_faults(profile, (*at, "jwks_uri"), each.jwks_uri, scene)
        if each.source not in linked.sources and linked.complete("sources"):
            yield unknown("OP316", profile, (*at, "source"), each.source, "source", linked.sources)
        if each.max_lifetime > _LONGEST_ASSERTION:
            message = f"assertions of {lengthy(each.max_lifetime)} can be used as long by whoever steals one"
            yield problem("OP251", profile, (*at, "max_lifetime"), message, help="minutes are enough")
        yield from _scopes(profile, (*at, "scope"), each.scope)
        yield from _clients(profile, (*at, "clients"), each.clients, scene, JWT_BEARER)


def policies_are_whole(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Each policy names clients, scopes and issuers that are there, and takes something."""
    for position, policy in enumerate(profile.value.token_exchange.policies):
        at: Path = ("token_exchange", "policies", position)
        yield from _clients(profile, (*at, "clients"), policy.clients, scene, EXCHANGE)
        yield from _clients(profile, (*at, "subject", "clients"), policy.subject.clients, scene)
        yield from _clients(profile, (*at, "actor_clients"), policy.actor_clients, scene)
        yield from _scopes(profile, (*at, "scope"), policy.scope)
        yield from _subject(profile, (*at, "subject"), policy)
        if policy.sender_constrained:
            message = "whoever exchanges a bound token proves nothing of its key"
            remedy = "remove it, or accept it: ignore: [{code: OP368, reason: ...}]"
            yield problem("OP368", profile, (*at, "sender_constrained"), message, help=remedy)


def _subject(profile: Object[Profile], at: Path, policy: ExchangePolicy) -> Iterator[Problem]:
    subject = policy.subject
    issuers = profile.value.trusted_issuers
    for position, name in enumerate(subject.issuers):
        if name not in issuers:
            yield unknown("OP365", profile, (*at, "issuers", position), name, "trusted issuer", issuers)
    own = {"access_token", "id_token"} & set(subject.token_types)
    if own and not subject.clients:
        message = f"no client's {' or '.join(f'`{each}`' for each in sorted(own))} is taken"
        yield problem("OP364", profile, at, message, help="add `clients: [...]`", key=True)
    if "jwt" in subject.token_types and not subject.issuers:
        yield problem("OP364", profile, at, "nobody's `jwt` is taken", help="add `issuers: [...]`", key=True)


def _scopes(profile: Object[Profile], at: Path, names: tuple[str, ...]) -> Iterator[Problem]:
    for position, name in enumerate(names):
        if name not in profile.value.scopes:
            kind = f"scope in profile `{profile.id}` called"
            yield unknown("OP318", profile, (*at, position), name, kind, profile.value.scopes)


def _clients(
    profile: Object[Profile], at: Path, names: tuple[str, ...], scene: Scene, grant_type: str | None = None
) -> Iterator[Problem]:
    """Each is a client of this profile; and, where it is to use a grant type, one that can."""
    linked = scene.linked
    own = {name: each for name, each in linked.clients.items() if each.value.op.profile == profile.id}
    for position, name in enumerate(names):
        client = own.get(name)
        if client is None:
            if linked.complete("clients"):
                yield unknown("OP362", profile, (*at, position), name, "client of this profile called", own)
        elif grant_type is not None and client.value.is_public:
            message = f"`{name}` is a public client"
            yield problem("OP363", profile, (*at, position), message, help="give it a secret or a key")
        elif grant_type is not None and grant_type not in client.value.grant_types:
            message = f"`{name}` has not this grant type"
            yield problem("OP363", profile, (*at, position), message, help=f"add `{grant_type}` to its `grant_types`")


def grants_have_terms(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A grant type that is offered is allowed to somebody; the reverse is told of the clients that are named."""
    value = profile.value
    offered = value.grant_types_supported
    if EXCHANGE in offered and not value.token_exchange.policies:
        path: Path = ("grant_types_supported", offered.index(EXCHANGE))
        remedy = "add `token_exchange: {policies: [...]}`"
        yield problem("OP367", profile, path, "no policy allows any exchange", help=remedy)
    if JWT_BEARER in offered and not any(each.clients for each in value.trusted_issuers.values()):
        path = ("grant_types_supported", offered.index(JWT_BEARER))
        remedy = "add `trusted_issuers`, with the `clients` of each"
        yield problem("OP367", profile, path, "no client may bring an assertion", help=remedy)


def management_is_possible(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Grant Management 6.1: the tokens for it have scopes of their own."""
    value = profile.value
    for position, action in enumerate(value.grant_management.actions):
        scope = _MANAGEMENT_SCOPES.get(action)
        if scope is not None and scope not in value.scopes:
            message = f"this needs the scope `{scope}`, which the profile does not have"
            remedy = f"add `{scope}: {{type: resource, consent: false}}` to `scopes`"
            yield problem("OP369", profile, ("grant_management", "actions", position), message, help=remedy)


def userinfo_level_exists(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What UserInfo asks for is a level that a login can have."""
    values = [level.value for level in profile.value.acr]
    asked = profile.value.userinfo.acr
    if asked is not None and asked not in values:
        message = f"`{asked}` is not an ACR level of this profile"
        yield problem("OP305", profile, ("userinfo", "acr"), message, help=suggestion(asked, values))


def gives_refresh_tokens(client: Object[Client], scene: Scene) -> bool:
    """Whether a token exchange gives the client refresh tokens."""
    profile = scene.profile_of(client.value.op.profile)
    policies = profile.value.token_exchange.policies if profile is not None else ()
    return any(each.refresh_token and client.id in each.clients for each in policies)


def clients_may_use_their_grants(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A client with such a grant type is named by somebody."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    value = profile.value
    allowed = {
        EXCHANGE: any(client.id in each.clients for each in value.token_exchange.policies),
        JWT_BEARER: any(client.id in each.clients for each in value.trusted_issuers.values()),
    }
    for position, name in enumerate(client.value.grant_types):
        if name in value.grant_types_supported and not allowed.get(name, True):
            message = f"nothing in profile `{profile.id}` lets this client use the grant type"
            where = "`token_exchange.policies`" if name == EXCHANGE else "`clients` of a trusted issuer"
            yield problem("OP367", client, ("grant_types", position), message, help=f"name it in {where}")


PROFILE_RULES: tuple[Rule[Profile], ...] = (
    issuers_are_others,
    policies_are_whole,
    grants_have_terms,
    management_is_possible,
    userinfo_level_exists,
)
CLIENT_RULES: tuple[Rule[Client], ...] = (clients_may_use_their_grants,)
