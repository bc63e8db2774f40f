"""Attacks on what the token endpoint gives for a code, through the whole provider."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.provider import Provider, provider
from tests.support.relying import RelyingParty
from tests.support.two_issuers import configuration, party

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def op() -> AsyncIterator[Provider]:
    """Two issuers with the same people."""
    async with provider("minimal", edit=configuration()) as made:
        yield made
        assert made.report.failures == []


@pytest.mark.attack("RU-36")
@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_code_asked_for_with_an_address_is_not_redeemed_without_it(op: Provider) -> None:
    rp = party(op, "web", "a")
    code = (await rp.login("anna"))["code"]
    refused = await rp.redeem(code, redirect_uri=None)
    assert (refused.status, refused.error) == (400, "invalid_grant")
    # RFC 9700 4.5: the code is burnt.
    again = await rp.redeem(code)
    assert (again.status, again.error) == (400, "invalid_grant")


@pytest.mark.attack("RF-11")
@pytest.mark.spec("OpenID Connect Core", "11")
@pytest.mark.parametrize(
    ("scope", "prompt", "given"),
    [
        ("openid", None, False),
        ("openid", "consent", False),
        ("openid offline_access", None, False),
        ("openid offline_access", "login", False),
        ("openid offline_access", "consent", True),
    ],
)
async def test_offline_access_needs_to_be_asked_for_and_consented_to(
    op: Provider, scope: str, prompt: str | None, given: bool
) -> None:
    rp = RelyingParty(op, "native-a", "http://127.0.0.1:5000/cb", path="/a")
    tokens = await rp.tokens("anna", scope=scope, prompt=prompt)
    assert tokens.status == 200
    assert ("refresh_token" in tokens.body) == given
    assert ("offline_access" in str(tokens.body.get("scope", scope))) == given


@pytest.mark.attack("RF-11")
async def test_without_its_grant_type_no_consent_earns_a_refresh_token(op: Provider) -> None:
    rp = party(op, "spa", "a")
    tokens = await rp.tokens("anna", scope="openid offline_access", prompt="consent")
    assert tokens.status == 200
    assert "refresh_token" not in tokens.body
