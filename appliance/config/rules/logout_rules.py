"""Logout: addresses of clients that can be told, and the additional paths of a profile."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene, host_of, is_loopback
from appliance.protocol import redirect_uri
from appliance.protocol.client import Client

# First segments of paths that each profile may have below its issuer.
_OWN_PATHS = frozenset(
    {
        *("authorize", "login", "otp", "consent", "accounts", "token", "userinfo", "jwks", "logout", "consents"),
        *("assets", "introspect", "revoke", "register", "check_session", "sign_up", ".well-known"),
        *("device", "device_authorization", "approval", "approvals", "backchannel_authentication"),
    }
)


def backchannel_uri_can_be_reached(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Back-Channel Logout 2.2: over TLS, as whoever reads a logout token learns who was logged in where."""
    uri, outbound = client.value.backchannel_logout_uri, scene.linked.root.value.outbound
    path: Path = ("backchannel_logout_uri",)
    if uri is None:
        return
    origin = redirect_uri.origin(uri) or ""
    at_home = bool(origin) and is_loopback(host_of(origin))
    if "#" in uri:
        yield problem("OP291", client, path, "a fragment is never sent", help="leave it out")
    elif at_home and not outbound.allow_loopback:
        message = "this address is on this very machine, which is not asked"
        remedy = "for development: `outbound: {allow_loopback: true}` in op.yaml"
        yield problem("OP291", client, path, message, help=remedy)
    elif not at_home and uri.startswith("http:"):
        message = "clients are told over https only"
        yield problem("OP291", client, path, message, help="use https")


def frontchannel_uri_is_the_clients(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Front-Channel Logout 2: scheme, host and port of a redirect URI."""
    uri = client.value.frontchannel_logout_uri
    path: Path = ("frontchannel_logout_uri",)
    if uri is None:
        return
    if "#" in uri:
        yield problem("OP291", client, path, "what is added to it would be a part of the fragment", help="leave it out")
        return
    origins = {redirect_uri.origin(each) for each in client.value.redirect_uris}
    if redirect_uri.origin(uri) not in origins:
        message = "no redirect URI has this scheme, host and port (Front-Channel Logout 1.0 2)"
        yield problem("OP291", client, path, message, help="log out where users come back from their login")


def logout_uris_have_an_effect(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A client that waits to be told by a profile that tells nobody."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    offered = profile.value.logout
    kinds = (
        ("backchannel", client.value.backchannel_logout_uri, offered.backchannel),
        ("frontchannel", client.value.frontchannel_logout_uri, offered.frontchannel),
    )
    for kind, uri, there in kinds:
        if uri is not None and not there:
            message = f"profile `{profile.id}` does not offer {kind} logout, so nobody calls this address"
            remedy = f"add `logout: {{{kind}: true}}` to the profile"
            yield problem("OP294", client, (f"{kind}_logout_uri",), message, help=remedy)


def compat_paths_are_free(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A path answers for one endpoint."""
    compat = profile.value.compat
    paths: list[tuple[Path, str]] = [(("compat", "path_aliases", path), path) for path in compat.path_aliases]
    if compat.legacy_logout is not None:
        paths.append((("compat", "legacy_logout", "path"), compat.legacy_logout.path))
    seen: set[str] = set()
    for where, path in paths:
        if path.split("/")[1] in _OWN_PATHS or path in seen:
            message = f"`{path}` is taken already"
            yield problem("OP292", profile, where, message, help="choose another path")
        seen.add(path)


def logout_paths_are_offered(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Another way to an endpoint needs the endpoint."""
    compat, offered = profile.value.compat, profile.value.logout.rp_initiated
    paths: list[Path] = [
        ("compat", "path_aliases", path)
        for path, name in compat.path_aliases.items()
        if name == "end_session_endpoint"
    ]
    if compat.legacy_logout is not None:
        paths.append(("compat", "legacy_logout"))
    for where in paths if not offered else ():
        message = "this profile has no logout by clients, to which this would be another way"
        yield problem("OP293", profile, where, message, help="set `logout: {rp_initiated: true}`")


CLIENT_RULES: tuple[Rule[Client], ...] = (
    backchannel_uri_can_be_reached,
    frontchannel_uri_is_the_clients,
    logout_uris_have_an_effect,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (compat_paths_are_free, logout_paths_are_offered)
