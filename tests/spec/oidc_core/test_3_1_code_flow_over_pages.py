"""OpenID Connect Core 3.1: the code flow through the pages as a browser gets them, over an assembled provider."""

import json

import pytest
from argon2 import PasswordHasher

from appliance.protocol.form import encode
from tests.support.browser import Browser, answer, header
from tests.support.provider import provider

PEOPLE = {
    "sources": {
        "people": {
            "kind": "static",
            "users": {
                "u-1": {
                    "login": "anna",
                    "password": {"hash": PasswordHasher(time_cost=1, memory_cost=8192).hash("anna")},
                    "attributes": {"id": "u-1", "name": "Anna", "emails": [{"value": "anna@example.com"}]},
                }
            },
        }
    }
}
# JSON is YAML.
EDIT = {"sources/people.yaml": json.dumps(PEOPLE)}
REDIRECT_URI = "https://shop.example.com/callback"
ASKED = {
    "client_id": "shop",
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": "openid",
    "state": "s",
    "ui_locales": "en",
}


def address(**changes: str) -> str:
    return "/authorize?" + encode((ASKED | changes).items())


@pytest.mark.spec("OpenID Connect Core", "3.1.2")
async def test_leads_through_its_pages_to_a_code_and_out_again() -> None:
    async with provider("minimal", edit=EDIT) as op:
        browser = Browser(op)
        login = await browser.visit(address())
        assert login.status == 200 and b'id="password"' in login.body
        wrong = await browser.login(login, password="no")
        assert wrong.status == 200 and b'value="anna"' in wrong.body
        consent = await browser.login(wrong, password="anna")
        assert b'id="allow"' in consent.body and b'id="deny"' in consent.body
        end = await browser.submit(consent, button="allow")
        assert (header(end, "Location") or "").startswith(REDIRECT_URI)
        assert answer(end).keys() == {"code", "state", "iss"}
        assert "code" in answer(await browser.visit(address(prompt="none")))
        chooser = await browser.visit(address(prompt="select_account"))
        other = await browser.submit(chooser, button="other-account")
        assert b'id="password"' in other.body
        listed = await browser.visit("/consents")
        assert b"Shop" in (await browser.visit(browser.path)).body and b"revoke-" in listed.body
        bye = await browser.submit(await browser.visit("/logout"), button="logout-yes")
        assert b'id="logged-out"' in bye.body
        assert answer(await browser.visit(address(prompt="none")))["error"] == "login_required"
        assert op.report.failures == []


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_answers_an_unknown_client_with_a_page() -> None:
    async with provider("minimal", edit=EDIT) as op:
        page = await Browser(op).visit(address(client_id="nobody"))
        assert page.status == 400 and b'id="error-page"' in page.body
        assert header(page, "Content-Type") == "text/html; charset=utf-8"


async def test_goes_on_with_a_login_over_a_reload_and_stops_when_the_client_is_gone() -> None:
    async with provider("minimal", edit=EDIT) as op:
        browser = Browser(op)
        login = await browser.visit(address())
        await op.load()
        consent = await browser.login(login, password="anna")
        assert b'id="allow"' in consent.body
        shop = op.directory / "clients" / "shop.yaml"
        shop.write_text(shop.read_text().replace("profile: main", "profile: main, status: disabled"))
        await op.load()
        end = await browser.submit(consent, button="allow")
        assert end.status == 400 and b'id="error-page"' in end.body and header(end, "Location") is None
