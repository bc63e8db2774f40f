"""Request objects by reference (OpenID Connect Core 6.2, RFC 9101 5.2).

An address is fetched only if the client registered it. What is found there is remembered only under an address
whose fragment is its hash, for only such an address can never mean anything else.
"""

import hashlib
from collections import OrderedDict
from typing import Final

from appliance.outbound.client import OutboundClient
from appliance.outbound.problems import OutboundProblem
from appliance.protocol import base64url
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequestUri
from appliance.protocol.request_object import REQUEST_URI

_ACCEPT: Final = "application/oauth-authz-req+jwt, application/jwt, text/plain;q=0.5"
_MAX_URI: Final = 2048
_MAX_BYTES: Final = 65536
_MAX_REMEMBERED: Final = 64


class RequestUris:
    """Fetches what clients registered."""

    def __init__(self, outbound: OutboundClient) -> None:
        self._outbound = outbound
        self._remembered: OrderedDict[str, str] = OrderedDict()

    async def resolve(self, uri: str, client: Client) -> str:
        """The text at an address of the client's. InvalidRequestUri."""
        address, _, fragment = uri.partition("#")
        if len(uri) > _MAX_URI or not any(address == each.partition("#")[0] for each in client.request_uris):
            raise InvalidRequestUri("request_uri is not registered for this client", parameter=REQUEST_URI)
        if uri in self._remembered:
            self._remembered.move_to_end(uri)
            return self._remembered[uri]
        octets = await self._fetch(address)
        try:
            text = octets.decode("ascii").strip()
        except UnicodeDecodeError:
            raise _problem("it is not a token") from None
        if fragment and fragment == base64url.encode(hashlib.sha256(octets).digest()):
            self._remember(uri, text)
        return text

    async def _fetch(self, address: str) -> bytes:
        try:
            fetched = await self._outbound.fetch(address, accept=_ACCEPT, max_bytes=_MAX_BYTES)
        except OutboundProblem as problem:
            raise _problem(str(problem)) from None
        if fetched.status != 200:
            # A redirection too: where it leads was registered by nobody.
            raise _problem("the answer is not 200 OK")
        return fetched.body

    def _remember(self, uri: str, text: str) -> None:
        self._remembered[uri] = text
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)


def _problem(detail: str) -> InvalidRequestUri:
    return InvalidRequestUri("nothing usable was found at request_uri", detail=detail, parameter=REQUEST_URI)
