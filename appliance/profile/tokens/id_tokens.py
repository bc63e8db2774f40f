"""ID Tokens of one issuer (OpenID Connect Core 2, 3.1.3.6, 3.2.2.10, 3.3.2.11)."""

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.algorithms import half_hash
from appliance.jose.problems import TokenProblem
from appliance.profile.claims import ClaimsRelease, Placement
from appliance.profile.tokens.response_protection import UNSECURED, ResponseProtection
from appliance.protocol.authorization import Authorization
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest
from appliance.seams import Tools, User


class IdTokens:
    """Mints ID Tokens and reads them back, as hints and for introspection."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        claims: ClaimsRelease,
        protection: ResponseProtection,
        tools: Tools,
    ) -> None:
        self._issuer = declared.issuer
        self._ttl = declared.ttl.id_token
        self._claims = claims
        self._protection = protection
        self._clock = tools.clock

    async def issue(
        self,
        authorization: Authorization,
        client: Client,
        user: User,
        *,
        access_token: str | None,
        code: str | None,
        state: str | None = None,
    ) -> str:
        """Sign what was granted, bound to the access token, code and state it goes out with. SourceUnavailable."""
        alg = self._protection.id_token_alg(client)
        # Core 5.4: without any access token, now or for the code, the scopes' claims have no other way.
        alone = access_token is None and code is None
        placement = Placement.ID_TOKEN_ALONE if alone else Placement.ID_TOKEN
        # The released claims first: whatever their names, what the provider says comes over them.
        claims = await self._claims.release(authorization, client, user, placement)
        now = int(self._clock())
        claims["iss"] = self._issuer
        claims["sub"] = authorization.sub
        claims["aud"] = client.client_id
        claims["exp"] = now + (client.op.ttl.id_token or self._ttl)
        claims["iat"] = now
        claims |= _event(authorization)
        # Core 3.1.3.6: without a signature there is no hash that would go with it.
        if access_token is not None and alg != UNSECURED:
            claims["at_hash"] = half_hash(alg, access_token)
        if code is not None and alg != UNSECURED:
            claims["c_hash"] = half_hash(alg, code)
        if state is not None and alg != UNSECURED:
            # FAPI 1.0 Advanced 5.1.1: who changes the state of a response in the browser is found out.
            claims["s_hash"] = half_hash(alg, state)
        return await self._protection.id_token(client, claims)

    def read_hint(self, token: str) -> dict[str, object]:
        """The claims of an ID Token of ours, expired or not (Core 3.1.2.1). InvalidRequest."""
        try:
            claims = self._protection.read_id_token(token)
        except TokenProblem as problem:
            words = "id_token_hint is not an ID Token of this provider"
            raise InvalidRequest(words, detail=str(problem), parameter="id_token_hint") from None
        if claims.get("iss") != self._issuer:
            raise InvalidRequest("id_token_hint is of another issuer", parameter="id_token_hint")
        return claims


def _event(authorization: Authorization) -> dict[str, object]:
    """How the end-user authenticated, and what binds the token to request and session."""
    members: dict[str, object] = {}
    # Core 2, 5.5: needed for max_age and require_auth_time, and where the claims parameter asks for it.
    asked = authorization.auth_time_required or "auth_time" in authorization.claims.id_token
    if asked and authorization.auth_time is not None:
        members["auth_time"] = authorization.auth_time
    if authorization.nonce is not None:
        members["nonce"] = authorization.nonce
    if authorization.acr:
        members["acr"] = authorization.acr
    if authorization.amr:
        members["amr"] = list(authorization.amr)
    if authorization.sid is not None:
        members["sid"] = authorization.sid
    return members
