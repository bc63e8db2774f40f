"""DPoP proofs as clients make them, good and bad, and requests that carry them."""

import hashlib
import json
from dataclasses import replace
from itertools import count
from typing import Any, Final

from appliance.config.declared import profile as declared
from appliance.jose.keys import SigningKey, generate, public_jwk
from appliance.jose.public_keys import import_public
from appliance.protocol import base64url
from appliance.protocol.client import Client
from appliance.protocol.messages import Request
from tests.support.assertions import spelt
from tests.support.minting import ISSUER, PROFILE, REDIRECT_URI, SPA, VERIFIER, Answer, Mint, answer, request

KEY: Final = generate("ES256")
OTHER_KEY: Final = generate("ES256")
TOKEN: Final = f"{ISSUER}/token"
USERINFO: Final = f"{ISSUER}/userinfo"
_NUMBERS = count()

#: A profile that asks for nonces.
NONCES: Final = replace(PROFILE, dpop=replace(PROFILE.dpop, nonce="required"))


def jwk_of(key: SigningKey) -> dict[str, str]:
    """The key as it stands in a proof: no kid, no use."""
    return {name: value for name, value in public_jwk(key).items() if name in ("kty", "crv", "x", "y", "n", "e")}


def jkt_of(key: SigningKey) -> str:
    """Its thumbprint."""
    return import_public(jwk_of(key)).thumbprint


def claims_of_proof(at: float, **changes: Any) -> dict[str, Any]:
    """The claims of a proof for the token endpoint; None leaves one out."""
    good = {"jti": f"proof-{next(_NUMBERS)}", "htm": "POST", "htu": TOKEN, "iat": int(at)}
    return {name: value for name, value in (good | changes).items() if value is not None}


def proof(key: SigningKey, at: float, head: dict[str, Any] | None = None, **changes: Any) -> str:
    """A proof; `head` changes its header, where None leaves a member out."""
    header = {"typ": "dpop+jwt", "alg": key.alg, "jwk": jwk_of(key)} | (head or {})
    header = {name: value for name, value in header.items() if value is not None}
    return spelt(key, header, json.dumps(claims_of_proof(at, **changes)))


def use_proof(key: SigningKey, at: float, token: str, head: dict[str, Any] | None = None, **changes: Any) -> str:
    """A proof to use an access token with at UserInfo."""
    ath = base64url.encode(hashlib.sha256(token.encode()).digest())
    return proof(key, at, head, **({"htm": "GET", "htu": USERINFO, "ath": ath} | changes))


async def send(op: Mint, proofs: tuple[str, ...], client: Client = SPA, **parameters: str) -> Answer:
    """A token request with these DPoP headers."""
    headers = {"dpop": proofs} if proofs else None
    return await op.send(request(client, now=op.now[0], headers=headers, **parameters))


async def redeem(op: Mint, text: str | None = None, client: Client = SPA, **code: Any) -> Answer:
    """Redeem a fresh code with a proof, a good one unless another is given."""
    proofs = (proof(KEY, op.now[0]) if text is None else text,)
    parameters = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "grant_type": "authorization_code"}
    return await send(op, proofs, client, code=await op.code(client, **code), **parameters)


async def refresh(op: Mint, token: str, text: str | None, client: Client = SPA) -> Answer:
    """Refresh with a proof, or without."""
    return await send(op, () if text is None else (text,), client, grant_type="refresh_token", refresh_token=token)


async def look(op: Mint, token: str, *proofs: str, scheme: str = "DPoP", **changes: Any) -> Answer:
    """A UserInfo request with these DPoP headers."""
    headers = {"authorization": (f"{scheme} {token}",)} | ({"dpop": proofs} if proofs else {})
    asked = Request("GET", "/retail/userinfo", headers=headers, at=op.now[0])
    return await answer(op.userinfo, replace(asked, **changes))


def with_dpop(**changes: Any) -> declared.Profile:
    """The usual profile with other `dpop` settings."""
    return replace(PROFILE, dpop=replace(PROFILE.dpop, **changes))
