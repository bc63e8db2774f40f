"""Clients that prove themselves by assertions, and assertions of every kind they might send."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from appliance.client_assertions import JWT_BEARER
from appliance.jose.keys import SigningKey, generate, public_jwk, symmetric
from appliance.jose.tokens import sign
from appliance.outbound.client import OutboundClient
from appliance.protocol import base64url, form
from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.messages import Request
from appliance.protocol.secret import Secret
from tests.support.minting import CLIENT, ISSUER, NOW, PROFILE, Answer, Mint, mint

TOKEN_ENDPOINT = ISSUER + "/token"
SHARED = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


@cache
def key(alg: str, kid: str | None = None) -> SigningKey:
    """One key for each algorithm and id, for the whole run."""
    return generate(alg, kid=kid)


def key_set(*keys: SigningKey) -> dict[str, Any]:
    """The public halves, as a client registers them."""
    return {"keys": [public_jwk(each) for each in keys]}


SIGNER = replace(
    CLIENT,
    client_id="signer",
    token_endpoint_auth_method="private_key_jwt",
    client_secrets=(),
    jwks=key_set(key("ES256"), key("PS256"), key("RS256"), key("EdDSA")),
)
OTHER_SIGNER = replace(SIGNER, client_id="other-signer", jwks=key_set(key("ES256", "other")))
BOUND = replace(SIGNER, client_id="bound", token_endpoint_auth_signing_alg="ES256")
FETCHED = replace(SIGNER, client_id="fetched", jwks=None)
MAC = replace(
    CLIENT,
    client_id="mac",
    token_endpoint_auth_method="client_secret_jwt",
    client_secrets=(ClientSecret("1", Secret(SHARED, "test"), None),),
)
HASHED = replace(
    MAC, client_id="hashed", client_secrets=(ClientSecret("1", Secret(SHARED, "test", "sha256"), None),)
)
SHORT = replace(MAC, client_id="short", client_secrets=(ClientSecret("1", Secret(SHARED[:40], "test"), None),))
ENDED = replace(
    MAC, client_id="ended", client_secrets=(ClientSecret("1", Secret(SHARED, "test"), int(NOW) - 1),)
)
CLIENTS = (CLIENT, SIGNER, OTHER_SIGNER, BOUND, MAC, HASHED, SHORT, ENDED)
METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")
JWT_PROFILE = replace(PROFILE, token_endpoint_auth_methods_supported=METHODS)


def claims(client: Client = SIGNER, **changes: Any) -> dict[str, Any]:
    """Good claims, changed; None takes one away."""
    whole: dict[str, Any] = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": ISSUER,
        "exp": int(NOW) + 60,
        "iat": int(NOW),
        "jti": "jti-1",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def signed(client: Client = SIGNER, *, alg: str = "ES256", typ: str | None = None, **changes: Any) -> str:
    """A good assertion, changed."""
    signer = symmetric(SHARED, alg) if alg.startswith("HS") else key(alg)
    return sign(signer, claims(client, **changes), typ)


def spelt(signer: SigningKey, header: Any, payload: str | bytes) -> str:
    """A text signed whatever it says."""
    head = header if isinstance(header, str) else json.dumps(header)
    body = payload.encode() if isinstance(payload, str) else payload
    text = f"{base64url.encode(head.encode())}.{base64url.encode(body)}"
    return f"{text}.{base64url.encode(signer.sign(text.encode()))}"


async def provider(
    *,
    clients: tuple[Client, ...] = CLIENTS,
    audience: str = "issuer",
    exp_unit: str = "seconds",
    database: Path | None = None,
    outbound: OutboundClient | None = None,
) -> Mint:
    """A provider that takes assertions."""
    profile = replace(
        JWT_PROFILE,
        client_assertion=replace(PROFILE.client_assertion, audience=audience),
        compat=replace(PROFILE.compat, assertion_exp_unit=exp_unit),
    )
    return await mint(profile=profile, clients=clients, database=database, outbound=outbound)


async def present(op: Mint, assertion: str | None, **parameters: str | None) -> Answer:
    """A token request that is proved by an assertion alone; None takes a parameter away."""
    whole = {
        "grant_type": "client_credentials",
        "scope": "reports.read",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    } | parameters
    pairs = [(name, value) for name, value in whole.items() if value is not None]
    return await post(op, form.encode(pairs))


async def post(op: Mint, body: str, **headers: str) -> Answer:
    """A token request as it is."""
    sent = {"content-type": ("application/x-www-form-urlencoded",)}
    sent |= {name: (value,) for name, value in headers.items()}
    return await op.send(Request("POST", "/retail/token", headers=sent, body=body.encode(), at=op.now[0]))
