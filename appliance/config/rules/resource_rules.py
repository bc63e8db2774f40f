"""Resources and scopes as policy (RFC 8707, RFC 6749 3.3): what is named is there, and who has it by default may."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.declared.resources import Resource
from appliance.config.linking import Object, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import DAY, Rule, Scene, lengthy, unknown
from appliance.protocol.client import Client
from appliance.protocol.scope import OFFLINE_ACCESS, OPENID


def scopes_are_declared(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A resource has scopes of the profile, and none that are about the login."""
    scopes = profile.value.scopes
    for identifier, each in profile.value.resources.items():
        for position, name in enumerate(each.scopes):
            path = ("resources", identifier, "scopes", position)
            if name in (OPENID, OFFLINE_ACCESS):
                message = f"`{name}` means nothing at a resource server"
                yield problem("OP375", profile, path, message, help="remove it")
            elif name not in scopes:
                yield unknown("OP318", profile, path, name, "scope in this profile called", scopes)


def claims_are_released(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What the tokens of a resource are to carry is a claim of some scope."""
    released = tuple(dict.fromkeys(name for scope in profile.value.scopes.values() for name in scope.claims))
    for identifier, each in profile.value.resources.items():
        for position, name in enumerate(each.claims):
            if name not in released:
                path = ("resources", identifier, "claims", position)
                yield unknown("OP507", profile, path, name, "claim of any scope called", released)


def tokens_can_be_made(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """They are signed with a key that is there, live for some time, and are not those of the issuer itself."""
    value = profile.value
    algorithms = tuple(dict.fromkeys(entry.alg for entry in value.keys.signing))
    for identifier, each in value.resources.items():
        path = ("resources", identifier)
        alg = each.access_token_signing_alg
        if identifier == value.issuer:
            message = "the issuer is a resource already, and the profile says what its tokens are like"
            yield problem("OP379", profile, path, message, help="remove it", key=True)
        if alg is not None and each.access_token_format == "opaque":
            message = f"opaque tokens are not signed, with `{alg}` or at all"
            remedy = "remove one of the two lines"
            yield problem("OP377", profile, (*path, "access_token_signing_alg"), message, help=remedy)
        elif alg is not None and alg not in algorithms:
            message = f"the profile has no signing key for `{alg}`"
            remedy = f"it has: {', '.join(algorithms)}; or add {{alg: {alg}}} to `keys.signing`"
            yield problem("OP376", profile, (*path, "access_token_signing_alg"), message, help=remedy)
        yield from _lifetime(profile, identifier, each)


def _lifetime(profile: Object[Profile], identifier: str, each: Resource) -> Iterator[Problem]:
    path = ("resources", identifier, "access_token_ttl")
    if each.access_token_ttl == 0:
        message = "its access tokens would end before they begin"
        yield problem("OP254", profile, path, message, help="write a length such as 5m")
    elif each.access_token_ttl is not None and each.access_token_ttl > DAY:
        message = f"access tokens that live {lengthy(each.access_token_ttl)} cannot be taken back in time"
        yield problem("OP251", profile, path, message, help="use minutes, and refresh tokens for what is longer")


def resource_servers_can_introspect(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 7662 2.1: who asks is a client that proves who it is, at an endpoint that is there."""
    clients = {name: each for name, each in scene.linked.clients.items() if each.value.op.profile == profile.id}
    for identifier, each in profile.value.resources.items():
        for position, name in enumerate(each.introspection_clients):
            path = ("resources", identifier, "introspection_clients", position)
            if name not in clients:
                if scene.linked.complete("clients"):
                    yield unknown("OP378", profile, path, name, "client of this profile called", clients)
            elif clients[name].value.is_public:
                message = f"client `{name}` is public and may not introspect (RFC 7662 2.1)"
                yield problem("OP378", profile, path, message, help="give it a credential")
            elif not profile.value.endpoints.introspection:
                message = "there is no introspection endpoint that it could ask"
                yield problem("OP378", profile, path, message, help="add `endpoints: {introspection: true}`")


def default_scopes_are_declared(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What requests without `scope` are for exists."""
    listed = isinstance(profile.written.get("default_scope"), list)
    for position, name in enumerate(profile.value.default_scope or ()):
        if name not in profile.value.scopes:
            path = ("default_scope", position) if listed else ("default_scope",)
            yield unknown("OP318", profile, path, name, "scope in this profile called", profile.value.scopes)


def resources_are_the_profiles(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Each resource that a client may name is one of its profile; so is its default, and the client may have it."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    declared, kind = profile.value.resources, f"resource in profile `{profile.id}` called"
    for position, identifier in enumerate(value.op.resources or ()):
        if identifier not in declared:
            yield unknown("OP380", client, ("op", "resources", position), identifier, kind, declared)
    default, path = value.op.default_resource, ("op", "default_resource")
    if default is None or default == profile.value.issuer:
        return
    if default not in declared:
        yield unknown("OP380", client, path, default, kind, declared)
    elif value.op.resources is not None and default not in value.op.resources:
        message = "the default is none of the client's `resources`"
        yield problem("OP381", client, path, message, help="add it there, or name one of them")
    elif value.op.resources is None and set(declared[default].scopes).isdisjoint(value.scope):
        message = "the client may have no scope of this resource, and so no token for it"
        yield problem("OP381", client, path, message, help="add a scope of it to `scope`, or name it in `op.resources`")


def default_scopes_are_the_clients(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """What requests without `scope` are for is the client's to ask."""
    written = client.written.get("op")
    listed = isinstance(written, dict) and isinstance(written.get("default_scope"), list)
    for position, name in enumerate(client.value.op.default_scope or ()):
        if name not in client.value.scope:
            path = ("op", "default_scope", position) if listed else ("op", "default_scope")
            message = f"`{name}` is none of the client's scopes"
            yield problem("OP381", client, path, message, help="add it to `scope`, or leave it out here")


PROFILE_RULES: tuple[Rule[Profile], ...] = (
    scopes_are_declared,
    claims_are_released,
    tokens_can_be_made,
    resource_servers_can_introspect,
    default_scopes_are_declared,
)
CLIENT_RULES: tuple[Rule[Client], ...] = (resources_are_the_profiles, default_scopes_are_the_clients)
