"""DPoP proofs (RFC 9449 4.3): what a client signs to show that it holds the key it names.

The key comes with the proof and nobody vouches for it; all that is proved is that the sender of this request has
it. Which tokens are bound to it is `profile.sender_constraint`'s matter.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.claims import check_times, read_text
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.public_keys import RememberedKeys
from appliance.jose.tokens import Unverified, decode_strict, verify
from appliance.profile.tokens.dpop_nonces import DpopNonces
from appliance.protocol import base64url
from appliance.protocol.errors import InvalidDpopProof, UseDpopNonce
from appliance.protocol.handles import stored_id
from appliance.protocol.http_uri import normalised
from appliance.protocol.messages import Request
from appliance.protocol.records import Used
from appliance.seams import Change, Store, Tools

#: The header, in lower case.
HEADER: Final = "dpop"
_TYP: Final[frozenset[str | None]] = frozenset({"dpop+jwt"})
_MAX_JTI: Final = 256
#: Keys of proofs that are kept ready for the next proof; a proof, and so a key, has 8 KiB at most.
_MAX_KEYS: Final = 512
_REFUSED: Final = "the DPoP proof is not valid for this request"


class DpopProofs:
    """Verifies the proofs that are sent to one issuer."""

    def __init__(self, *, declared: DeclaredProfile, store: Store, tools: Tools) -> None:
        self.algs = declared.dpop_signing_alg_values_supported
        self.nonce_required = declared.dpop.nonce == "required"
        self.nonces = DpopNonces(
            issuer=declared.issuer, rotation=declared.dpop.nonce_rotation, store=store, tools=tools
        )
        self._issuer = declared.issuer
        # Declared addresses, never the Host header: a proof for another server must not do here.
        addresses = (declared.issuer, declared.mtls.aliases_at)
        self._origins = tuple("://".join(urlsplit(each)[:2]) for each in addresses if each is not None)
        self._lifetime = declared.dpop.proof_lifetime
        self._keys = RememberedKeys(_MAX_KEYS)
        self._store = store
        self._clock = tools.clock

    async def verify(self, request: Request, token: str | None = None) -> str:
        """The thumbprint of the key that a request proves to hold; `token` is the access token that it uses.

        InvalidDpopProof; UseDpopNonce; StoreUnavailable. A proof counts once.
        """
        now = self._clock()
        try:
            claims, jkt = self._check_signature(self._read(request))
            self._check_request(claims, request)
            check_times(claims, now, leeway=self._lifetime, required=("iat",), max_age=0)
            jti = read_text(claims, "jti", max_length=_MAX_JTI)
            if token is not None:
                _check_token(claims, token)
        except (TokenProblem, KeyProblem) as problem:
            raise InvalidDpopProof(_REFUSED, detail=f"DPoP: {problem}") from None
        if self.nonce_required and not await self.nonces.accepts(claims.get("nonce")):
            raise await self.nonce_asked()
        await self._redeem(jkt, jti, now)
        return jkt

    async def nonce_asked(self) -> UseDpopNonce:
        """The refusal that hands out a nonce (RFC 9449 8)."""
        asked = UseDpopNonce("the DPoP proof must have the nonce that comes with this")
        asked.nonce = await self.nonces.current()
        return asked

    @staticmethod
    def _read(request: Request) -> Unverified:
        values = request.headers.get(HEADER, ())
        if len(values) != 1:
            raise TokenProblem("not exactly one DPoP header")
        return decode_strict(values[0])

    def _check_signature(self, proof: Unverified) -> tuple[Mapping[str, object], str]:
        """Claims and thumbprint of a proof that the key in its header signed. TokenProblem, KeyProblem."""
        if proof.alg not in self.algs or proof.header.get("typ") not in _TYP:
            # Before anything is computed with a key that a stranger chose.
            raise TokenProblem("no DPoP proof, or of an algorithm that is not offered")
        jwk = proof.header.get("jwk")
        if not isinstance(jwk, Mapping):
            raise TokenProblem("jwk is missing or no object")
        key = self._keys.import_public(jwk)
        verified = verify(proof, (key.verification(proof.alg),), algs=self.algs, typ=_TYP)
        return verified.claims, key.thumbprint

    def _check_request(self, claims: Mapping[str, object], request: Request) -> None:
        if read_text(claims, "htm") != request.method:
            raise TokenProblem("htm is another method")
        asked = normalised(read_text(claims, "htu"))
        if asked is None or asked not in {normalised(origin + request.path) for origin in self._origins}:
            raise TokenProblem("htu is another address")

    async def _redeem(self, jkt: str, jti: str, now: float) -> None:
        # Of each key: somebody else's jti of the same name is another one. Past twice the lifetime no proof of
        # that moment counts any more, however far ahead its clock was.
        name = stored_id("\x1f".join(("dpop", self._issuer, jkt, jti)))
        mark = Used(id=name, issuer=self._issuer, expires_at=now + 2 * self._lifetime + 1)
        if not await self._store.commit(Change(put=(mark,), absent=(mark,))):
            raise InvalidDpopProof(_REFUSED, detail="DPoP: its jti was used before")


def _check_token(claims: Mapping[str, object], token: str) -> None:
    """RFC 9449 4.3: the proof names the access token that it comes with."""
    expected = base64url.encode(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())
    if not hmac.compare_digest(read_text(claims, "ath").encode(), expected.encode()):
        raise TokenProblem("ath is of another access token")
