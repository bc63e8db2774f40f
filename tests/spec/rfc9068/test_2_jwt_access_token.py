"""RFC 9068 2, 4: JWT access tokens, which end before their time when they are revoked."""

import pytest

from appliance.jose.tokens import decode_strict, sign
from tests.support.minting import ISSUER, JWT_SHOP, NOW, claims_of, mint

pytestmark = pytest.mark.spec("RFC 9068", "2.2")


async def test_says_what_the_profile_of_access_tokens_asks() -> None:
    op = await mint()
    token = (await op.redeem(await op.code(JWT_SHOP), JWT_SHOP))["access_token"]
    header, claims = decode_strict(token).header, claims_of(token)
    assert header["typ"] == "at+jwt"
    jti = claims.pop("jti")
    assert len(jti) == 43
    assert claims == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "alice-1",
        "client_id": "jwt-shop",
        "iat": int(NOW),
        "exp": int(NOW) + 600,
        "scope": "openid profile offline_access",
        "auth_time": int(NOW) - 100,
        "acr": "urn:level:1",
        "amr": ["pwd"],
    }


async def test_names_the_client_where_there_is_no_user() -> None:
    op = await mint()
    claims = claims_of((await op.ask(JWT_SHOP, grant_type="client_credentials"))["access_token"])
    assert claims["sub"] == claims["client_id"] == "jwt-shop"
    assert not {"auth_time", "acr", "amr"} & claims.keys()


@pytest.mark.attack("CD-01")
async def test_revokes_a_jwt_with_its_code() -> None:
    op = await mint()
    code = await op.code(JWT_SHOP)
    token = (await op.redeem(code, JWT_SHOP))["access_token"]
    assert (await op.look(token)).status == 200
    await op.redeem(code, JWT_SHOP)
    assert (await op.look(token)).status == 401


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.attack("RF-10")
async def test_takes_nothing_else_for_a_jwt_access_token() -> None:
    op = await mint()
    answer = await op.redeem(await op.code(JWT_SHOP), JWT_SHOP)
    token = answer["access_token"]
    key, claims = op.profile.keys.signing(None), claims_of(token)
    assert (await op.look(sign(key, claims, "at+jwt"))).status == 200
    for typ in (None, "JWT", "logout+jwt"):
        assert (await op.look(sign(key, claims, typ))).status == 401
    for change in (
        {"iss": "https://op.example/workforce"},
        {"exp": int(NOW)},
        {"jti": "unknown"},
        {"jti": 5},
    ):
        assert (await op.look(sign(key, claims | change, "at+jwt"))).status == 401
    head, payload, signature = token.split(".")
    assert (await op.look(f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.")).status == 401
    assert (await op.look(f"{head}.{payload}.{signature[::-1]}")).status == 401
    op.forward(600)
    assert (await op.look(token)).status == 401
