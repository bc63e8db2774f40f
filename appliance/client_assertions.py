"""Client assertions (RFC 7521 4.2, RFC 7523 2.2, 3): what the two methods that use them judge alike.

Keys are the methods' matter. Here: which text is an assertion at all, what its claims must say, and that none is
used twice.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from appliance.config.declared.profile import ClientAssertion, Compat
from appliance.jose.claims import check_audience, check_issuer, check_times, read_audience, read_text, read_time
from appliance.jose.keys import VerificationKey
from appliance.jose.problems import TokenProblem
from appliance.jose.tokens import Unverified, decode_strict, read_unverified_claims, verify
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.handles import stored_id
from appliance.protocol.records import Used
from appliance.protocol.security_profile import FAPI2, FAPI2_ALGORITHMS, includes
from appliance.seams import Change, Store, Tools

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: How far the clock of a client may be ahead of ours, seconds.
SKEW: Final = 60

_MAX_CLIENT_ID: Final = 255
_MAX_JTI: Final = 256
# RFC 8725 3.11: whatever names itself something else is something else.
_TYP: Final = frozenset({None, "JWT", "jwt", "client-authentication+jwt"})
# RFC 8725 3.12: members of ID Tokens, logout tokens, request objects and DPoP proofs that no assertion has.
_OF_OTHER_TOKENS: Final = frozenset(
    {
        *("nonce", "at_hash", "c_hash", "s_hash", "events"),
        *("response_type", "redirect_uri", "code_challenge", "htm", "htu", "ath"),
    }
)
# In seconds the year 5138; in milliseconds March 1973.
_MILLISECONDS_FROM: Final = 10**11


class KeysOfClients(Protocol):
    """Where the public keys of clients are."""

    async def verification(self, client: Client, alg: str, kid: str | None) -> Iterable[VerificationKey]:
        """The client's own keys for an algorithm. InvalidClient when there are none to be had."""


class ClientAssertions:
    """Reads and redeems the assertions that are meant for one issuer."""

    def __init__(
        self,
        *,
        issuer: str,
        token_endpoint: str,
        other_endpoints: tuple[str, ...] = (),
        settings: ClientAssertion,
        compat: Compat,
        store: Store,
        tools: Tools,
    ) -> None:
        self._issuer = issuer
        # RFC 7523 3 let the token endpoint be the audience; who accepts that can be handed assertions that were
        # made for another server, so it is for profiles that must.
        self._also_endpoint = settings.audience == "issuer_or_token_endpoint"
        # FAPI 2.0 5.3.2.1: a list is refused, be it of one.
        self._as_text = settings.audience == "issuer_only"
        self._audiences = (issuer, token_endpoint, *other_endpoints) if self._also_endpoint else (issuer,)
        self._max_lifetime = settings.max_lifetime
        self._milliseconds = compat.assertion_exp_unit == "auto"
        self._store = store
        self._clock = tools.clock
        # The one that was read last: both methods look at it, and one of them twice, in one request.
        self._last: tuple[str, Unverified | None] = ("", None)

    def read(self, form: Params) -> Unverified | None:
        """The assertion in a form, unverified; None when there is none. InvalidClient when it is broken."""
        text = form.get("client_assertion")
        if text is None:
            return None
        if form.get("client_assertion_type") != JWT_BEARER:
            raise InvalidClient(detail="client_assertion_type is missing or not supported")
        # That very text, not an equal one: nobody learns from the time how near he is to another's.
        if text is not self._last[0]:
            try:
                self._last = text, decode_strict(text)
            except TokenProblem as problem:
                raise InvalidClient(detail=f"client_assertion: {problem}") from None
        return self._last[1]

    def client_id(self, assertion: Unverified) -> str:
        """Who the assertion claims to be from, before anything is proved. InvalidClient."""
        try:
            return read_text(read_unverified_claims(assertion), "sub", max_length=_MAX_CLIENT_ID)
        except TokenProblem as problem:
            raise InvalidClient(detail=f"client_assertion: {problem}") from None

    async def redeem(
        self,
        assertion: Unverified,
        client: Client,
        keys: Iterable[VerificationKey],
        *,
        algs: Collection[str],
    ) -> None:
        """Return when the client signed this for us, just now and never before. InvalidClient."""
        now = self._clock()
        try:
            claims = verify(assertion, keys, algs=_allowed(client, algs), typ=_TYP).claims
            exp = self._check_claims(claims, client, now)
            jti = read_text(claims, "jti", max_length=_MAX_JTI)
        except TokenProblem as problem:
            raise InvalidClient(detail=f"client_assertion: {problem}") from None
        # By name, not by text: an assertion that is spelt or signed anew is still the same one (RFC 7523 3).
        name = stored_id("\x1f".join(("client_assertion", self._issuer, client.client_id, jti)))
        mark = Used(id=name, issuer=self._issuer, expires_at=exp)
        if not await self._store.commit(Change(put=(mark,), absent=(mark,))):
            raise InvalidClient(detail="client_assertion: its jti was used before")

    def _check_claims(self, claims: Mapping[str, object], client: Client, now: float) -> float:
        """The rules of RFC 7523 3; gives `exp` in seconds. TokenProblem."""
        if found := sorted(_OF_OTHER_TOKENS & claims.keys()):
            raise TokenProblem(f"a token with {found[0]} is no client assertion")
        check_issuer(claims, client.client_id)
        if read_text(claims, "sub") != client.client_id:
            raise TokenProblem("sub is another client")
        self._check_audience(claims, client)
        exp = read_time(claims, "exp")
        if exp is None:
            raise TokenProblem("exp is missing")
        if self._milliseconds and exp > _MILLISECONDS_FROM:
            exp /= 1000
            claims = {**claims, "exp": exp}
        # A client's clock that is ahead is ahead in `exp` as well; one that is behind gets no more time.
        check_times(claims, now, early=SKEW, max_ttl=self._max_lifetime + SKEW)
        return exp

    def _check_audience(self, claims: Mapping[str, object], client: Client) -> None:
        if includes(client.op.security_profile, FAPI2):
            # FAPI 2.0 Security Profile 5.3.2.1: whatever the profile accepts of others.
            check_audience(claims, (self._issuer,), sole=True, as_text=True)
            return
        check_audience(claims, self._audiences, sole=not self._also_endpoint, as_text=self._as_text)
        if self._also_endpoint and not set(read_audience(claims)) <= set(self._audiences):
            raise TokenProblem("token is for other audiences as well")


def _allowed(client: Client, algs: Collection[str]) -> frozenset[str]:
    """The algorithms of the method, or the one of them that the client registered."""
    possible = frozenset(algs)
    if includes(client.op.security_profile, FAPI2):
        possible &= FAPI2_ALGORITHMS
    registered = client.token_endpoint_auth_signing_alg
    return possible if registered is None else possible & {registered}
