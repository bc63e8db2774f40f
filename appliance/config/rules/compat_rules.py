"""Compatibility: what bends a specification is said out loud each time, and held within its bounds."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene, unknown
from appliance.protocol.client import Client
from appliance.protocol.scope import OPENID


def _bent(code: str, at: Object[object], path: Path, message: str, instead: str) -> Problem:
    """A warning about a bent specification, with the way to accept it."""
    accept = f"ignore: [{{code: {code}, reason: ...}}]"
    if at.family != "profiles":
        accept = f"op: {{{accept}}}"
    return problem(code, at, path, message, help=f"{instead}, or accept it: {accept}")


def loose_redirects_are_fenced(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9700 2.1: whoever leaves exact comparison keeps everything else."""
    value, path = client.value, ("op", "compat", "redirect_match")
    match = value.op.compat.redirect_match
    if match == "any_localhost_port" and not any(uri.startswith("http://localhost") for uri in value.redirect_uris):
        message = "there is no `http://localhost` address among the redirect URIs whose port could be any"
        yield problem("OP931", client, path, message, help="remove this line")
    if match != "ignore_query":
        return
    message = "this client may add a query to its redirect URIs (RFC 9700 2.1 asks for exact comparison)"
    yield _bent("OP921", client, path, message, "let it carry that in `state`")
    if value.response_types != ("code",):
        message = "only the response type `code` can be answered to a loosely matched address"
        yield problem("OP931", client, ("response_types",), message, help="write `response_types: [code]`")
    if value.op.require_pkce is False:
        message = "nothing but PKCE binds the code to who asked for it"
        yield problem("OP931", client, ("op", "require_pkce"), message, help="remove this line")
    for position, uri in enumerate(value.redirect_uris):
        if not uri.startswith("https://") or "?" in uri:
            message = f"`{uri[:100]}` is not an https address without a query, so none may be added to it"
            remedy = "register the address without its query; the client may add it"
            yield problem("OP931", client, ("redirect_uris", position), message, help=remedy)


def http_redirects_are_meant(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 3.1.2.1: http only for confidential clients of the code flow, and only by agreement."""
    if client.value.op.compat.http_redirects:
        message = "answers to this client may travel over http, where anyone on the way can read and change them"
        path = ("op", "compat", "http_redirects")
        yield _bent("OP923", client, path, f"{message} (RFC 9700 2.6)", "use https")


def password_grant_is_fenced(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9700 2.4: a grant that must not be used is at least asked for twice."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    if "password" not in value.grant_types:
        return
    path: Path = ("grant_types", value.grant_types.index("password"))
    if value.is_public:
        message = "a public client cannot be trusted with passwords of users"
        yield problem("OP932", client, path, message, help="give it a credential, or use `authorization_code`")
    elif not value.op.compat.password_grant:
        message = "the grant type `password` must be allowed by name"
        yield problem("OP932", client, path, message, help="add `op: {compat: {password_grant: true}}`")
    else:
        message = "users of this client give it their passwords (RFC 9700 2.4)"
        yield _bent("OP922", client, ("op", "compat", "password_grant"), message, "use `authorization_code`")
    if profile is None or not profile.value.acr or not value.default_acr_values:
        return
    if value.default_acr_values[0] != profile.value.acr[0].value:
        message = "a password alone proves the lowest level, and this client asks for another"
        yield problem("OP933", client, ("default_acr_values", 0), message, help="ask for the lowest level")


def access_token_claims_are_readable(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9068 2.2.2: claims of granted scopes, in tokens that can be read."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    path: Path = ("op", "claims_in_access_token")
    if value.op.claims_in_access_token and value.op.access_token_format != "jwt":
        message = "opaque access tokens carry no claims"
        yield problem("OP928", client, path, message, help="set `access_token_format: jwt`", key=True)
    scopes = profile.value.scopes if profile is not None else {}
    released = tuple(dict.fromkeys(claim for name in value.scope if name in scopes for claim in scopes[name].claims))
    for position, name in enumerate(value.op.claims_in_access_token if profile is not None else ()):
        if name not in released:
            yield unknown("OP507", client, (*path, position), name, "claim of this client's scopes called", released)


def client_keeps_to_oauth(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A profile that is no OpenID Provider has no `openid`."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is not None and not profile.value.openid_connect and OPENID in client.value.scope:
        message = f"profile `{profile.id}` is no OpenID Provider, so there is no scope `openid`"
        path = ("scope",) if "scope" in client.written else ()
        yield problem("OP934", client, path, message, help="write the client's other scopes in `scope`")


def client_day_has_not_come(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """An exception with an end is mended at its end."""
    yield from _ended(client, client.value.op.compat.until, ("op", "compat", "until"), scene)


def profile_day_has_not_come(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """An exception with an end is mended at its end."""
    yield from _ended(profile, profile.value.compat.until, ("compat", "until"), scene)


def _ended(at: Object[object], until: int | None, path: Path, scene: Scene) -> Iterator[Problem]:
    if until is not None and until <= scene.now:
        message = "these departures were to be needed until this day only"
        yield problem("OP913", at, path, message, help="remove them, or agree on another day")


def exceptions_are_meant(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What bends a specification for all clients is said each time."""
    value = profile.value
    if value.compat.consent_parameter:
        message = "a parameter `consent` is read, which the standard does not have (RFC 6749 3.1)"
        yield _bent("OP925", profile, ("compat", "consent_parameter"), message, "let clients send `prompt=consent`")
    if value.compat.assertion_exp_unit != "seconds":
        message = "`exp` of client assertions may count milliseconds (RFC 7519 2 has seconds)"
        yield _bent("OP927", profile, ("compat", "assertion_exp_unit"), message, "mend the clients")
    if value.compat.legacy_logout is not None:
        message = "a second logout address is there that no specification has"
        instead = "let clients use `/logout` with `id_token_hint`"
        yield _bent("OP941", profile, ("compat", "legacy_logout"), message, instead)
    if value.compat.path_aliases:
        message = "endpoints answer at further paths, which metadata does not name (RFC 8414 3.3)"
        yield _bent("OP942", profile, ("compat", "path_aliases"), message, "let clients read the metadata")
    if value.compat.introspection_accepts_id_tokens:
        message = "introspection answers for ID Tokens, which are no access tokens (RFC 7662 2.1)"
        path = ("compat", "introspection_accepts_id_tokens")
        yield _bent("OP943", profile, path, message, "let clients verify them by `/jwks`")
    if not value.discovery:
        message = "no metadata is published (OpenID Connect Discovery 4, RFC 8414 3)"
        yield _bent("OP926", profile, ("discovery",), message, "publish it")


def password_grant_can_succeed(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """The grant stands in for the login of the lowest level, which must be a password and no more."""
    value, linked = profile.value, scene.linked
    if "password" not in value.grant_types_supported:
        return
    position = value.grant_types_supported.index("password")
    if not value.compat.password_grant:
        message = "the grant type `password` must be allowed by name"
        path: Path = ("grant_types_supported", position)
        yield problem("OP932", profile, path, message, help="add `compat: {password_grant: true}` (RFC 9700 2.4)")
    policy = linked.policies.get(value.acr[0].policy) if value.acr else None
    steps = policy.value.steps if policy is not None else ()
    kinds = [found.value.kind for step in steps if (found := linked.authenticators.get(step.authenticate))]
    if len(kinds) == len(steps) and kinds not in ([], ["password"]):
        message = f"policy `{value.acr[0].policy}` of the lowest level is not one step of kind `password`"
        remedy = "put a level before it that a password alone proves, or leave out the grant type `password`"
        yield problem("OP933", profile, ("acr", 0, "policy"), message, help=remedy)


def profile_keeps_to_oauth(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Without OpenID Connect no response type has an ID Token."""
    value = profile.value
    for position, each in enumerate(value.response_types_supported if not value.openid_connect else ()):
        if "id_token" in each.split(" "):
            message = f"response type `{each}` has an ID Token, and this profile is no OpenID Provider"
            path = ("response_types_supported", position)
            yield problem("OP934", profile, path, message, help="remove it, or the line `openid_connect: false`")


def scopes_are_of_one_type(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A scope is about the user or about a resource; one that selects a policy selects one that is there."""
    linked = scene.linked
    for name, each in profile.value.scopes.items():
        if each.type == "resource" and each.claims:
            message = f"scope `{name}` releases claims of the user, so it is not about a resource alone"
            yield problem("OP935", profile, ("scopes", name, "claims"), message, help="make it `type: identity`")
        if each.selects_policy is None:
            continue
        path = ("scopes", name, "selects_policy")
        message = f"asking for scope `{name}` changes how users log in (RFC 6749 3.3)"
        yield _bent("OP924", profile, path, message, "let clients send `acr_values`")
        if each.selects_policy not in linked.policies and linked.complete("policies"):
            yield unknown("OP313", profile, path, each.selects_policy, "policy", linked.policies)


CLIENT_RULES: tuple[Rule[Client], ...] = (
    loose_redirects_are_fenced,
    http_redirects_are_meant,
    password_grant_is_fenced,
    access_token_claims_are_readable,
    client_keeps_to_oauth,
    client_day_has_not_come,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (
    exceptions_are_meant,
    password_grant_can_succeed,
    profile_keeps_to_oauth,
    scopes_are_of_one_type,
    profile_day_has_not_come,
)
