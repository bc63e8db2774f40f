"""RFC 6749 4.4: a client acts for itself."""

from dataclasses import replace

import pytest

from tests.support.minting import CLIENT, PROFILE, SPA, mint

pytestmark = pytest.mark.spec("RFC 6749", "4.4")


async def test_gives_a_confidential_client_its_own_scopes() -> None:
    op = await mint()
    answer = await op.ask(grant_type="client_credentials")
    assert list(answer.body) == ["access_token", "token_type", "expires_in", "scope"]
    assert answer["scope"] == "reports.read reports.write"
    assert (await op.ask(grant_type="client_credentials", scope="reports.write"))["scope"] == "reports.write"


@pytest.mark.attack("SC-03")
@pytest.mark.parametrize(
    "asked", ["openid", "offline_access", "profile email", "unknown", "loyalty", "billing"]
)
async def test_gives_no_scope_that_is_about_a_user_or_not_the_clients(asked: str) -> None:
    op = await mint()
    assert (await op.ask(grant_type="client_credentials", scope=asked)).code == "invalid_scope"
    answer = await op.ask(grant_type="client_credentials", scope=f"{asked} reports.read")
    assert answer["scope"] == "reports.read"
    strict = await mint(profile=replace(PROFILE, unknown_scopes="reject"))
    assert (
        await strict.ask(grant_type="client_credentials", scope=f"{asked} reports.read")
    ).code == "invalid_scope"


@pytest.mark.attack("SC-01")
@pytest.mark.parametrize("asked", ['a"b', "a\\b", "a\tb", "é", " ".join(f"s{n}" for n in range(5000))])
async def test_refuses_malformed_scopes(asked: str) -> None:
    op = await mint()
    assert (await op.ask(grant_type="client_credentials", scope=asked)).code == "invalid_scope"


@pytest.mark.attack("CA-07")
async def test_refuses_a_public_client() -> None:
    op = await mint()
    assert (await op.ask(SPA, grant_type="client_credentials")).code == "unauthorized_client"


@pytest.mark.attack("TB-23")
async def test_gives_nothing_to_see_at_userinfo() -> None:
    op = await mint()
    token = (await op.ask(grant_type="client_credentials"))["access_token"]
    answer = await op.look(token)
    assert (answer.status, answer.code) == (403, "insufficient_scope")


async def test_answers_without_a_scope_when_the_client_has_none() -> None:
    bare = replace(CLIENT, scope=())
    op = await mint(clients=(bare,))
    assert "scope" not in (await op.ask(bare, grant_type="client_credentials")).body
