"""Client authentication, once for every endpoint that needs it (RFC 6749 2.3, 3.2.1).

Exactly one method may be used, it must be the registered one, and whoever fails learns nothing: an unknown
client, a disabled one and a wrong secret look and cost the same.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from appliance.jose.keys import generate, public_jwk
from appliance.profile.clients import Clients
from appliance.protocol import base64url
from appliance.protocol.client import NOBODY, Client, ClientSecret
from appliance.protocol.errors import InvalidClient, InvalidRequest, TooManyRequests
from appliance.protocol.form import Params
from appliance.protocol.messages import Request
from appliance.protocol.secret import Secret
from appliance.seams import ClientAuthMethod
from appliance.throttle import ClientThrottle, Throttled

#: The method of clients that prove nothing.
PUBLIC: Final = "none"

_FAILED: Final = "client authentication failed"


class ClientAuth:
    """Tells which client sends a request, by the methods of one profile."""

    def __init__(
        self,
        *,
        issuer: str,
        clients: Clients,
        methods: Mapping[str, ClientAuthMethod],
        throttle: ClientThrottle,
    ) -> None:
        self._clients = clients
        self._throttle = throttle
        self._methods = tuple(methods.values())
        self._challenge = f'Basic realm="{issuer}", charset="UTF-8"'
        self._nobody = _nobody()

    async def authenticate(self, request: Request, form: Params) -> Client:
        """The client that proved itself. InvalidClient (challenged if a header was sent), InvalidRequest."""
        _check_one_credential(request, form)
        try:
            return await self._authenticate(request, form)
        except InvalidClient as failed:
            refusal = InvalidClient(_FAILED, detail=failed.detail)
        if "authorization" in request.headers:
            # RFC 6749 5.2: 401 with the scheme the client tried.
            refusal.challenge = self._challenge
        raise refusal

    async def _authenticate(self, request: Request, form: Params) -> Client:
        claimed, client_id = self._claimed(request, form)
        method = claimed[0] if len(claimed) == 1 else await self._registered(claimed, client_id)
        if form.get("client_id", client_id) != client_id:
            raise InvalidClient(detail="client_id differs from the credentials")
        if method.name == PUBLIC:
            return await self._verify(method, client_id, request, form)
        try:
            failures = await self._throttle.check(client_id, request.peer, request.at)
            client = await self._verify(method, client_id, request, form)
        except Throttled as throttled:
            raise TooManyRequests(throttled.retry_after) from None
        except InvalidClient:
            await self._throttle.failed(client_id, request.peer, request.at)
            raise
        await self._throttle.succeeded(failures)
        return client

    async def _verify(self, method: ClientAuthMethod, client_id: str, request: Request, form: Params) -> Client:
        client = await self._clients.find(client_id)
        if client is None or client.token_endpoint_auth_method != method.name:
            # The same work as for a wrong secret, so that the time tells nothing (Core 16.12).
            await method.verify(request, form, self._nobody)
            raise InvalidClient(detail="unknown client, or not the method registered for it")
        await method.verify(request, form, client)
        await self._clients.touch(client)
        return client

    async def _registered(self, claimed: list[ClientAuthMethod], client_id: str) -> ClientAuthMethod:
        """The method a client is registered for among those that the request could be.

        A certificate looks alike by whichever method it is shown, and by none where tokens are bound to it.
        """
        client = await self._clients.find(client_id)
        registered = None if client is None else client.token_endpoint_auth_method
        proofs = [method for method in claimed if method.name != PUBLIC]
        return next((method for method in claimed if method.name == registered), proofs[0])

    def _claimed(self, request: Request, form: Params) -> tuple[list[ClientAuthMethod], str]:
        claimed = [
            (method, client_id) for method in self._methods if (client_id := method.claims(request, form)) is not None
        ]
        if not claimed:
            raise InvalidClient(detail="no authentication method of this profile is used")
        if len(claimed) > 1 and len({client_id for _, client_id in claimed}) > 1:
            raise InvalidRequest("more than one client authentication method was used")
        return [method for method, _ in claimed], claimed[0][1]


def auth_metadata(endpoint: str, methods: Iterable[ClientAuthMethod]) -> dict[str, object]:
    """How clients may prove themselves at an endpoint, as provider metadata (RFC 8414 2)."""
    offered = tuple(methods)
    found: dict[str, object] = {f"{endpoint}_auth_methods_supported": [method.name for method in offered]}
    # To be named when, and only when, a method with assertions is.
    if algorithms := {alg: None for method in offered for alg in method.algorithms}:
        found[f"{endpoint}_auth_signing_alg_values_supported"] = list(algorithms)
    return found


def _check_one_credential(request: Request, form: Params) -> None:
    """RFC 6749 2.3: one method a request, whether or not the profile has the others."""
    headers = len(request.headers.get("authorization", ()))
    if headers + ("client_secret" in form) + ("client_assertion" in form) > 1:
        raise InvalidRequest("more than one client authentication method was used")


@cache
def _keys_of_nobody() -> Mapping[str, object]:
    """Public keys without owner, of each type that an assertion may be signed with; made once, they take a while."""
    # Nobody knows the factors of a random number, so no private key is ever made for RSA, which would be slow.
    modulus = (1 << 2047) | secrets.randbits(2047) | 1
    keys: list[Mapping[str, str]] = [{"kty": "RSA", "e": "AQAB", "n": base64url.encode(modulus.to_bytes(256, "big"))}]
    for alg in ("ES256", "ES384", "ES512", "EdDSA"):
        members = public_jwk(generate(alg))
        keys.append({name: members[name] for name in ("kty", "crv", "x", "y") if name in members})
    return {"keys": keys}


def _nobody() -> Client:
    """A client that nobody is: a secret and keys that nobody knows, to be compared with."""
    # Long enough for every HMAC that an assertion may come with.
    secret = ClientSecret("nobody", Secret(secrets.token_bytes(64), "generated"), None)
    return replace(NOBODY, client_secrets=(secret,), jwks=_keys_of_nobody())
