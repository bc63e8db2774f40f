"""RFC 9396 3, RFC 8707 2: the same parameters where no browser brings them, and where it brings the token itself."""

from typing import Any

import pytest

from appliance.jose.tokens import decode_strict
from tests.spec.rfc9396.test_2_authorization_details import ACCOUNT, API, PAYMENT, TYPES, detailed, text
from tests.support.provider import provider
from tests.support.pushing import Shop
from tests.support.relying import claims_of
from tests.support.waiting import DEVICE, Device, client, retail, text_of

OTHER = "https://other.example"
SETTINGS: dict[str, Any] = {
    "authorization_details_types": TYPES,
    "resources": {
        API: {"scopes": ["email"], "title": {"en": "The accounts API"}, "access_token_format": "jwt"},
        OTHER: {"scopes": ["email"], "access_token_format": "jwt"},
    },
}


@pytest.mark.spec("RFC 9396", "3")
async def test_asks_the_user_of_a_device_for_them() -> None:
    own = client("box", grant_types=[DEVICE, "refresh_token"], authorization_details_types=["payment_initiation"])
    async with provider(edit={**retail(DEVICE, **SETTINGS), **own}) as op:
        box = Device(op, "box")
        assert (await box.begin(authorization_details=text(ACCOUNT))).error == "invalid_authorization_details"
        assert (await box.begin(resource="https://unknown.example")).error == "invalid_target"
        begun = await box.begin(scope="openid email", authorization_details=text(PAYMENT), resource=API)
        assert begun.status == 200
        page = await box.type_code()
        for _ in range(3):
            if b"Make a payment" in page.body:
                break
            page = await box.browser.login(page) if b'id="password"' in page.body else page
        shown = text_of(page)
        assert "Make a payment" in shown and "Merchant A" in shown and "The accounts API" in shown
        await box.through(page, "anna")
        tokens = await box.wait_and_poll()
        assert tokens["authorization_details"] == [PAYMENT]
        assert claims_of(tokens["access_token"])["aud"] == API


@pytest.mark.spec("RFC 8707", "2")
async def test_narrows_the_token_that_the_browser_brings() -> None:
    profile = {
        "response_types_supported": ["code", "code id_token token"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "implicit", "refresh_token", "client_credentials"],
    }
    grants = ["authorization_code", "implicit", "client_credentials", "refresh_token"]
    async with detailed(profile, response_types=["code", "code id_token token"], grant_types=grants) as op:
        shop = Shop(op)
        asked = {"resource": API, "scope": "openid accounts", "authorization_details": text(ACCOUNT)}
        landed = await shop.log_in(await shop.ask(response_type="code id_token token", nonce="n", **asked))
        told = claims_of(landed["access_token"])
        assert (told["aud"], told["scope"], landed["scope"]) == (API, "accounts", "accounts")
        assert told["authorization_details"] == [ACCOUNT]
        assert "openid" not in decode_strict(landed["access_token"]).payload.decode()


@pytest.mark.spec("RFC 9126", "1")
async def test_takes_more_in_a_pushed_request_than_a_browser_could_carry() -> None:
    large = text(*[PAYMENT | {"creditorName": "x" * 120} for _ in range(15)])
    async with detailed() as op:
        shop = Shop(op)
        pushed = await shop.push(authorization_details=large, login_hint="x" * 500, state="y" * 3000)
        assert pushed.status == 201
        landed = await shop.log_in(await shop.visit(pushed["request_uri"]))
        assert len((await shop.redeem(landed["code"]))["authorization_details"]) == 15
