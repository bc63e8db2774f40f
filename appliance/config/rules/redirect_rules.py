"""Where a client's answers may go: redirect URIs, post-logout redirect URIs, CORS origins."""

import re
from collections.abc import Iterator

from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene, host_of, is_loopback
from appliance.protocol import redirect_uri
from appliance.protocol.client import Client

# RFC 8252 7.1: a private-use scheme is a domain name of its owner, reversed.
_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:/")


def redirect_uris_are_sound(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 6749 3.1.2, RFC 9700 2.1: absolute, without fragment, wildcard or user information."""
    for position, uri in enumerate(client.value.redirect_uris):
        yield from _sound("OP201", client, ("redirect_uris", position), uri, client.value)


def post_logout_uris_are_sound(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RP-Initiated Logout 1.0 3.1: the same care, for the browser is sent there as well."""
    for position, uri in enumerate(client.value.post_logout_redirect_uris):
        yield from _sound("OP206", client, ("post_logout_redirect_uris", position), uri, client.value)


def _sound(code: str, client: Object[Client], path: Path, uri: str, value: Client) -> Iterator[Problem]:
    if (why := redirect_uri.problem(uri)) is not None:
        yield problem(code, client, path, f"`{_shown(uri)}` {why}", help=_REMEDIES.get(why))
        return
    origin = redirect_uri.origin(uri)
    if origin is None:
        yield from _private_scheme(client, path, uri, value)
        return
    host = host_of(origin)
    if uri.startswith("http:") and not is_loopback(host) and _may_be_http(value, path):
        return  # OP923 says what that means
    if uri.startswith("http:") and not is_loopback(host):
        what = "codes or tokens" if path[0] == "redirect_uris" else "the user"
        message = f"`{_shown(uri)}` sends {what} over http, where anyone on the way can read and change it"
        yield problem("OP202", client, path, message, help="use https; http is for 127.0.0.1 and [::1] alone")
    elif uri.startswith("http:") and host == "localhost" and value.application_type == "native":
        message = "`localhost` may not be this machine, and a free port is accepted only for the literal address"
        yield problem("OP207", client, path, message, help="register http://127.0.0.1/... or http://[::1]/...")


def _may_be_http(client: Client, path: Path) -> bool:
    """Core 3.1.2.1, 3.2.2.1: by agreement, with confidential clients, where no token is in front alone."""
    coded = all("code" in each.split(" ") for each in client.response_types)
    return path[0] == "redirect_uris" and client.op.compat.http_redirects and not client.is_public and coded


def _private_scheme(client: Object[Client], path: Path, uri: str, value: Client) -> Iterator[Problem]:
    if value.application_type != "native":
        message = f"`{_shown(uri)}` is no web address, and this is a web client"
        yield problem("OP203", client, path, message, help="add `application_type: native`, or use https")
    elif not _REVERSE_DOMAIN.match(uri):
        message = f"`{_shown(uri)}`: another app may use the same scheme (RFC 8252 7.1)"
        remedy = "use a domain that you own, reversed: com.example.app:/callback"
        yield problem("OP203", client, path, message, help=remedy)


def redirect_uris_are_there_if_used(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """OpenID Connect Registration 2: whoever uses the authorization endpoint has a redirect URI."""
    value = client.value
    uses = {"authorization_code", "implicit"} & set(value.grant_types)
    if uses and value.response_types and not value.redirect_uris:
        message = "this client logs users in but has no `redirect_uris`"
        remedy = "register where the answer goes; a machine has `grant_types: [client_credentials]`"
        yield problem("OP204", client, (), message, help=remedy)


def cors_origins_are_secure(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A page that came over http can be changed on its way, and would then hold the user's tokens."""
    for position, origin in enumerate(client.value.op.cors_origins):
        path: Path = ("op", "cors_origins", position)
        if not origin.startswith("https://") and not is_loopback(host_of(origin)):
            yield problem("OP208", client, path, f"`{_shown(origin)}` is not https", help="use https")
        elif origin != origin.lower():
            message = f"`{_shown(origin)}` has upper case letters; browsers send origins in lower case"
            yield problem("OP208", client, path, message, help=f"write `{_shown(origin.lower())}`")


def _shown(uri: str) -> str:
    return uri if len(uri) <= 100 and uri.isprintable() else ascii(uri[:60])[1:-1] + "..."


_REMEDIES = {
    "has a fragment": "leave out `#` and what follows",
    "has a wildcard, and redirect URIs are compared whole": "register each address that is used",
    "has characters that a URI must not have": "write them percent-encoded, a space as %20",
    "has a scheme that browsers execute or open locally": "use https",
    "has no plain host, or carries user information": "leave out what stands before `@`",
    "is not an absolute URI": "begin with https://",
}

RULES: tuple[Rule[Client], ...] = (
    redirect_uris_are_sound,
    redirect_uris_are_there_if_used,
    post_logout_uris_are_sound,
    cors_origins_are_secure,
)
