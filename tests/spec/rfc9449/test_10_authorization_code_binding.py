"""RFC 9449 10: a code that is for the holder of a key, through the pages and pushed; and what browsers may see."""

from typing import Any

import pytest

from appliance.protocol.messages import Request
from tests.support.browser import Browser, answer, header
from tests.support.objects import ISSUER
from tests.support.provider import START, Provider
from tests.support.proving import KEY, OTHER_KEY, jkt_of, proof, use_proof
from tests.support.pushing import ASKED, Shop, metadata, pushing_provider

PAR, TOKEN = f"{ISSUER}/par", f"{ISSUER}/token"
NONCES = {"dpop": {"nonce": "required"}}
MTLS = {"mtls": {"aliases_at": "https://mtls.example/shop"}, "tls_client_certificate_bound_access_tokens": True}


def made(key: Any = KEY, htu: str = TOKEN, **claims: Any) -> str:
    """A proof as it goes into a header."""
    return proof(key, START, htu=htu, **claims)


@pytest.mark.spec("RFC 9449", "10")
async def test_the_provider_keeps_dpop_jkt_through_the_pages() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        code = (await shop.log_in(await shop.ask(dpop_jkt=jkt_of(KEY))))["code"]
        for headers in ({}, {"dpop": made(OTHER_KEY)}):
            refused = await shop.redeem(code) if not headers else await post(shop, code, headers["dpop"])
            assert (refused.status, refused.error) == (400, "invalid_grant")
        tokens = await post(shop, code, made())
        assert (tokens.status, tokens["token_type"]) == (200, "DPoP")


async def post(shop: Shop, code: str, text: str) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": ASKED["redirect_uri"]}
    return await shop.post("/token", form | {"code_verifier": VERIFIER}, dpop=text)


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.mark.spec("RFC 9449", "10.1")
async def test_the_provider_binds_a_pushed_request_by_its_proof() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        pushed = await shop.post("/par", ASKED, dpop=made(htu=PAR))
        code = (await shop.log_in(await shop.visit(pushed["request_uri"])))["code"]
        assert (await post(shop, code, made(OTHER_KEY))).error == "invalid_grant"
        assert (await post(shop, code, made())).status == 200
        # The parameter and the proof are of one key.
        pushed = await shop.post("/par", ASKED | {"dpop_jkt": jkt_of(KEY)}, dpop=made(htu=PAR))
        assert pushed.status == 201
        pushed = await shop.post("/par", ASKED | {"dpop_jkt": jkt_of(OTHER_KEY)}, dpop=made(htu=PAR))
        assert (pushed.status, pushed.error) == (400, "invalid_dpop_proof")
        pushed = await shop.post("/par", ASKED, dpop=made(htu=TOKEN))
        assert (pushed.status, pushed.error) == (400, "invalid_dpop_proof")


@pytest.mark.spec("RFC 9449", "10")
@pytest.mark.parametrize("value", ["x", "x" * 42, "x" * 44, "é" * 43, "x" * 42 + "=", ["a" * 43, "b" * 43]])
async def test_the_provider_refuses_what_is_no_thumbprint(value: Any) -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        refused = answer(await shop.ask(dpop_jkt=value))
        assert refused["error"] == "invalid_request"


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_gives_no_bound_client_a_token_in_front() -> None:
    front = {"response_types_supported": ["code", "code token"], "response_modes_supported": ["query", "fragment"]}
    front |= {"grant_types_supported": ["authorization_code", "implicit"]}  # type: ignore[dict-item]
    client = {"response_types": ["code", "code token"], "grant_types": ["authorization_code", "implicit"]}
    async with pushing_provider(profile=front, **client) as op:
        shop = Shop(op)
        asked = {"response_type": "code token", "nonce": "n"}
        landed = await shop.log_in(await shop.ask(**asked))
        assert landed["token_type"] == "Bearer"
        landed = await shop.log_in(await shop.ask(**asked, dpop_jkt=jkt_of(KEY)))
        assert landed["token_type"] == "DPoP"


@pytest.mark.spec("RFC 9449", "8")
async def test_the_provider_hands_out_nonces_over_the_wire() -> None:
    async with pushing_provider(profile=NONCES) as op:
        shop = Shop(op)
        asked = await shop.post("/par", ASKED, dpop=made(htu=PAR))
        assert (asked.status, asked.error) == (400, "use_dpop_nonce")
        nonce = asked.headers["DPoP-Nonce"]
        pushed = await shop.post("/par", ASKED, dpop=made(htu=PAR, nonce=nonce))
        assert (pushed.status, pushed.headers["DPoP-Nonce"]) == (201, nonce)
        code = (await shop.log_in(await shop.visit(pushed["request_uri"])))["code"]
        tokens = await post(shop, code, made(nonce=nonce))
        assert (tokens.status, tokens.headers["DPoP-Nonce"]) == (200, nonce)
        token = tokens["access_token"]
        asked_again = await use(op, token, use_proof(KEY, START, token, htu=f"{ISSUER}/userinfo"))
        assert asked_again.status == 401
        assert (header(asked_again, "WWW-Authenticate") or "").startswith(f'DPoP realm="{ISSUER}", error="use_dpop')
        assert header(asked_again, "DPoP-Nonce") == nonce
        used = await use(op, token, use_proof(KEY, START, token, htu=f"{ISSUER}/userinfo", nonce=nonce))
        assert (used.status, header(used, "DPoP-Nonce")) == (200, nonce)
        # Nobody who does not use DPoP sees anything of it.
        plain = await shop.tokens()
        assert "DPoP-Nonce" not in plain.headers


async def use(op: Provider, token: str, text: str) -> Any:
    headers = {"authorization": (f"DPoP {token}",), "dpop": (text,)}
    return await op.respond(Request("GET", "/userinfo", headers=headers, at=op.clock()))


@pytest.mark.spec("RFC 9449", "8.2")
async def test_the_provider_lets_scripts_of_its_clients_use_dpop() -> None:
    async with pushing_provider(profile=NONCES, op={"profile": "main", "cors_origins": ["https://spa.example"]}) as op:
        browser = Browser(op)
        origin = {"origin": "https://spa.example", "access-control-request-method": "POST"}
        allowed = await browser.request("OPTIONS", "/token", headers=origin)
        assert "DPoP" in (header(allowed, "Access-Control-Allow-Headers") or "")
        refused = await browser.request("POST", "/token", form={"grant_type": "x"}, headers=origin)
        exposed = header(refused, "Access-Control-Expose-Headers") or ""
        assert {"WWW-Authenticate", "DPoP-Nonce"} == {name.strip() for name in exposed.split(",")}


@pytest.mark.spec("RFC 9449", "5.1")
@pytest.mark.spec("RFC 8705", "5")
async def test_the_provider_says_in_its_metadata_what_it_can() -> None:
    async with pushing_provider() as op:
        found = await metadata(op)
        assert found["dpop_signing_alg_values_supported"] == [
            "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512",
        ]  # fmt: skip
        assert "mtls_endpoint_aliases" not in found
        assert "tls_client_certificate_bound_access_tokens" not in found
    async with pushing_provider(profile=MTLS | {"dpop_signing_alg_values_supported": []}) as op:
        found = await metadata(op)
        assert "dpop_signing_alg_values_supported" not in found
        assert found["tls_client_certificate_bound_access_tokens"] is True
        assert found["mtls_endpoint_aliases"]["token_endpoint"] == "https://mtls.example/shop/token"
        assert set(found["mtls_endpoint_aliases"]) <= set(found)


@pytest.mark.spec("RFC 8705", "5")
async def test_the_provider_answers_at_its_aliases_and_takes_proofs_for_them() -> None:
    async with pushing_provider(profile=MTLS) as op:
        shop = Shop(op)
        code = (await shop.log_in(await shop.ask()))["code"]
        shop.path = "/shop"
        assert (await post(shop, code, made())).error == "invalid_dpop_proof"
        assert (await post(shop, code, made(htu="https://mtls.example/shop/token"))).status == 200
