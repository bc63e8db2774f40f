"""OpenID Connect Core 3.1.2.1 and Initiating User Registration: what is honoured, what is accepted, what is not."""

import json

import pytest

from tests.support.browser import Browser
from tests.support.objects import LEVELS, address, end, shop_provider


@pytest.mark.spec("Initiating User Registration via OpenID Connect", "4.1")
async def test_neither_offers_nor_accepts_prompt_create() -> None:
    async with shop_provider() as op:
        found = json.loads((await Browser(op).visit("/.well-known/openid-configuration")).body)
        assert found["prompt_values_supported"] == ["none", "login", "consent", "select_account"]
        refused = await end(op, address(prompt="create"))
        assert refused.error == "invalid_request" and "prompt" in refused.parameters["error_description"]


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "unheard-of"])
async def test_accepts_any_display(display: str) -> None:
    async with shop_provider() as op:
        assert (await end(op, address(display=display))).error is None


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_prefills_the_login_hint_and_shows_the_asked_language() -> None:
    async with shop_provider() as op:
        page = await Browser(op).visit(address(login_hint='an"na', ui_locales="xx fi en"))
        assert b'lang="fi"' in page.body and b'value="an&#34;na"' in page.body


@pytest.mark.spec("OpenID Connect Core Error Code unmet_authentication_requirements", "2")
async def test_refuses_an_essential_level_that_it_does_not_have() -> None:
    async with shop_provider() as op:
        for values, error in ((["urn:unknown"], "unmet_authentication_requirements"), (list(LEVELS), None)):
            asked = json.dumps({"id_token": {"acr": {"essential": True, "values": values}}})
            assert (await end(op, address(claims=asked))).error == error
            wish = json.dumps({"id_token": {"acr": {"values": values}}})
            assert (await end(op, address(claims=wish))).error is None
        assert (await end(op, address(acr_values="urn:unknown"))).error is None
