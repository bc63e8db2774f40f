"""Attacks on pushed authorization requests that take more than one client or issuer."""

from typing import Any

import pytest

from tests.support.browser import header
from tests.support.provider import provider
from tests.support.pushing import ASKED, Shop
from tests.support.relying import secret_of
from tests.support.two_issuers import configuration


@pytest.mark.attack("MX-09")
@pytest.mark.spec("RFC 9126", "7.5")
async def test_a_request_that_was_pushed_to_one_issuer_is_nothing_to_the_other() -> None:
    async with provider("minimal", edit=configuration()) as op:
        shops: dict[str, Shop] = {}
        for letter in "ab":
            shop = shops[letter] = Shop(op, client_id=f"web-{letter}", path=f"/{letter}")
            shop.secret = secret_of(op, f"web-{letter}")
        own: dict[str, Any] = {"redirect_uri": "https://web-a.example/cb"}
        reference = (await shops["a"].push(**own))["request_uri"]
        for client_id in ("web-a", "web-b"):
            refused = await shops["b"].visit(reference, client_id=client_id)
            assert refused.status == 400 and header(refused, "Location") is None
        page = await shops["a"].visit(reference)
        assert b'id="password"' in page.body
        # Nor does one issuer's client push at the other.
        shops["b"].client_id, shops["b"].secret = "web-a", shops["a"].secret
        assert (await shops["b"].push(**own)).error == "invalid_client"


@pytest.mark.attack("CD-07", "RO-10")
async def test_a_reference_is_nothing_but_a_reference() -> None:
    async with provider("minimal", edit=configuration()) as op:
        shop = Shop(op, client_id="web-a", path="/a")
        shop.secret = secret_of(op, "web-a")
        reference = (await shop.push(redirect_uri="https://web-a.example/cb"))["request_uri"]
        for form in (
            {"grant_type": "authorization_code", "code": reference},
            {"grant_type": "refresh_token", "refresh_token": reference},
        ):
            assert (await shop.post("/token", form)).error == "invalid_grant"
        assert (await shop.post("/introspect", {"token": reference})).body == {"active": False}
        handle = reference.rpartition(":")[2]
        for prefix in ("", "op_ac_", "op_rt_", "op_at_"):
            page = await shop.browser.visit(f"/a/authorize/resume?interaction={prefix}{handle}")
            assert page.status == 400
        landed = await shop.log_in(await shop.ask(redirect_uri="https://web-a.example/cb"))
        page = await shop.visit("urn:ietf:params:oauth:request_uri:" + landed["code"].removeprefix("op_ac_"))
        assert page.status == 400 and b"invalid_request_uri" in page.body
        assert ASKED["state"] == landed["state"]
