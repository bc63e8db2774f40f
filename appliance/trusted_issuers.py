"""JWTs of others that count here (RFC 7521 4.1, RFC 7523 3): whose, signed with what, and which user they name.

What such a JWT is worth (a grant, a subject token) is the matter of who asks. Here: that it is from somebody who is
declared, for us alone, not over and of a user who is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.config.declared.grants import TrustedIssuer
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.claims import check_audience, check_times, read_text, read_time
from appliance.jose.keys import VerificationKey
from appliance.jose.problems import TokenProblem
from appliance.jose.public_keys import PublicKey, import_set, verification_keys
from appliance.jose.tokens import Unverified, decode_strict, read_unverified_claims, verify
from appliance.outbound.documents import JsonDocuments
from appliance.outbound.problems import OutboundProblem
from appliance.protocol.errors import TemporarilyUnavailable
from appliance.protocol.handles import Clock
from appliance.seams import Source, User

#: How far the clock of an issuer may be ahead of ours, seconds.
SKEW: Final = 60

# RFC 8725 3.11: whatever names itself something else is something else.
_TYP: Final = frozenset({None, "JWT", "jwt", "authorization-grant+jwt"})
# RFC 8725 3.12: members of logout tokens, request objects and DPoP proofs, which say who somebody is, and no more.
_OF_OTHER_TOKENS: Final = frozenset({"events", "response_type", "redirect_uri", "code_challenge", "htm", "htu", "ath"})


@dataclass(frozen=True, slots=True)
class Asserted:
    """A JWT whose issuer was proved: the user it names as he is now, and when it ends (epoch seconds)."""

    issuer: str
    settings: TrustedIssuer
    user: User
    claims: Mapping[str, object]
    ends_at: float

    @property
    def bound(self) -> bool:
        """Whether it counts only with a proof of a key (RFC 7800 3.1)."""
        return "cnf" in self.claims


class TrustedIssuers:
    """The trusted issuers of one profile. KeyProblem when a declared key set cannot be read."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        token_endpoint: str,
        key_sets: JsonDocuments[tuple[PublicKey, ...]],
        sources: Mapping[str, Source],
        clock: Clock,
    ) -> None:
        self._settings = declared.trusted_issuers
        self._issuer = declared.issuer
        self._token_endpoint = token_endpoint
        self._key_sets = key_sets
        self._sources = sources
        self._clock = clock
        self._declared_keys = {
            name: import_set(each.jwks) for name, each in self._settings.items() if each.jwks is not None
        }

    async def verify(self, token: str) -> Asserted:
        """What a JWT asserts. TokenProblem; TemporarilyUnavailable, SourceUnavailable."""
        unverified = decode_strict(token)
        issuer = read_text(read_unverified_claims(unverified), "iss")
        settings = self._settings.get(issuer)
        if settings is None:
            raise TokenProblem("iss is nobody who is trusted here")
        if unverified.alg not in settings.algorithms:
            # Before any key is asked for: a jwks_uri is not fetched for what can never verify.
            raise TokenProblem("signature algorithm is not allowed")
        keys = await self._keys(issuer, settings, unverified)
        claims = verify(unverified, keys, algs=settings.algorithms, typ=_TYP).claims
        ends_at = self._check(claims, settings)
        return Asserted(issuer, settings, await self._user(claims, settings), claims, ends_at)

    def _check(self, claims: Mapping[str, object], settings: TrustedIssuer) -> float:
        """The rules of RFC 7523 3; gives `exp`. TokenProblem."""
        if found := sorted(_OF_OTHER_TOKENS & claims.keys()):
            raise TokenProblem(f"a token with {found[0]} asserts no user")
        also_endpoint = settings.audience == "issuer_or_token_endpoint"
        audiences = (self._issuer, self._token_endpoint) if also_endpoint else (self._issuer,)
        # Sole: what names another server as well can be used there by us, and here by it.
        check_audience(claims, audiences, sole=True)
        ends_at = read_time(claims, "exp")
        if ends_at is None:
            raise TokenProblem("exp is missing")
        check_times(claims, self._clock(), early=SKEW, max_ttl=settings.max_lifetime + SKEW)
        return ends_at

    async def _user(self, claims: Mapping[str, object], settings: TrustedIssuer) -> User:
        read_text(claims, "sub")
        value = read_text(claims, settings.claim)
        source = self._sources[settings.source]
        user = await (source.find(value) if settings.names == "login" else source.load(value))
        if user is None or not user.active:
            raise TokenProblem("the user is not there, or not active")
        return user

    async def _keys(self, issuer: str, settings: TrustedIssuer, unverified: Unverified) -> tuple[VerificationKey, ...]:
        declared = self._declared_keys.get(issuer)
        if declared is not None:
            return _matching(declared, unverified)
        if settings.jwks_uri is None:
            raise TokenProblem("the issuer has no keys")
        try:
            keys = _matching(await self._key_sets.get(settings.jwks_uri), unverified)
            if not keys:
                # A kid that is not known is how an issuer tells of a new key.
                keys = _matching(await self._key_sets.get(settings.jwks_uri, refresh=True), unverified)
        except OutboundProblem as problem:
            detail = f"keys of {issuer}: {problem}"
            raise TemporarilyUnavailable("the keys of the issuer cannot be had now", detail=detail) from None
        return keys


def _matching(keys: tuple[PublicKey, ...], unverified: Unverified) -> tuple[VerificationKey, ...]:
    kid = unverified.header.get("kid")
    named = (key for key in keys if kid is None or key.kid in (None, kid))
    return verification_keys(named, (unverified.alg,))
