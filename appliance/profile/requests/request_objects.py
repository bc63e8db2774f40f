"""Request objects of one profile: fetched, opened, verified, and made into the request they stand for.

Nothing of an object is used before its signature, or the rule that it needs none, was checked; until then the
parameters beside it are all that is known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.algorithms import (
    ASYMMETRIC_SIGNATURE_ALGORITHMS,
    CONTENT_ENCRYPTIONS,
    KEY_MANAGEMENT_ALGORITHMS,
    SHARED_KEY_MANAGEMENT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)
from appliance.jose.claims import check_audience, check_issuer, check_times, read_time
from appliance.jose.encryption import decrypt, decrypt_shared
from appliance.jose.keys import VerificationKey, symmetric
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.tokens import MAX_REQUEST_OBJECT, decode_strict, verify
from appliance.jose.unsecured import NONE, is_unsecured, read_unsecured
from appliance.profile.client_keys import ClientKeys
from appliance.profile.keys import KeyRing
from appliance.profile.requests.request_uris import RequestUris
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient, InvalidRequest, InvalidRequestObject
from appliance.protocol.form import Params
from appliance.protocol.request_object import REQUEST, REQUEST_URI, TYPE, assemble, read_parameters
from appliance.protocol.resource import RESOURCE
from appliance.protocol.security_profile import FAPI2, FAPI2_ALGORITHMS, includes
from appliance.seams import Tools

#: How far the clock of a client may be ahead of ours, seconds.
SKEW: Final = 60

#: FAPI 2.0 Message Signing 5.3.1: how old `nbf` may be, and how much later `exp`, seconds.
_LONGEST_MESSAGE: Final = 3600

#: Five parts: an encrypted token in compact form (RFC 7516 7.1).
_DOTS_OF_ENCRYPTED: Final = 4

_TYP: Final = frozenset({None, "JWT", "jwt", TYPE})


@dataclass(frozen=True, slots=True)
class RequestObject:
    """The claims of a request object whose writer was proved, and whether it says that it is the whole request."""

    claims: Mapping[str, object]
    whole: bool


class RequestObjects:
    """Reads the requests of a profile that are, or may be, request objects."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        keys: KeyRing,
        client_keys: ClientKeys,
        request_uris: RequestUris,
        tools: Tools,
    ) -> None:
        self._issuer = declared.issuer
        self._by_value = declared.request_parameter_supported
        self._by_reference = declared.request_uri_parameter_supported
        self._max_lifetime = declared.request_object.max_lifetime
        self._unsigned = declared.compat.unsigned_request_objects
        self._encryption_algorithms = tuple(dict.fromkeys(entry.alg for entry in declared.keys.encryption))
        self._own_keys = keys
        self._client_keys = client_keys
        self._request_uris = request_uris
        self._clock = tools.clock

    def takes(self, params: Params) -> bool:
        """Whether a request has an object that is read here; one that is not is refused later, by name."""
        return (self._by_value and REQUEST in params) or (self._by_reference and REQUEST_URI in params)

    async def assemble(self, params: Params, client: Client, *, alone: bool = False) -> Params:
        """The request that the object of `params` stands for. OAuthError for the client.

        With `alone` nothing beside the object counts, whatever kind of object it is (RFC 9126 3).
        """
        params.check_once(RESOURCE)
        if REQUEST in params and REQUEST_URI in params:
            raise InvalidRequest("request and request_uri must not be used together", parameter=REQUEST_URI)
        text = params.get(REQUEST) or await self._request_uris.resolve(params[REQUEST_URI], client)
        try:
            found = await self._read(text, client)
            self._check(found, client)
        except TokenProblem as problem:
            words = "the request object is not one of this client for this provider, or not valid now"
            raise InvalidRequestObject(words, detail=str(problem), parameter=REQUEST) from None
        alone = alone or found.whole or client.require_signed_request_object
        return assemble(params, read_parameters(found.claims), alone=alone)

    def metadata(self) -> dict[str, object]:
        """The members of provider metadata (OpenID Connect Discovery 3)."""
        found: dict[str, object] = {
            "request_parameter_supported": self._by_value,
            "request_uri_parameter_supported": self._by_reference,
        }
        if self._by_reference:
            found["require_request_uri_registration"] = True
        if self._by_value or self._by_reference:
            algorithms = [*SIGNATURE_ALGORITHMS, *([NONE] if self._unsigned else [])]
            found["request_object_signing_alg_values_supported"] = algorithms
            shared = [name for name in KEY_MANAGEMENT_ALGORITHMS if name in SHARED_KEY_MANAGEMENT_ALGORITHMS]
            found["request_object_encryption_alg_values_supported"] = [*self._encryption_algorithms, *shared]
            found["request_object_encryption_enc_values_supported"] = list(CONTENT_ENCRYPTIONS)
        return found

    async def _read(self, text: str, client: Client) -> RequestObject:
        """The object behind a text, its writer proved. TokenProblem."""
        encrypted = text.count(".") == _DOTS_OF_ENCRYPTED
        if encrypted:
            text = self._open(text, client)
        if is_unsecured(text):
            # Anybody can encrypt to us: it proves no writer, so what is inside is signed (RFC 9101 6.1).
            if encrypted or NONE not in self._algorithms(client):
                raise TokenProblem("the request object is not signed")
            header, claims = read_unsecured(text, typ=_TYP, max_length=MAX_REQUEST_OBJECT)
            return RequestObject(claims, whole=header.get("typ") == TYPE)
        unverified = decode_strict(text, max_length=MAX_REQUEST_OBJECT)
        algorithms = self._algorithms(client) - {NONE}
        if unverified.alg not in algorithms:
            # Before any key is asked for: a jwks_uri is not fetched for what can never verify.
            raise TokenProblem("signature algorithm is not allowed")
        keys = await self._keys(client, unverified.alg, unverified.header.get("kid"))
        verified = verify(unverified, keys, algs=algorithms, typ=_TYP)
        return RequestObject(verified.claims, whole=verified.header.get("typ") == TYPE)

    def _open(self, text: str, client: Client) -> str:
        """What is inside of an encrypted object: a signed one, and no further encrypted one. TokenProblem.

        What the client registered says what it may use; it may use the rest too (OpenID Connect Registration 2),
        but for its secret, which is a key only where it was registered to be one.
        """
        octets = self._decrypted(text, client)
        try:
            inside = octets.decode("ascii")
        except UnicodeDecodeError:
            raise TokenProblem("encrypted is no token") from None
        if inside.count(".") == _DOTS_OF_ENCRYPTED:
            raise TokenProblem("an encrypted request object is inside of another")
        return inside

    def _decrypted(self, text: str, client: Client) -> bytes:
        encs, registered = frozenset(CONTENT_ENCRYPTIONS), client.request_object_encryption_alg
        if registered in SHARED_KEY_MANAGEMENT_ALGORITHMS:
            secrets = list(self._secrets(client))
            try:
                return decrypt_shared(text, secrets, algs=(registered,), encs=encs, max_length=MAX_REQUEST_OBJECT)
            except TokenProblem:
                # It may be encrypted to a key of the profile all the same.
                pass
        keys = self._own_keys.decryption()
        # Of the keys and not of the entries: a line that was removed is readable till its keys end.
        algs = {key.alg for key in keys}
        return decrypt(text, keys, algs=algs, encs=encs, max_length=MAX_REQUEST_OBJECT)

    def _algorithms(self, client: Client) -> frozenset[str]:
        """What the client's objects may be signed with: what it registered, else any (Core 6.3.2)."""
        possible = frozenset(SIGNATURE_ALGORITHMS)
        if self._unsigned and not client.require_signed_request_object:
            possible |= {NONE}
        if includes(client.op.security_profile, FAPI2):
            possible &= FAPI2_ALGORITHMS
        registered = client.request_object_signing_alg
        return possible if registered is None else possible & {registered}

    async def _keys(self, client: Client, alg: str, kid: object) -> Iterable[VerificationKey]:
        """Keys of this client and of nobody else: its own pairs, or its own secret (RFC 9101 6.2)."""
        if alg not in ASYMMETRIC_SIGNATURE_ALGORITHMS:
            return list(self._shared(client, alg))
        try:
            return await self._client_keys.verification(client, alg, kid if isinstance(kid, str) else None)
        except InvalidClient as problem:
            raise TokenProblem(problem.detail) from None

    def _shared(self, client: Client, alg: str) -> Iterable[VerificationKey]:
        for secret in self._secrets(client):
            try:
                yield symmetric(secret, alg).verification()
            except KeyProblem:
                continue

    def _secrets(self, client: Client) -> Iterable[bytes]:
        """The client's secrets that are known in clear."""
        return (entry.secret.value for entry in client.live_secrets(self._clock()) if not entry.secret.hashed)

    def _check(self, found: RequestObject, client: Client) -> None:
        """The registered claims, where they are there (Core 6.1, RFC 9101 4). TokenProblem."""
        claims, now = found.claims, self._clock()
        if "iss" in claims:
            check_issuer(claims, client.client_id)
        if "aud" in claims:
            check_audience(claims, (self._issuer,))
        if claims.get("sub") == client.client_id:
            # RFC 9101 10.8: that is a client assertion, which the same keys sign.
            raise TokenProblem("a token whose subject is the client is no request object")
        check_times(claims, now, early=SKEW, required=(), max_ttl=self._max_lifetime + SKEW)
        if includes(client.op.security_profile, FAPI2) and client.require_signed_request_object:
            # Whether all messages are signed, or the requests of this client alone.
            _check_signed_message(claims, now)


def _check_signed_message(claims: Mapping[str, object], now: float) -> None:
    """FAPI 2.0 Message Signing 5.3.1: for whom and for how long must be said. TokenProblem."""
    if "aud" not in claims:
        raise TokenProblem("aud is missing")
    begins, ends = read_time(claims, "nbf"), read_time(claims, "exp")
    if begins is None or ends is None:
        raise TokenProblem("nbf or exp is missing")
    if begins < now - _LONGEST_MESSAGE or ends > begins + _LONGEST_MESSAGE:
        raise TokenProblem("nbf or exp is too far away")
