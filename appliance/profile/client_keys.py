"""Public keys of clients: as registered in `jwks`, or fetched from `jwks_uri` (RFC 7591 2)."""

from collections.abc import Mapping

from appliance.jose.keys import VerificationKey
from appliance.jose.problems import KeyProblem
from appliance.jose.public_keys import PublicKey, import_set, verification_keys
from appliance.outbound.documents import JsonDocuments
from appliance.outbound.problems import OutboundProblem
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient

#: Key sets of others by their address.
KeySets = JsonDocuments[tuple[PublicKey, ...]]


class ClientKeys:
    """Finds keys of one client and never those of another."""

    def __init__(self, key_sets: KeySets) -> None:
        self._fetched = key_sets
        # With the set they were read from: a client of the same id may come with another one.
        self._declared: dict[str, tuple[Mapping[str, object], tuple[PublicKey, ...]]] = {}

    async def public(self, client: Client, *, refresh: bool = False) -> tuple[PublicKey, ...]:
        """The client's keys. KeyProblem when it registered none; OutboundProblem when they cannot be fetched.

        `refresh` asks for a newer set than the remembered one, where there is an address to ask.
        """
        if client.jwks is not None:
            return self._read_declared(client.client_id, client.jwks)
        if client.jwks_uri is None:
            raise KeyProblem("the client has no keys")
        return await self._fetched.get(client.jwks_uri, refresh=refresh)

    async def verification(self, client: Client, alg: str, kid: str | None) -> tuple[VerificationKey, ...]:
        """The client's keys for an algorithm and, where its token names one, a key id. InvalidClient."""
        try:
            keys = _matching(await self.public(client), alg, kid)
            if not keys and client.jwks_uri is not None:
                # OpenID Connect Core 10.1.1: a kid that is not known is how a client tells of a new key.
                keys = _matching(await self.public(client, refresh=True), alg, kid)
        except (KeyProblem, OutboundProblem) as problem:
            raise InvalidClient(detail=f"keys of the client: {problem}") from None
        return keys

    async def registered(self, client: Client, wanted: str) -> tuple[PublicKey, ...]:
        """The client's keys with a thumbprint (RFC 7638). InvalidClient when there are none to be had."""
        try:
            keys = await self.public(client)
            if client.jwks_uri is not None and all(key.thumbprint != wanted for key in keys):
                keys = await self.public(client, refresh=True)
        except (KeyProblem, OutboundProblem) as problem:
            raise InvalidClient(detail=f"keys of the client: {problem}") from None
        return tuple(key for key in keys if key.thumbprint == wanted)

    def _read_declared(self, client_id: str, jwks: Mapping[str, object]) -> tuple[PublicKey, ...]:
        known = self._declared.get(client_id)
        if known is None or known[0] is not jwks:
            known = self._declared[client_id] = (jwks, import_set(jwks, strict=False))
        return known[1]


def read_key_set(document: object) -> tuple[PublicKey, ...]:
    """What a fetched document is used for. OutboundProblem when there is no key in it.

    A set without keys is no set: it would lock the client out, and is what a broken deployment serves.
    """
    try:
        keys = import_set(document, strict=False)
    except KeyProblem:
        keys = ()
    if not keys:
        raise OutboundProblem("the key set has no usable key")
    return keys


def _matching(keys: tuple[PublicKey, ...], alg: str, kid: str | None) -> tuple[VerificationKey, ...]:
    named = (key for key in keys if kid is None or key.kid in (None, kid))
    return verification_keys(named, (alg,))
