"""Attacks across issuers of one process: what one of them issued is nothing to the other."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from appliance.protocol.messages import Request
from tests.support.provider import Provider, provider
from tests.support.two_issuers import INITIAL, asserted, configuration, issuer, party

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def op() -> AsyncIterator[Provider]:
    """Two issuers with the same people."""
    async with provider("minimal", edit=configuration()) as made:
        yield made
        assert made.report.failures == []


@pytest.mark.attack("MX-04")
@pytest.mark.spec("RFC 9068", "4")
async def test_an_access_token_of_one_issuer_is_worth_nothing_at_the_other(op: Provider) -> None:
    here, there = party(op, "web", "a"), party(op, "web", "b")
    token = (await here.tokens("anna", scope="openid profile"))["access_token"]
    refused = await there.userinfo(token)
    assert (refused.status, refused.error) == (401, "invalid_token")
    for kind in ("web", "machine"):
        told = await party(op, kind, "b").token(at="/introspect", token=token)
        assert (told.status, told.body) == (200, {"active": False})
    assert (await there.token(at="/revoke", token=token)).status == 200
    assert (await here.userinfo(token)).status == 200
    assert (await here.token(at="/introspect", token=token))["active"] is True


@pytest.mark.attack("MX-04", "DC-01")
async def test_neither_it_nor_a_registration_access_token_opens_the_others_registration(op: Provider) -> None:
    here, there = party(op, "web", "a"), party(op, "web", "b")
    token = (await here.tokens("anna"))["access_token"]
    json = {"content-type": ("application/json",)}
    body = b'{"redirect_uris":["https://new.example/cb"]}'

    async def register(at: str, bearer: str) -> tuple[int, str]:
        made = await there.send("POST", at, {**json, "authorization": (f"Bearer {bearer}",)}, body)
        return made.status, str(made.error)

    assert await register("/register", token) == (401, "invalid_token")
    headers = {**json, "authorization": (f"Bearer {INITIAL}",)}
    made = await here.send("POST", "/register", headers, body)
    assert made.status == 201
    management = made["registration_client_uri"].removeprefix(issuer("a"))
    path, _, query = management.partition("?")
    bearer = {"authorization": (f"Bearer {made['registration_access_token']}",)}
    elsewhere = await op.respond(_get(f"/b{path}", query, bearer))
    assert elsewhere.status == 401
    assert (await op.respond(_get(f"/a{path}", query, bearer))).status == 200


@pytest.mark.attack("MX-05")
async def test_a_refresh_token_at_the_other_issuer_is_refused_and_its_family_lives(op: Provider) -> None:
    here = party(op, "web", "a")
    given = await here.tokens("anna", scope="openid profile")
    asked = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    refused = await party(op, "web", "b").token(**asked)
    assert (refused.status, refused.error) == (400, "invalid_grant")
    assert (await party(op, "web", "b").token(at="/revoke", token=given["refresh_token"])).status == 200
    assert (await here.userinfo(given["access_token"])).status == 200
    assert (await here.token(**asked)).status == 200


@pytest.mark.attack("MX-08")
@pytest.mark.spec("RFC 7523", "3")
async def test_an_assertion_for_the_other_issuer_proves_nothing(op: Provider) -> None:
    assert (await asserted(op, "mac-b", "b", issuer("b"), "good")).status == 200
    for number, audience in enumerate((issuer("a"), f"{issuer('a')}/token", "http://localhost:8080")):
        refused = await asserted(op, "mac-b", "b", audience, f"jti-{number}")
        assert (refused.status, refused.error) == (401, "invalid_client")
    # Its client is nobody at the other issuer either, whatever the audience says.
    for audience in (issuer("a"), issuer("b")):
        refused = await asserted(op, "mac-b", "a", audience, "elsewhere")
        assert (refused.status, refused.error) == (401, "invalid_client")


@pytest.mark.attack("MX-07")
async def test_a_session_of_one_issuer_is_none_at_the_other(op: Provider) -> None:
    here = party(op, "web", "a")
    await here.login("anna")
    there = party(op, "web", "b", browser=here.browser)
    # The cookies of the one under the names of the other as well.
    planted = {name.replace("_a", "_b").replace("-a", "-b"): value for name, value in here.browser.cookies.items()}
    here.browser.cookies.update(planted)
    answer = await there.ask(prompt="none")
    assert b"login_required" in dict(answer.headers)["Location"].encode()


def _get(path: str, query: str, headers: dict[str, tuple[str, ...]]) -> Request:
    return Request("GET", path, query, {"host": ("localhost:8080",), **headers}, peer="127.0.0.1")
