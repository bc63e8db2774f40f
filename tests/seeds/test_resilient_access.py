"""Resilient Access: two factors by a policy, client_secret_jwt in milliseconds, a query behind redirect URIs."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from appliance.client_assertions import JWT_BEARER
from appliance.jose.keys import symmetric
from appliance.jose.tokens import sign
from tests.support.browser import header
from tests.support.provider import Provider, provider
from tests.support.relying import Answer, RelyingParty, claims_of, is_hs256, secret_of

CALLBACK = "https://app.acme.example/oidc/callback"
WITH_QUERY = CALLBACK + "?tenant=7&page=a%2Fb"


@pytest.fixture
async def op() -> AsyncIterator[Provider]:
    """The provider that stands in."""
    async with provider("resilient_access") as made:
        yield made


def client(op: Provider, client_id: str = "acme-app", redirect_uri: str = CALLBACK) -> RelyingParty:
    return RelyingParty(op, client_id, redirect_uri)


async def redeem(rp: RelyingParty, code: str, *, exp: float | None = None, **form: str | None) -> Answer:
    """A token request as the older contract has it: the assertion, and no client_id."""
    now = rp.op.clock()
    claims: dict[str, Any] = {
        "iss": rp.client_id,
        "sub": rp.client_id,
        "aud": "http://localhost:8080/token",
        "jti": f"5b1c-{now}-{code[-8:]}",
        "exp": int((now + 120) * 1000) if exp is None else exp,
    }
    assertion = sign(symmetric(secret_of(rp.op, rp.client_id).encode(), "HS256"), claims, None)
    whole: dict[str, str | None] = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    return await rp.redeem(code, proved=False, at="/openId/token", **(whole | form))


@pytest.mark.seed("R1", "R3", "R5", "R7", "R9", "R10", "R15", "R16", "R31", "R34", "R35", "R36", "R38", "R39", "R46")
@pytest.mark.seed("R47", "R48", "R49", "R51", "R52", "R53", "R54", "R56", "R57", "R61")
async def test_the_provider_logs_in_with_two_factors_and_answers_in_the_older_contract(op: Provider) -> None:
    rp = client(op)
    answer = await rp.login("jane", at="/openId/authenticate", scope="openid profile email staff", nonce="n-1")
    assert rp.seen == ["login", "otp", "consent"]
    assert answer["state"] == "xyz"
    given = await redeem(rp, answer["code"])
    assert given.status == 200 and given["token_type"] == "Bearer" and isinstance(given["expires_in"], int)
    claims = claims_of(given["id_token"])
    assert is_hs256(given["id_token"], secret_of(op, "acme-app"))
    assert (claims["sub"], claims["aud"], claims["nonce"]) == ("248289761001", "acme-app", "n-1")
    told = (await rp.userinfo(given["access_token"], at="/openId/userinfo")).body
    assert told == {
        "sub": "248289761001",
        "name": "Jane Doe",
        "given_name": "Jane",
        "family_name": "Doe",
        "preferred_username": "j.doe",
        "email": "j.doe@acme.example",
        "picture": "https://acme.example/jane.jpg",
        "https://acme.example/claims/cost_centre": "4711",
    }


@pytest.mark.seed("R37")
async def test_the_provider_takes_the_request_by_post(op: Provider) -> None:
    rp = client(op)
    form = {"client_id": "acme-app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    pkce = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    posted = await rp.browser.request("POST", "/openId/authenticate", form=form | pkce)
    page = await rp.browser.visit((header(posted, "Location") or "").removeprefix("http://localhost:8080"))
    end = await rp.through(page, "jane")
    assert (header(end, "Location") or "").startswith(CALLBACK)


@pytest.mark.seed("R12", "R19")
async def test_the_provider_denies_a_user_without_a_phone_in_the_words_of_the_policy(op: Provider) -> None:
    rp = client(op)
    end = await rp.through(await rp.ask(), "bob")
    assert b"help desk, extension 400" in end.body


@pytest.mark.seed("R40", "R41", "R42", "R43")
@pytest.mark.parametrize(
    ("missing", "error"), [("response_type", "invalid_request"), ("client_id", None), ("redirect_uri", None)]
)
async def test_the_provider_requires_what_the_contract_requires(op: Provider, missing: str, error: str | None) -> None:
    end = await client(op).ask(**{missing: None})
    assert (error in (header(end, "Location") or "")) if error else end.status == 400
    assert (await client(op).ask(response_type="id_token", nonce="n")).status == 303
    assert (await client(op).ask(state=None)).status == 200


@pytest.mark.seed("R44", "R45", "R50")
@pytest.mark.parametrize("named", [WITH_QUERY, CALLBACK])
async def test_the_provider_lets_the_client_add_a_query_and_leave_it_out_again(op: Provider, named: str) -> None:
    rp = client(op, redirect_uri=WITH_QUERY)
    answer = await rp.login("jane")
    assert (answer["tenant"], answer["page"]) == ("7", "a/b")
    assert (await redeem(rp, answer["code"], redirect_uri=named)).status == 200


@pytest.mark.seed("R50")
@pytest.mark.parametrize("named", [CALLBACK + "?tenant=8", CALLBACK + "?", CALLBACK + "/", None])
async def test_the_provider_redeems_for_no_other_address(op: Provider, named: str | None) -> None:
    rp = client(op, redirect_uri=WITH_QUERY)
    answer = await rp.login("jane")
    assert (await redeem(rp, answer["code"], redirect_uri=named)).error == "invalid_grant"


@pytest.mark.seed("R44")
@pytest.mark.attack("RU-33")
@pytest.mark.parametrize(
    "redirect_uri",
    [
        CALLBACK + "?code=EVIL&state=EVIL",
        CALLBACK + "?a=b&iss=https%3A%2F%2Fevil.example",
        CALLBACK + "?id_token=x",
        CALLBACK + "?CODE=x",
        CALLBACK + "?session-state=x",
        CALLBACK + "?%63ode=x",
        CALLBACK + "?code%5B%5D=x",
        CALLBACK + "?a.code=x",
        CALLBACK + "?a=b;code=x",
        CALLBACK + "?a=b&response=x",
        CALLBACK + "?a",
        CALLBACK + "?",
        CALLBACK + "?a=b&",
        CALLBACK + "?a=b#fragment",
        CALLBACK + "?a=b?c=d",
        CALLBACK + "?a=b\\c",
        CALLBACK + "/?a=b",
        CALLBACK.replace("callback", "Callback") + "?a=b",
        CALLBACK.replace("/oidc", "/x/../oidc") + "?a=b",
        CALLBACK.replace("https", "http") + "?a=b",
        CALLBACK.replace("app.acme.example", "app.acme.example:443") + "?a=b",
        "https://evil.example/oidc/callback?a=b",
        CALLBACK + "?" + "a=b&" * 600 + "a=b",
    ],
)
async def test_the_provider_shows_a_page_for_every_address_but_a_harmless_query(
    op: Provider, redirect_uri: str
) -> None:
    end = await client(op, redirect_uri=redirect_uri).ask()
    assert end.status == 400 and header(end, "Location") is None


@pytest.mark.seed("R23", "R44")
async def test_the_provider_compares_exactly_for_clients_that_did_not_ask(op: Provider) -> None:
    address = "https://travel.acme.example/oidc/callback"
    assert (await client(op, "exact", address).ask()).status == 200
    assert (await client(op, "exact", address + "?tenant=7").ask()).status == 400


@pytest.mark.seed("R44")
async def test_the_provider_asks_for_pkce_where_a_query_may_be_added(op: Provider) -> None:
    end = await client(op).ask(code_challenge=None, code_challenge_method=None)
    assert "error=invalid_request" in (header(end, "Location") or "")


@pytest.mark.seed("R53")
@pytest.mark.attack("CA-25")
@pytest.mark.parametrize("ahead", [10 * 365 * 86400, -300, 3 * 3600])
@pytest.mark.parametrize("unit", [1, 1000])
async def test_the_provider_takes_no_assertion_that_lasts_or_ended(op: Provider, ahead: int, unit: int) -> None:
    rp = client(op)
    answer = await rp.login("jane")
    refused = await redeem(rp, answer["code"], exp=int((op.clock() + ahead) * unit))
    assert (refused.status, refused.error) == (401, "invalid_client")


@pytest.mark.seed("R59")
async def test_the_provider_logs_out_in_the_older_contract(op: Provider) -> None:
    rp = client(op)
    given = await redeem(rp, (await rp.login("jane"))["code"])
    sub = claims_of(given["id_token"])["sub"]
    asked = {"client_id": "acme-app", "redirect_uri": "https://app.acme.example/bye", "sub": sub}
    end = await rp.browser.visit("/openId/logout?" + urlencode(asked))
    assert (header(end, "Location") or "").startswith("https://app.acme.example/bye")
    assert b'id="password"' in (await rp.ask()).body


@pytest.mark.seed("R59")
@pytest.mark.parametrize("changes", [{"sub": "248289761002"}, {"redirect_uri": "https://evil.example/"}])
async def test_the_provider_does_not_log_out_for_somebody_else(op: Provider, changes: dict[str, str]) -> None:
    rp = client(op)
    await redeem(rp, (await rp.login("jane"))["code"])
    asked = {"client_id": "acme-app", "redirect_uri": "https://app.acme.example/bye", "sub": "248289761001"}
    end = await rp.browser.visit("/openId/logout?" + urlencode(asked | changes))
    assert header(end, "Location") is None
    assert "code=" in (header(await rp.ask(), "Location") or "")
