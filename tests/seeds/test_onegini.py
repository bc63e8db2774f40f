"""Onegini Token Server: claims in the ID Token, levels of authentication, one acr value at a time."""

import json
from collections.abc import AsyncIterator

import pytest
from jwcrypto import jwe, jwk

from tests.support.browser import header
from tests.support.provider import Provider, provider
from tests.support.relying import RelyingParty, claims_of

CALLBACK, PAGE = "https://client.example.com/callback", "https://page.example.com/callback"
LEVEL = "urn:onegini.com:oidc:authentication_level:"
PROFILE = {
    "name": "Maria Jansen",
    "given_name": "Maria",
    "family_name": "Jansen",
    "nickname": "marij",
    "preferred_username": "marij",
    "gender": "female",
    "birthdate": "1985-07-19",
    "locale": "nl-NL",
}
PHONE = {"phone_number": "+31612345678", "phone_number_verified": True, "phone": "+31612345678"}
ADDRESS = {
    "street_address": "Kerkstraat 12 A",
    "locality": "Utrecht",
    "region": "Utrecht",
    "postal_code": "3511 AB",
    "country": "Netherlands",
}


@pytest.fixture
async def op() -> AsyncIterator[Provider]:
    """The provider that stands in."""
    async with provider("onegini") as made:
        yield made


@pytest.mark.seed("O3", "O9", "O10", "O11", "O12", "O13", "O14", "O16", "O17", "O18", "O19", "O20", "O21", "O22")
@pytest.mark.seed("O23", "O24", "O25", "O26", "O27", "O28", "O29", "O30", "O39", "O41", "O47")
async def test_the_provider_puts_the_claims_of_the_scopes_into_the_id_token(op: Provider) -> None:
    rp = RelyingParty(op, "openid", CALLBACK)
    given = await rp.tokens("maria", at="/oauth/authorize", scope="openid profile email address phone customer")
    wanted = PROFILE | PHONE | {"address": ADDRESS, "customer_number": "90210"}
    wanted |= {"email": "maria@example.com", "email_verified": True}
    claims = claims_of(given["id_token"])
    assert {name: value for name, value in claims.items() if name in wanted} == wanted
    assert (await rp.userinfo(given["access_token"])).body == {"sub": "p-1", **wanted}


@pytest.mark.seed("O9", "O13", "O14", "O26")
async def test_the_provider_leaves_out_what_was_not_asked_and_what_is_not_known(op: Provider) -> None:
    rp = RelyingParty(op, "openid", CALLBACK)
    claims = claims_of((await rp.tokens("sven", scope="openid profile phone address"))["id_token"])
    assert claims.keys() & {*PROFILE, *PHONE, "address", "email"} == {"name", "given_name"}


@pytest.mark.seed("O5", "O6", "O8")
async def test_the_provider_gives_the_id_token_alone_in_front(op: Provider) -> None:
    rp = RelyingParty(op, "browser", PAGE)
    answer = await rp.login("maria", response_type="id_token", nonce="n", scope="openid profile")
    assert claims_of(answer["id_token"])["name"] == "Maria Jansen" and "access_token" not in answer
    for missing in ({"scope": "profile"}, {"nonce": None}):
        refused = await rp.ask(**({"response_type": "id_token", "nonce": "n"} | missing))
        assert "#error=" in (header(refused, "Location") or "") or refused.status == 400


@pytest.mark.seed("O4", "O7")
async def test_the_provider_has_no_hybrid_flow_and_no_flow_that_is_not_the_clients(op: Provider) -> None:
    hybrid = await RelyingParty(op, "openid", CALLBACK).ask(response_type="code id_token", nonce="n")
    assert "error=unsupported_response_type" in (header(hybrid, "Location") or "")
    code = await RelyingParty(op, "browser", PAGE).ask()
    assert "error=unauthorized_client" in (header(code, "Location") or "")


@pytest.mark.seed("O31", "O32", "O33", "O35", "O37")
@pytest.mark.parametrize(
    ("level", "pages", "reached"),
    [(1, ["login"], 2), (2, ["login"], 2), (3, ["login", "otp"], 4), (4, ["login", "otp"], 4)],
)
async def test_the_provider_reaches_at_least_the_level_that_is_asked(
    op: Provider, level: int, pages: list[str], reached: int
) -> None:
    rp = RelyingParty(op, "openid", CALLBACK)
    given = await rp.tokens("maria", acr_values=f"{LEVEL}{level}")
    assert rp.seen == pages
    assert claims_of(given["id_token"])["acr"] == f"{LEVEL}{reached}"


@pytest.mark.seed("O33", "O37")
async def test_the_provider_answers_an_essential_level_with_its_own_value(op: Provider) -> None:
    rp = RelyingParty(op, "openid", CALLBACK)
    asked = {"id_token": {"acr": {"essential": True, "value": f"{LEVEL}3"}}}
    given = await rp.tokens("maria", claims=json.dumps(asked))
    assert claims_of(given["id_token"])["acr"] == f"{LEVEL}3"


@pytest.mark.seed("O33", "O45")
async def test_the_provider_steps_up_a_session_and_tells_its_id(op: Provider) -> None:
    rp = RelyingParty(op, "openid", CALLBACK)
    first = claims_of((await rp.tokens("maria", acr_values=f"{LEVEL}1"))["id_token"])
    op.clock.forward(16 * 60)
    second = claims_of((await rp.tokens("maria", acr_values=f"{LEVEL}3"))["id_token"])
    assert rp.seen == ["login", "otp"]
    assert (first["acr"], second["acr"]) == (f"{LEVEL}2", f"{LEVEL}3") and first["sid"] == second["sid"]


@pytest.mark.seed("O36")
async def test_the_provider_refuses_several_levels_at_once(op: Provider) -> None:
    refused = await RelyingParty(op, "openid", CALLBACK).ask(acr_values=f"{LEVEL}1 {LEVEL}2")
    assert "error=invalid_request" in (header(refused, "Location") or "")


@pytest.mark.seed("O34", "O40", "O42", "O44")
async def test_the_provider_publishes_levels_keys_and_session_management(op: Provider) -> None:
    rp = RelyingParty(op, "openid", CALLBACK)
    told = await rp.send("GET", "/.well-known/openid-configuration")
    assert told["acr_values_supported"] == [f"{LEVEL}{n}" for n in (1, 2, 3, 4)]
    assert told["check_session_iframe"].startswith("http://localhost:8080/")
    assert (await rp.send("GET", "/jwks"))["keys"]


@pytest.mark.seed("O43")
async def test_the_provider_encrypts_the_id_token_for_a_client_that_asks() -> None:
    key = jwk.JWK.generate(kty="EC", crv="P-256", kid="e", use="enc")
    client = {
        "client_id": "sealed",
        "client_name": "Sealed",
        "redirect_uris": ["https://sealed.example.com/cb"],
        "scope": "openid profile",
        "token_endpoint_auth_method": "none",
        "jwks": {"keys": [key.export_public(as_dict=True)]},
        "id_token_encrypted_response_alg": "ECDH-ES",
        "id_token_encrypted_response_enc": "A256GCM",
        "op": {"profile": "tokenserver", "consent": "skip_first_party"},
    }
    async with provider("onegini", edit={"clients/sealed.yaml": json.dumps(client)}) as op:
        given = await RelyingParty(op, "sealed", "https://sealed.example.com/cb").tokens(
            "maria", scope="openid profile"
        )
        opened = jwe.JWE()
        opened.deserialize(given["id_token"], key)
        assert claims_of(opened.payload.decode())["name"] == "Maria Jansen"
