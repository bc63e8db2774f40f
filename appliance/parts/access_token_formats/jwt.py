"""JWT access tokens (RFC 9068), each with a record under its jti so that it can be revoked before it ends."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from appliance.jose.claims import check_times, read_text
from appliance.jose.keys import SigningKey, VerificationKey
from appliance.jose.problems import TokenProblem
from appliance.jose.tokens import sign, verify
from appliance.protocol import base64url
from appliance.protocol.authorization import Authorization
from appliance.seams import NewToken, TokenTerms, Tools

#: RFC 9068 4: the reader accepts the type with and without the prefix of media types.
TYPES: Final[frozenset[str | None]] = frozenset({"at+jwt", "application/at+jwt"})


class Keys(Protocol):
    """What this form needs of an issuer's keys."""

    algorithms: tuple[str, ...]

    def signing(self, alg: str | None = None) -> SigningKey:
        """The key that signs now."""

    def verification(self) -> Sequence[VerificationKey]:
        """The keys whose signatures still count."""


class Jwt:
    """A signed token that resource servers can read by themselves."""

    name = "jwt"

    def __init__(self, *, tools: Tools, issuer: str, keys: Keys) -> None:
        self._tools = tools
        self._issuer = issuer
        self._keys = keys

    def issue(
        self,
        authorization: Authorization,
        issued_at: int,
        expires_at: int,
        claims: Mapping[str, object],
        terms: TokenTerms | None = None,
    ) -> NewToken:
        """Mint the claims of RFC 9068 2.2; of the user the `sub` this client knows, and what it was given."""
        jti = base64url.encode(self._tools.entropy(32))
        # Whatever their names, what the provider says comes over them.
        members: dict[str, object] = {
            **claims,
            "iss": self._issuer,
            # RFC 9068 3: without a resource asked for, the audience is the default one: the issuer itself.
            "aud": self._issuer if terms is None else _audience(terms),
            # RFC 9068 2.2: where no end-user is involved, sub names the client.
            "sub": authorization.sub or authorization.client_id,
            "client_id": authorization.client_id,
            "iat": issued_at,
            "exp": expires_at,
            "jti": jti,
        }
        if authorization.scope:
            members["scope"] = " ".join(authorization.scope)
        if authorization.confirmation is not None:
            # RFC 9449 6.1, RFC 8705 3.1.
            members["cnf"] = authorization.confirmation.members()
        if authorization.subject is not None:
            members |= _authentication(authorization)
        if authorization.act is not None:
            # RFC 8693 4.1.
            members["act"] = authorization.act
        if authorization.authorization_details:
            # RFC 9396 9.1.
            members["authorization_details"] = list(authorization.authorization_details)
        key = self._keys.signing(None if terms is None else terms.signing_alg)
        return NewToken(sign(key, members, "at+jwt"), jti)

    def read(self, token: str) -> str | None:
        """The jti of a token we signed as an access token and that has not ended; an ID Token is none."""
        try:
            verified = verify(token, self._keys.verification(), algs=self._keys.algorithms, typ=TYPES)
            check_times(verified.claims, self._tools.clock())
            if verified.claims.get("iss") != self._issuer:
                return None
            return read_text(verified.claims, "jti")
        except TokenProblem:
            return None


def _audience(terms: TokenTerms) -> str | list[str]:
    """RFC 7519 4.1.3: one is a text, several are a list."""
    return terms.audience[0] if len(terms.audience) == 1 else list(terms.audience)


def _authentication(authorization: Authorization) -> dict[str, object]:
    """How and when the user was authenticated (RFC 9068 2.2.1)."""
    members = {"auth_time": authorization.auth_time, "acr": authorization.acr, "amr": list(authorization.amr)}
    return {name: value for name, value in members.items() if value}
