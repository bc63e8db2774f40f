"""OpenID Connect Core 5.3.2: UserInfo as a signed or encrypted token."""

import json
from typing import Any

import pytest

from appliance.protocol import base64url
from appliance.protocol.errors import ServerError
from appliance.protocol.messages import Request
from tests.support.minting import CLIENT, ISSUER, Mint, mint
from tests.support.protecting import EC, RSA, jwks, opened, own_claims, owner, published, shared_claims

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "5.3.2")

KEYS = jwks(published(RSA), published(EC))
CLAIMS = {"sub": "alice-1", "email": "alice@a.example", "email_verified": True}


async def ask(op: Mint, client: Any) -> Any:
    token = (await op.redeem(await op.code(client, scope=("openid", "email")), client))["access_token"]
    headers = {"authorization": (f"Bearer {token}",)}
    return await op.userinfo.handle(Request("GET", "/retail/userinfo", headers=headers, at=op.now[0]))


def jwt_of(response: Any) -> str:
    headers = dict(response.headers)
    assert (response.status, headers["Content-Type"], headers["Cache-Control"]) == (200, "application/jwt", "no-store")
    return str(response.body.decode("ascii"))


def header_of(token: str) -> Any:
    return json.loads(base64url.decode(token.split(".")[0]))


async def test_signs_with_issuer_and_audience_and_without_nonce() -> None:
    client = owner(userinfo_signed_response_alg="ES256")
    op = await mint(clients=(client,))
    token = jwt_of(await ask(op, client))
    assert own_claims(op, token, None) == {**CLAIMS, "iss": ISSUER, "aud": client.client_id}
    assert "typ" not in header_of(token)


async def test_signs_with_the_secret_of_the_client() -> None:
    client = owner(userinfo_signed_response_alg="HS256")
    op = await mint(clients=(client,))
    assert shared_claims(jwt_of(await ask(op, client)), "HS256", None)["aud"] == client.client_id


async def test_signs_and_then_encrypts() -> None:
    client = owner(jwks=KEYS, userinfo_signed_response_alg="ES256", userinfo_encrypted_response_alg="RSA-OAEP")
    op = await mint(clients=(client,))
    token = jwt_of(await ask(op, client))
    assert (header_of(token)["cty"], header_of(token)["enc"]) == ("JWT", "A128CBC-HS256")
    assert own_claims(op, opened(token, RSA, "RSA-OAEP"), None)["iss"] == ISSUER


async def test_encrypts_without_a_signature_where_none_is_asked_for() -> None:
    client = owner(
        jwks=KEYS, userinfo_encrypted_response_alg="ECDH-ES+A128KW", userinfo_encrypted_response_enc="A256GCM"
    )
    op = await mint(clients=(client,))
    token = jwt_of(await ask(op, client))
    assert "cty" not in header_of(token) and header_of(token)["enc"] == "A256GCM"
    assert json.loads(opened(token, EC, "ECDH-ES+A128KW")) == CLAIMS


@pytest.mark.attack("JW-07")
async def test_never_answers_in_the_clear_what_was_to_be_encrypted() -> None:
    client = owner(jwks=jwks(published(RSA, use="sig")), userinfo_encrypted_response_alg="RSA-OAEP")
    op = await mint(clients=(client,))
    with pytest.raises(ServerError):
        await ask(op, client)


async def test_answers_others_in_plain_json() -> None:
    op = await mint()
    response = await ask(op, CLIENT)
    assert dict(response.headers)["Content-Type"] == "application/json"
    assert json.loads(response.body) == CLAIMS
