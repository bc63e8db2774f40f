"""Pushed authorization requests (RFC 9126): whoever must push can, and brings along only what is his."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene, lengthy
from appliance.protocol.client import Client

_LONGEST = 600
_REMEDY = "add `endpoints: {pushed_authorization_request: true}` to the profile, or remove this line"


def profile_can_take_them(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 9126 5: what is required is possible."""
    value = profile.value
    if value.require_pushed_authorization_requests and not value.endpoints.pushed_authorization_request:
        message = "every request must be pushed, and there is no endpoint to push it to"
        yield problem("OP371", profile, ("require_pushed_authorization_requests",), message, help=_REMEDY)


def references_end_soon(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 9126 2.2, FAPI 2.0 Security Profile 5.3.2.2: seconds to minutes."""
    seconds, path = profile.value.ttl.pushed_authorization_request, ("ttl", "pushed_authorization_request")
    if seconds == 0:
        message = "a pushed request would end before a browser could bring it"
        yield problem("OP372", profile, path, message, help="write a length such as 60s")
    elif seconds > _LONGEST:
        message = f"a pushed request could be used for {lengthy(seconds)}"
        yield problem("OP372", profile, path, message, help=f"write at most {lengthy(_LONGEST)}")


def client_can_push(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9126 6: what is required of a client is possible for it."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    settings = profile.value
    if value.require_pushed_authorization_requests and not settings.endpoints.pushed_authorization_request:
        message = f"profile `{profile.id}` takes no pushed requests, so this client can log nobody in"
        yield problem("OP371", client, ("require_pushed_authorization_requests",), message, help=_REMEDY)
        return
    required = value.require_pushed_authorization_requests or settings.require_pushed_authorization_requests
    allowed = settings.pushed_authorization_request.public_clients
    if required and value.is_public and not allowed and "authorization_code" in value.grant_types:
        message = "this public client must push its requests, and public clients may not"
        remedy = "give it a credential, or add `pushed_authorization_request: {public_clients: true}` to the profile"
        yield problem("OP373", client, ("token_endpoint_auth_method",), message, help=remedy)


def redirect_uris_can_be_brought(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9126 2.4: only by who proves who he is, at the endpoint that is there."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    path = ("op", "pushed_redirect_hosts")
    if not value.op.pushed_redirect_hosts or profile is None:
        return
    if value.is_public:
        message = "anybody could bring redirect URIs in the name of a public client"
        yield problem("OP374", client, path, message, help="register its `redirect_uris`", key=True)
    elif not profile.value.endpoints.pushed_authorization_request:
        message = f"profile `{profile.id}` takes no pushed requests that could bring any"
        yield problem("OP374", client, path, message, help=_REMEDY, key=True)


PROFILE_RULES: tuple[Rule[Profile], ...] = (profile_can_take_them, references_end_soon)
CLIENT_RULES: tuple[Rule[Client], ...] = (client_can_push, redirect_uris_can_be_brought)
