"""JWT Secured Authorization Response Mode (JARM): one signed JWT instead of parameters."""

import json
from typing import Any

import pytest

from appliance.jose import tokens
from appliance.jose.encryption import decrypt
from appliance.jose.keys import generate_decryption, public_jwk, symmetric
from tests.support.browser import Browser, answer, header
from tests.support.objects import ISSUER, KEY, REDIRECT_URI, SECRET, End, address, end, shop_provider, signed

MODES = ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt"]
TYPES: dict[str, Any] = {
    "response_types_supported": ["code", "id_token", "code id_token"],
    "grant_types_supported": ["authorization_code", "implicit"],
    "response_modes_supported": MODES,
}
FRONT: dict[str, Any] = {
    "response_types": ["code", "id_token", "code id_token"],
    "grant_types": ["authorization_code", "implicit"],
}
ENCRYPTION = generate_decryption("ECDH-ES", kid="shop-enc")
ENCRYPTED: dict[str, Any] = {
    "jwks": {"keys": [public_jwk(KEY), public_jwk(ENCRYPTION)]},
    "authorization_encrypted_response_alg": "ECDH-ES",
}


def read(op: Any, found: End, alg: str = "RS256") -> dict[str, Any]:
    """The claims of a response, with the checks of a client (JARM 2.4)."""
    assert found.parameters.keys() == {"response"}, found.parameters
    keys = op.snapshot.profiles["main"].keys.verification()
    claims = tokens.verify(found.parameters["response"], keys, algs=(alg,), typ=frozenset({None})).claims
    assert claims["iss"] == ISSUER and claims["aud"] == "shop"
    assert op.clock() < float(str(claims["exp"])) <= op.clock() + 600
    return claims


@pytest.mark.spec("JARM", "2.3")
@pytest.mark.parametrize(
    ("mode", "separator"), [("query.jwt", "?"), ("fragment.jwt", "#"), ("jwt", "?"), ("form_post.jwt", "")]
)
async def test_sends_one_signed_jwt(mode: str, separator: str) -> None:
    async with shop_provider(profile=TYPES) as op:
        found = await end(op, address(response_mode=mode, nonce="n"))
        claims = read(op, found)
        assert claims.keys() == {"iss", "aud", "exp", "code", "state"} and claims["state"] == "s"
        if separator:
            assert (found.location or "").startswith(f"{REDIRECT_URI}{separator}response=")
        else:
            assert found.location is None and f'action="{REDIRECT_URI}"' in found.text


@pytest.mark.spec("JARM", "2.1")
@pytest.mark.parametrize("mode", ["query.jwt", "fragment.jwt", "form_post.jwt", "jwt"])
async def test_sends_errors_the_same_way(mode: str) -> None:
    async with shop_provider(profile=TYPES) as op:
        found = await end(op, address(response_mode=mode, prompt="none"))
        claims = read(op, found)
        assert claims["error"] == "login_required" and claims["state"] == "s" and "code" not in claims
        early = read(op, await end(op, address(response_mode=mode, response_type="token")))
        assert early["error"] == "unsupported_response_type"


@pytest.mark.spec("JARM", "2.3.4")
async def test_takes_the_short_form_for_the_fragment_where_tokens_travel() -> None:
    async with shop_provider(profile=TYPES, **FRONT) as op:
        for mode in ("jwt", "fragment.jwt"):
            found = await end(op, address(response_type="code id_token", response_mode=mode, nonce="n"))
            assert (found.location or "").startswith(f"{REDIRECT_URI}#response=")
            assert {"code", "id_token"} <= read(op, found).keys()


@pytest.mark.spec("JARM", "2.3.1")
async def test_lets_no_token_travel_readable_in_the_query() -> None:
    asked = address(response_type="code id_token", response_mode="query.jwt", nonce="n")
    async with shop_provider(profile=TYPES, **FRONT) as op:
        assert read(op, await end(op, asked))["error"] == "invalid_request"
    async with shop_provider(profile=TYPES, **FRONT, **ENCRYPTED) as op:
        assert "id_token" in opened(op, await end(op, asked))


def opened(op: Any, found: End) -> dict[str, Any]:
    text = decrypt(found.parameters["response"], [ENCRYPTION], algs=("ECDH-ES",), encs=("A128CBC-HS256",)).decode()
    return read(op, End(found.location, {"response": text}, 303, ""))


@pytest.mark.spec("JARM", "2.2")
async def test_signs_then_encrypts_as_registered() -> None:
    async with shop_provider(profile=TYPES, **ENCRYPTED) as op:
        assert "code" in opened(op, await end(op, address(response_mode="jwt")))
        assert opened(op, await end(op, address(response_mode="jwt", prompt="none")))["state"] == "s"


@pytest.mark.spec("JARM", "3")
async def test_signs_with_the_registered_algorithm() -> None:
    keys = {"keys": {"signing": [{"alg": "ES256"}, {"alg": "RS256"}]}}
    for alg in ("ES256", "RS256"):
        async with shop_provider(profile=TYPES | keys, authorization_signed_response_alg=alg) as op:
            assert "code" in read(op, await end(op, address(response_mode="jwt")), alg)
    async with shop_provider(profile=TYPES | keys) as op:
        assert "code" in read(op, await end(op, address(response_mode="jwt")), "RS256")
    async with shop_provider(profile=TYPES, authorization_signed_response_alg="HS256") as op:
        found = await end(op, address(response_mode="jwt"))
        key = symmetric(SECRET.encode(), "HS256").verification()
        claims = tokens.verify(found.parameters["response"], [key], algs=("HS256",), typ=frozenset({None})).claims
        assert "code" in claims


@pytest.mark.spec("JARM", "2.2")
async def test_sends_nothing_in_the_clear_that_cannot_be_encrypted() -> None:
    gone: dict[str, Any] = {"jwks": None, "jwks_uri": "https://shop.invalid/jwks.json"}
    async with shop_provider(profile=TYPES, **(ENCRYPTED | gone)) as op:
        found = await end(op, address(response_mode="query.jwt"))
        assert found.location is None and found.status == 503 and "code" not in found.parameters


@pytest.mark.spec("JARM", "4")
async def test_advertises_its_modes_and_algorithms() -> None:
    async with shop_provider(profile=TYPES) as op:
        found = json.loads((await Browser(op).visit("/.well-known/openid-configuration")).body)
        assert found["response_modes_supported"] == [*MODES, "jwt"]
        assert found["authorization_signing_alg_values_supported"] == ["RS256"]
    async with shop_provider() as op:
        found = json.loads((await Browser(op).visit("/.well-known/openid-configuration")).body)
        assert "jwt" not in found["response_modes_supported"]
        assert "authorization_signing_alg_values_supported" not in found
        assert (await end(op, address(response_mode="jwt"))).error == "invalid_request"


@pytest.mark.spec("JARM", "2.1")
async def test_sends_no_response_that_passes_for_an_id_token() -> None:
    async with shop_provider(profile=TYPES) as op:
        browser = Browser(op)
        found = await end(op, address(response_mode="jwt"), browser)
        again = await browser.visit(address(prompt="none", id_token_hint=found.parameters["response"]))
        assert answer(again)["error"] == "invalid_request" and header(again, "Location")


@pytest.mark.spec("RFC 9101", "6.3")
async def test_answers_in_the_mode_of_the_request_object() -> None:
    async with shop_provider(profile=TYPES) as op:
        found = await end(op, address(request=signed(response_mode="jwt"), response_mode="query"))
        assert read(op, found)["state"] == "inside"
