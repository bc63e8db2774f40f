"""Redirect URIs: opaque strings, compared whole, and the only maker of ReplyTo.

No URL library touches a redirect URI: they all normalise, and each normalisation was once an open redirect.
Until `verify` has made a ReplyTo there is nothing a response could be sent to.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest
from appliance.protocol.frozen import quick

MAX_LENGTH = 2048

_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
# RFC 8252 7.3: the literal loopback addresses, as registered and with any port.
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([0-9]{1,5}))?(/[^#]*)?")
# The same by name, which may lead elsewhere (RFC 8252 8.3): only under `redirect_match: any_localhost_port`.
_LOCALHOST = re.compile(r"http://(localhost)(?::([0-9]{1,5}))?(/[^#]*)?")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):")
_ORIGIN = re.compile(r"(https?://[^/?#@\\]+)")
#: The hosts that are this very machine for whoever speaks to them.
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
# What a client may add under `redirect_match: ignore_query`: so plain that every reader of it sees the same.
_ADDED_QUERY = re.compile(r"[A-Za-z0-9_-]+=[A-Za-z0-9._~%+:/@,-]*(?:&[A-Za-z0-9_-]+=[A-Za-z0-9._~%+:/@,-]*)*")
#: Names of parameters of responses: in an address that came from outside they would be taken for ours.
RESPONSE_PARAMETERS: Final = frozenset(
    {
        *("code", "state", "error", "error_description", "error_uri", "iss", "response", "session_state"),
        *("id_token", "access_token", "refresh_token", "token_type", "expires_in", "scope"),
    }
)


@quick
@dataclass(frozen=True, slots=True)
class ReplyTo:
    """A verified place for an authorization response. Made by `verify` and nobody else."""

    redirect_uri: str
    #: Whether the request named it: then the token request must too (RFC 6749 4.1.3).
    asked: bool


def verify(asked: str | None, client: Client, *, openid: bool, pushed: bool = False) -> ReplyTo:
    """The place to answer to. InvalidRequest (never to be redirected) when it is not one of the client's.

    RFC 6749 3.1.2.3, OpenID Connect Core 3.1.2.1: exact match; with the `openid` scope it must be named. `pushed`:
    the client itself sent it and proved who it is.
    """
    if asked is None:
        if openid or len(client.redirect_uris) != 1:
            raise InvalidRequest("parameter redirect_uri is missing", parameter="redirect_uri")
        return ReplyTo(client.redirect_uris[0], asked=False)
    if len(asked) <= MAX_LENGTH and registered_as(asked, client) is not None:
        return ReplyTo(asked, asked=True)
    if pushed and may_bring(asked, client):
        return ReplyTo(asked, asked=True)
    raise InvalidRequest("redirect_uri is not registered for this client", parameter="redirect_uri")


def registered_as(asked: str, client: Client) -> str | None:
    """The registered URI that an asked one stands for; None when it stands for none."""
    match = client.op.compat.redirect_match
    for registered in client.redirect_uris:
        if matches(asked, registered):
            return registered
        if match == "ignore_query" and adds_query(asked, registered):
            return registered
        if match == "any_localhost_port" and _differs_in_port(asked, registered, _LOCALHOST):
            return registered
    return None


def may_bring(asked: str, client: Client) -> bool:
    """Whether a client may push a request with this address, though it is not registered (RFC 9126 2.4).

    https, on a host that is declared for it, and without a query that could be taken for a response.
    """
    allowed = client.op.pushed_redirect_hosts
    if not allowed or client.is_public or not asked.startswith("https://") or problem(asked) is not None:
        return False
    host = "".join(hosts((asked,)))
    names = {pair.partition("=")[0].lower() for pair in asked.partition("?")[2].split("&")}
    return any(host_fits(host, pattern) for pattern in allowed) and not names & RESPONSE_PARAMETERS


def host_fits(host: str, pattern: str) -> bool:
    """Whether a host is the one of a pattern, or below it if the pattern begins with `*.`."""
    return host.endswith(pattern[1:]) and host != pattern[1:] if pattern.startswith("*.") else host == pattern


def adds_query(asked: str, registered: str) -> bool:
    """Whether it is a registered https address without query, and a harmless query behind it.

    Departs from RFC 9700 2.1: only for clients with `redirect_match: ignore_query`.
    """
    address, mark, query = asked.partition("?")
    if address != registered or not mark or not registered.startswith("https://"):
        return False
    if not _ADDED_QUERY.fullmatch(query):
        return False
    # Some readers take case and separators lightly.
    names = {pair.partition("=")[0].lower().replace("-", "_") for pair in query.split("&")}
    return not names & RESPONSE_PARAMETERS


def matches(asked: str, registered: str) -> bool:
    """Equal to the character, or equal but for the port of a registered loopback address (RFC 8252 7.3)."""
    return asked == registered or _differs_in_port(asked, registered, _LOOPBACK)


def _differs_in_port(asked: str, registered: str, place: re.Pattern[str]) -> bool:
    wanted = place.fullmatch(registered)
    given = place.fullmatch(asked)
    if wanted is None or given is None or not _ALLOWED.fullmatch(asked):
        return False
    port = given[2]
    if port is None or not port.isascii() or not 0 < int(port) < 65536 or port.startswith("0"):
        return False
    return (wanted[1], wanted[3]) == (given[1], given[3])


def problem(uri: str) -> str | None:
    """Why a URI cannot be registered as a redirect URI, or None (RFC 6749 3.1.2, RFC 9700 2.1)."""
    if len(uri) > MAX_LENGTH:
        return "is longer than 2048 characters"
    if "#" in uri:
        return "has a fragment"
    if not _ALLOWED.fullmatch(uri):
        return "has characters that a URI must not have"
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return "is not an absolute URI"
    if scheme[1] in ("http", "https"):
        origin = _ORIGIN.match(uri)
        if origin is None or uri[origin.end() :].startswith("@"):
            return "has no plain host, or carries user information"
        # A literal star would match nothing but itself: who writes one expects a pattern (RFC 9700 2.1).
        if "*" in uri.partition("?")[0]:
            return "has a wildcard, and redirect URIs are compared whole"
    elif scheme[1] in ("javascript", "data", "vbscript", "file", "blob", "about"):
        return "has a scheme that browsers execute or open locally"
    return None


def origin(uri: str) -> str | None:
    """`scheme://host[:port]` of an http or https URI, else None."""
    found = _ORIGIN.match(uri)
    return found[1] if found else None


def form_action(uri: str) -> str:
    """The CSP source that lets a form's answer be redirected to this URI: its origin, or `scheme:`."""
    scheme = _SCHEME.match(uri)
    return origin(uri) or (scheme[0] if scheme else "'none'")


def hosts(uris: Iterable[str]) -> frozenset[str]:
    """The host components, lower case and without port, of redirect URIs that have one (Core 8.1)."""
    found: set[str] = set()
    for uri in uris:
        whole = origin(uri)
        if whole is not None:
            found.add(re.sub(r":[0-9]*$", "", whole.split("://", 1)[1]).lower())
    return frozenset(found)


def is_on_device(uri: str) -> bool:
    """Whether a redirect URI leads to a program on the user's own device: a private-use scheme or loopback."""
    return origin(uri) is None or (uri.startswith("http:") and hosts((uri,)) <= LOOPBACK_HOSTS)
