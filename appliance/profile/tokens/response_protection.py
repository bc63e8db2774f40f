"""Signing and encryption of what a client gets about a user: ID Tokens and UserInfo (OpenID Connect Core 10).

Each client has its own registered algorithms. What cannot be protected as registered is not sent at all: an
ID Token of a client that asked for encryption never leaves in the clear.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from appliance.jose.algorithms import (
    CONTENT_ENCRYPTIONS,
    KEY_MANAGEMENT_ALGORITHMS,
    SHARED_KEY_MANAGEMENT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)
from appliance.jose.encryption import encrypt
from appliance.jose.keys import EncryptionKey, SigningKey, VerificationKey, symmetric, symmetric_encryption
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.public_keys import choose_encryption_key
from appliance.jose.tokens import (
    Unverified,
    decode_strict,
    read_unverified_claims,
    sign,
    unsecured,
    verify,
)
from appliance.outbound.problems import OutboundProblem
from appliance.profile.client_keys import ClientKeys
from appliance.profile.clients import Clients
from appliance.profile.keys import KeyRing
from appliance.protocol.client import Client
from appliance.protocol.errors import ServerError, TemporarilyUnavailable
from appliance.seams import Tools

UNSECURED: Final = "none"

#: The type of introspection responses as JWT; their media type has `application/` before it (RFC 9701 5).
INTROSPECTION: Final = "token-introspection+jwt"

_ID_TOKEN: Final = "JWT"
_LOGOUT_TOKEN: Final = "logout+jwt"
_ID_TOKEN_TYPES: Final[frozenset[str | None]] = frozenset({_ID_TOKEN})
#: OpenID Connect Registration 2: where an encrypted response names no `enc`.
_DEFAULT_ENC: Final = "A128CBC-HS256"
_RS256: Final = "RS256"
#: How long a client may take to read an authorization response, seconds; ten minutes are the most (JARM 2.1).
_RESPONSE_TTL: Final = 300
_SHARED: Final = frozenset(name for name, algorithm in SIGNATURE_ALGORITHMS.items() if algorithm.symmetric)


class ResponseProtection:
    """Protects responses as their clients registered, and knows again what it signed."""

    def __init__(
        self, *, keys: KeyRing, clients: Clients, client_keys: ClientKeys, unsigned_id_tokens: bool, tools: Tools
    ) -> None:
        self._keys = keys
        self._clients = clients
        self._client_keys = client_keys
        self._unsigned_id_tokens = unsigned_id_tokens
        self._clock = tools.clock

    def id_token_alg(self, client: Client) -> str:
        """What signs the client's ID Tokens, which also tells the hash of their `at_hash` and `c_hash`."""
        return client.id_token_signed_response_alg or self._keys.algorithms[0]

    async def id_token(self, client: Client, claims: Mapping[str, object]) -> str:
        """The ID Token of these claims: signed, and then encrypted if registered so. ServerError."""
        alg = self.id_token_alg(client)
        if alg != UNSECURED:
            token = sign(self._signer(client, alg), claims, _ID_TOKEN)
        elif self._unsigned_id_tokens:
            token = unsecured(claims, _ID_TOKEN)
        else:
            raise ServerError(detail="unsigned ID Tokens are not allowed in this profile")
        encryption = client.id_token_encrypted_response_alg
        if encryption is None:
            return token
        return await self._encrypted(client, encryption, client.id_token_encrypted_response_enc, token, "JWT")

    async def logout_token(self, client: Client, claims: Mapping[str, object]) -> str:
        """The logout token of these claims, protected like the client's ID Tokens (Back-Channel Logout 2.4)."""
        alg = self.id_token_alg(client)
        # 2.6: never without a signature, whatever the client chose for its ID Tokens.
        signer = self._signer(client, self._keys.algorithms[0] if alg == UNSECURED else alg)
        token = sign(signer, claims, _LOGOUT_TOKEN)
        encryption = client.id_token_encrypted_response_alg
        if encryption is None:
            return token
        return await self._encrypted(client, encryption, client.id_token_encrypted_response_enc, token, "JWT")

    async def userinfo(self, client: Client, claims: Mapping[str, object], issuer: str) -> str | None:
        """The UserInfo response as a JWT (Core 5.3.2); None where plain JSON is registered. ServerError."""
        alg, encryption = client.userinfo_signed_response_alg, client.userinfo_encrypted_response_alg
        protected: str | bytes
        if alg is not None:
            # Without a type, which keeps it from passing for an ID Token.
            issued = {**claims, "iss": issuer, "aud": client.client_id}
            protected = sign(self._signer(client, alg), issued)
        elif encryption is not None:
            protected = orjson.dumps(dict(claims))
        else:
            return None
        if encryption is None:
            return str(protected)
        # RFC 7519 5.2: the content type tells of a token inside, and there is one only if it was signed.
        content = "JWT" if alg is not None else None
        return await self._encrypted(client, encryption, client.userinfo_encrypted_response_enc, protected, content)

    async def introspection(self, client: Client, issuer: str, told: Mapping[str, object]) -> str:
        """What is told of a token, as a JWT for the client that asked (RFC 9701 5). ServerError."""
        alg = client.introspection_signed_response_alg or self._usual_alg()
        # Neither `sub` nor `exp` of its own, so that it passes for no other kind of token (RFC 9701 8.1).
        claims = {"iss": issuer, "aud": client.client_id, "iat": int(self._clock()), "token_introspection": told}
        token = sign(self._signer(client, alg), claims, INTROSPECTION)
        encryption = client.introspection_encrypted_response_alg
        if encryption is None:
            return token
        return await self._encrypted(client, encryption, client.introspection_encrypted_response_enc, token, "JWT")

    def introspection_metadata(self) -> dict[str, object]:
        """The algorithms of introspection responses as JWT (RFC 9701 7)."""
        shared = {client.introspection_signed_response_alg for client in self._clients} & _SHARED
        return {
            "introspection_signing_alg_values_supported": [*self._keys.algorithms, *_in_order(shared)],
            "introspection_encryption_alg_values_supported": list(KEY_MANAGEMENT_ALGORITHMS),
            "introspection_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        }

    async def response(self, client: Client, parameters: Iterable[tuple[str, str]]) -> str:
        """The authorization response of these parameters as one JWT (JARM 2.1), `iss` among them. ServerError."""
        alg = client.authorization_signed_response_alg or self._usual_alg()
        claims: dict[str, object] = dict(parameters)
        if "expires_in" in claims:
            claims["expires_in"] = int(str(claims["expires_in"]))
        claims |= {"aud": client.client_id, "exp": int(self._clock()) + _RESPONSE_TTL}
        # Without a type, which keeps it from passing for an ID Token.
        token = sign(self._signer(client, alg), claims)
        encryption = client.authorization_encrypted_response_alg
        if encryption is None:
            return token
        return await self._encrypted(client, encryption, client.authorization_encrypted_response_enc, token, "JWT")

    def response_metadata(self) -> dict[str, object]:
        """The algorithms of authorization responses as JWT (JARM 4)."""
        shared = {client.authorization_signed_response_alg for client in self._clients} & _SHARED
        return {
            "authorization_signing_alg_values_supported": [*self._keys.algorithms, *_in_order(shared)],
            "authorization_encryption_alg_values_supported": list(KEY_MANAGEMENT_ALGORITHMS),
            "authorization_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        }

    def read_id_token(self, token: str) -> dict[str, object]:
        """The claims of an ID Token signed here, expired or not. TokenProblem; an unsigned one is nobody's."""
        unverified = decode_strict(token)
        if unverified.alg in _SHARED:
            return self._read_shared(unverified)
        algorithms = self._keys.algorithms
        return verify(unverified, self._keys.verification(), algs=algorithms, typ=_ID_TOKEN_TYPES).claims

    def metadata(self) -> dict[str, object]:
        """The algorithms as provider metadata: those of the clients' secrets where clients have them in use."""
        own = self._keys.algorithms
        shared = {client.id_token_signed_response_alg for client in self._clients} & _SHARED
        shared_userinfo = {client.userinfo_signed_response_alg for client in self._clients} & _SHARED
        unsigned = [UNSECURED] if self._unsigned_id_tokens else []
        encryption = list(KEY_MANAGEMENT_ALGORITHMS)
        return {
            "id_token_signing_alg_values_supported": [*own, *_in_order(shared), *unsigned],
            "id_token_encryption_alg_values_supported": encryption,
            "id_token_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
            "userinfo_signing_alg_values_supported": [*own, *_in_order(shared_userinfo)],
            "userinfo_encryption_alg_values_supported": encryption,
            "userinfo_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        }

    def _read_shared(self, unverified: Unverified) -> dict[str, object]:
        # Core 10.1: the secret is that of the audience, and counts only for the algorithm it registered.
        audience = read_unverified_claims(unverified).get("aud")
        client = self._clients.known(audience) if isinstance(audience, str) else None
        if client is None or client.id_token_signed_response_alg != unverified.alg:
            raise TokenProblem("signature algorithm is not allowed")
        keys = list(self._shared_verifiers(client, unverified.alg))
        return verify(unverified, keys, algs=(unverified.alg,), typ=_ID_TOKEN_TYPES).claims

    def _shared_verifiers(self, client: Client, alg: str) -> Iterable[VerificationKey]:
        for secret in self._secrets(client):
            try:
                yield symmetric(secret, alg).verification()
            except KeyProblem:
                continue

    def _secrets(self, client: Client) -> Iterable[bytes]:
        for each in client.live_secrets(self._clock()):
            if not each.secret.hashed:
                yield each.secret.value

    def _usual_alg(self) -> str:
        """RS256, which is what responses are signed with where nothing is registered, or what there is."""
        own = self._keys.algorithms
        return _RS256 if _RS256 in own else own[0]

    def _signer(self, client: Client, alg: str) -> SigningKey:
        try:
            if alg not in _SHARED:
                return self._keys.signing(alg)
            secret = next(iter(self._secrets(client)), b"")
            return symmetric(secret, alg)
        except (KeyProblem, LookupError) as problem:
            raise ServerError(detail=f"no key signs with {alg} for {client.client_id}: {problem}") from None

    async def _encrypted(
        self, client: Client, alg: str, enc: str | None, plaintext: str | bytes, content: str | None
    ) -> str:
        detail = f"nothing can be encrypted to {client.client_id}"
        try:
            chosen = enc or _DEFAULT_ENC
            if alg in SHARED_KEY_MANAGEMENT_ALGORITHMS:
                key = self._shared_encryption_key(client, alg, chosen)
            else:
                key = await self._encryption_key(client, alg)
            return encrypt(key, plaintext, enc=chosen, cty=content)
        except KeyProblem as problem:
            raise ServerError(detail=f"{detail}: {problem}") from None
        except OutboundProblem as problem:
            raise TemporarilyUnavailable("try again in a moment", detail=f"{detail}: {problem}") from None

    def _shared_encryption_key(self, client: Client, alg: str, enc: str) -> EncryptionKey:
        # Core 10.2: as for signatures, the first secret that is known in clear; none is told by a `kid`.
        secret = next(iter(self._secrets(client)), b"")
        return symmetric_encryption(secret, alg, enc).encryption()

    async def _encryption_key(self, client: Client, alg: str) -> EncryptionKey:
        try:
            return choose_encryption_key(await self._client_keys.public(client), alg)
        except KeyProblem:
            if client.jwks_uri is None:
                raise
        # Core 10.2.1: the client may have changed its keys since.
        return choose_encryption_key(await self._client_keys.public(client, refresh=True), alg)


def _in_order(names: Iterable[str | None]) -> list[str]:
    return sorted(name for name in names if name is not None)
