"""Signed backchannel authentication requests (CIBA Core 7.1.1): all parameters as claims of one JWT.

Stricter than request objects of the authorization endpoint, as the specification is: only with a key pair, never
encrypted, for us by name, from when to when, and once.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.claims import check_audience, check_issuer, check_times, read_text, read_time
from appliance.jose.problems import TokenProblem
from appliance.jose.tokens import decode_strict, verify
from appliance.profile.client_keys import ClientKeys
from appliance.protocol.authorization_details import AUTHORIZATION_DETAILS
from appliance.protocol.authorization_request import DIRECT
from appliance.protocol.backchannel_request import PARAMETERS
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient, InvalidRequest
from appliance.protocol.form import Params
from appliance.protocol.handles import stored_id
from appliance.protocol.records import Used
from appliance.protocol.request_object import REQUEST
from appliance.protocol.resource import RESOURCE
from appliance.seams import Change, Store, Tools

#: How far the clock of a client may be ahead of ours, seconds.
SKEW: Final = 60
#: How long before its end a request may begin to count, seconds (FAPI CIBA 5.2.2).
LONGEST: Final = 3600

_MAX_JTI: Final = 256
_TYP: Final = frozenset({None, "JWT", "jwt", "oauth-authz-req+jwt"})
#: Claims that are about the JWT and no parameters.
_REGISTERED: Final = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti", "sub"})
#: Members that may be numbers (CIBA 7.1.1), and those that are JSON.
_NUMBERS: Final = frozenset({"requested_expiry", "max_age"})
_JSON: Final = frozenset({"claims", AUTHORIZATION_DETAILS})
_KNOWN: Final = frozenset({*DIRECT, *PARAMETERS})
_BROKEN: Final = "the signed request is not one of this client for this provider, or not valid now"


class SignedRequests:
    """Reads those of one profile."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        client_keys: ClientKeys,
        algorithms: frozenset[str],
        store: Store,
        tools: Tools,
    ) -> None:
        """`algorithms` are all that a client may register."""
        self._issuer = declared.issuer
        self._required = declared.backchannel_authentication.signed_requests_required
        self._client_keys = client_keys
        self._algorithms = algorithms
        self._store = store
        self._clock = tools.clock

    async def read(self, params: Params, client: Client) -> Params:
        """The parameters that count, without those of the client's authentication. InvalidRequest."""
        alg = client.backchannel_authentication_request_signing_alg
        text = params.get(REQUEST)
        if text is None:
            if alg is not None or self._required:
                raise InvalidRequest("this client must sign its requests", parameter=REQUEST)
            return params
        if len(params) > 1 or params.repeated:
            # CIBA 7.1.1: what stands outside was not signed, whatever it says.
            raise InvalidRequest("parameters must not stand beside a signed request", parameter=REQUEST)
        try:
            claims = await self._verified(text, client, self._algorithms & {alg})
            await self._use(claims, client)
        except TokenProblem as problem:
            raise InvalidRequest(_BROKEN, detail=str(problem), parameter=REQUEST) from None
        return _parameters(claims)

    async def _verified(self, text: str, client: Client, algorithms: frozenset[str]) -> Mapping[str, object]:
        unverified = decode_strict(text)
        if unverified.alg not in algorithms:
            # Before any key is asked for: a jwks_uri is not fetched for what can never verify.
            raise TokenProblem("signature algorithm is not the registered one")
        kid = unverified.header.get("kid")
        try:
            keys = await self._client_keys.verification(client, unverified.alg, kid if isinstance(kid, str) else None)
        except InvalidClient as problem:
            raise TokenProblem(problem.detail) from None
        claims = verify(unverified, keys, algs=algorithms, typ=_TYP).claims
        check_issuer(claims, client.client_id)
        check_audience(claims, (self._issuer,))
        if claims.get("sub") == client.client_id:
            # The same keys sign client assertions.
            raise TokenProblem("a token whose subject is the client is no authentication request")
        check_times(claims, self._clock(), early=SKEW, required=("exp", "iat", "nbf"), max_ttl=LONGEST + SKEW)
        if (read_time(claims, "exp") or 0) - (read_time(claims, "nbf") or 0) > LONGEST:
            raise TokenProblem("the request counts for too long")
        return claims

    async def _use(self, claims: Mapping[str, object], client: Client) -> None:
        jti = read_text(claims, "jti", max_length=_MAX_JTI)
        name = stored_id("\x1f".join(("signed_request", self._issuer, client.client_id, jti)))
        mark = Used(id=name, issuer=self._issuer, expires_at=read_time(claims, "exp") or 0)
        if not await self._store.commit(Change(put=(mark,), absent=(mark,))):
            raise TokenProblem("its jti was used before")


def _parameters(claims: Mapping[str, object]) -> Params:
    """The claims as parameters, as they would be sent beside each other. InvalidRequest for a wrong type."""
    return Params(pair for name, value in claims.items() if name not in _REGISTERED for pair in _pairs(name, value))


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif name in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        yield name, str(value)
    elif name in _JSON and isinstance(value, dict | list):
        yield name, json.dumps(value)
    elif name == RESOURCE and isinstance(value, list) and all(isinstance(each, str) for each in value):
        # RFC 8707 2: several of them are an array in JSON.
        yield from ((name, each) for each in value)
    elif name in _KNOWN:
        # What is not known may be of any type, and is passed over (CIBA 7.2).
        raise InvalidRequest("a member of the signed request has the wrong type", parameter=REQUEST)
