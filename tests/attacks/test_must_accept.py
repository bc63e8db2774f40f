"""What must not be refused: the guard against a provider that is safe because nobody gets through."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from appliance.protocol.messages import SetCookie
from tests.support.browser import Browser, answer, header
from tests.support.provider import Provider, provider
from tests.support.relying import RelyingParty, claims_of
from tests.support.two_issuers import configuration, party

pytestmark = pytest.mark.asyncio(loop_scope="module")
RESERVED = "!*'();:@&=+$,/?#[] %25<>\"\\^`{|}~-_.é\u20ac\U0001f600"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def op() -> AsyncIterator[Provider]:
    """Two issuers with the same people."""
    async with provider("minimal", edit=configuration()) as made:
        yield made
        assert made.report.failures == []


@pytest.mark.attack("MA-01")
@pytest.mark.spec("RFC 6749", "3.1")
async def test_unknown_parameters_are_ignored(op: Provider) -> None:
    rp = party(op, "web", "a")
    extra = {f"x_{number}": "1" for number in range(20)} | {"resource_hint": "<b>", "%00": "%zz", "audience": "x"}
    landed = await rp.login("anna", **extra)
    assert landed.keys() == {"code", "state", "iss", "session_state"}
    given = await rp.redeem(landed["code"], audience="x", foo="bar", **{"": "empty"})
    assert given.status == 200


@pytest.mark.attack("MA-03")
async def test_long_nonces_and_states_come_back_to_the_byte(op: Provider) -> None:
    rp = party(op, "web", "a")
    state = (RESERVED * 5)[:128]
    nonce = "n" * 63 + "+"
    landed = await rp.login("anna", state=state, nonce=nonce)
    assert landed["state"] == state
    assert claims_of((await rp.redeem(landed["code"]))["id_token"])["nonce"] == nonce
    assert "nonce" not in claims_of((await rp.tokens("anna", nonce=None))["id_token"])


@pytest.mark.attack("MA-07")
@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:51004/cb", "http://127.0.0.1:1/cb", "http://[::1]:65535/cb", "http://127.0.0.1/cb"]
)
async def test_a_native_application_listens_on_any_loopback_port(op: Provider, uri: str) -> None:
    rp = RelyingParty(op, "native-a", uri, path="/a")
    assert (await rp.tokens("anna")).status == 200


@pytest.mark.attack("MA-08")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_refresh_whose_answer_was_lost_may_be_repeated(op: Provider) -> None:
    rp = party(op, "web", "a")
    asked = {"grant_type": "refresh_token", "refresh_token": (await rp.tokens("anna"))["refresh_token"]}
    lost = await rp.token(**asked)
    op.clock.forward(3)
    again = await rp.token(**asked)
    assert again.status == 200
    assert again["refresh_token"] == lost["refresh_token"]
    assert (await rp.token(grant_type="refresh_token", refresh_token=again["refresh_token"])).status == 200


@pytest.mark.attack("MA-09")
@pytest.mark.spec("RFC 9110", "9.2.2")
async def test_repeated_questions_get_the_same_answer(op: Provider) -> None:
    rp = party(op, "web", "a")
    token = (await rp.tokens("anna", scope="openid profile"))["access_token"]
    for question in (
        lambda: rp.userinfo(token),
        lambda: rp.token(at="/introspect", token=token),
        lambda: rp.send("GET", "/jwks"),
    ):
        answers = await asyncio.gather(*(question() for _ in range(3)))
        assert {found.status for found in answers} == {200}
        assert len({json.dumps(found.body, sort_keys=True) for found in answers}) == 1


@pytest.mark.attack("MA-10")
async def test_a_login_works_without_scripts_after_nine_minutes_and_in_two_tabs(op: Provider) -> None:
    browser = Browser(op)
    first, second = (party(op, kind, "a", browser=browser) for kind in ("web", "pair"))
    pages = [await first.ask(state="one"), await second.ask(state="two")]
    op.clock.forward(9 * 60)
    one = await first.through(pages[0], "anna")
    two = await second.through(pages[1], "anna")
    assert (answer(one)["state"], answer(two)["state"]) == ("one", "two")
    for rp, landed in ((first, one), (second, two)):
        assert (header(landed, "Location") or "").startswith(rp.redirect_uri)
        assert (await rp.redeem(answer(landed)["code"])).status == 200
    # Nothing but the document: no script is needed to send a form.
    assert b"<noscript" not in pages[0].body


@pytest.mark.attack("MA-10")
async def test_the_cookies_of_a_login_come_with_a_link_from_another_site(op: Provider) -> None:
    browser, cookies = Browser(op), list[SetCookie]()
    respond = op.respond

    async def noting(request: object) -> object:
        response = await respond(request)  # type: ignore[arg-type]
        cookies.extend(response.cookies)
        return response

    op.respond = noting  # type: ignore[method-assign,assignment]
    try:
        await party(op, "web", "a", browser=browser).login("anna")
    finally:
        op.respond = respond  # type: ignore[method-assign]
    named = {cookie.name: cookie for cookie in cookies}
    assert named and {cookie.same_site for cookie in named.values() if cookie.http_only} == {"Lax"}
    silent = await party(op, "web", "a", browser=browser).ask(prompt="none")
    assert "code" in answer(silent)
