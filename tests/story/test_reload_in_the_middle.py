"""The files change while somebody is logging in: the transaction goes on under the new rules, or ends clearly."""

import re
from urllib.parse import urlencode

import orjson
import pytest

from appliance.protocol.messages import Request, Response
from tests.support.browser import Browser, answer, header, title
from tests.support.provider import Provider, provider

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REDIRECT = "http://127.0.0.1:8081/callback"
CLIENT = "clients/retail/sample-rp.yaml"


def authorize(**more: str) -> str:
    asked = {
        "client_id": "sample-rp",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid email",
        "state": "the-state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return "/retail/authorize?" + urlencode(asked | more)


async def redeem(op: Provider, code: str) -> Response:
    secret = (op.directory / "secrets/sample-rp").read_text().strip()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    return await token(op, form, secret)


async def token(op: Provider, form: dict[str, str], secret: str) -> Response:
    import base64

    credentials = base64.b64encode(f"sample-rp:{secret}".encode()).decode()
    headers = {
        "authorization": (f"Basic {credentials}",),
        "content-type": ("application/x-www-form-urlencoded",),
    }
    body = urlencode(form).encode()
    return await op.respond(Request("POST", "/retail/token", "", headers, body, "127.0.0.1", op.clock()))


async def finish(browser: Browser, page: Response) -> Response:
    """Through whatever pages are left."""
    for _ in range(5):
        if header(page, "Location") is not None:
            return page
        page = await (browser.submit(page, button="allow") if b'id="allow"' in page.body else browser.login(page))
    return page


def edit(op: Provider, name: str, old: str, new: str) -> None:
    file = op.directory / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.attack("CF-18")
async def test_a_client_removed_between_the_login_page_and_its_answer_ends_on_a_page() -> None:
    async with provider() as op:
        browser = Browser(op)
        page = await browser.visit(authorize())
        (op.directory / CLIENT).unlink()
        await op.load()
        answered = await browser.login(page)
        assert answered.status == 400
        assert header(answered, "Location") is None
        assert b'id="error-page"' in answered.body
        assert title(answered).startswith("Error:")
        assert op.report.failures == []


@pytest.mark.attack("CF-18", "CD-09")
async def test_a_code_of_a_client_that_was_removed_buys_nothing_and_works_when_it_is_put_back() -> None:
    async with provider() as op:
        browser = Browser(op)
        code = answer(await finish(browser, await browser.visit(authorize())))["code"]
        text = (op.directory / CLIENT).read_text()
        (op.directory / CLIENT).unlink()
        await op.load()
        refused = await redeem(op, code)
        assert (refused.status, orjson.loads(refused.body)["error"]) == (401, "invalid_client")
        (op.directory / CLIENT).write_text(text)
        await op.load()
        assert (await redeem(op, code)).status == 200


@pytest.mark.attack("CD-09")
async def test_a_redirect_uri_removed_before_redemption_makes_the_code_worthless() -> None:
    async with provider() as op:
        browser = Browser(op)
        code = answer(await finish(browser, await browser.visit(authorize())))["code"]
        edit(op, CLIENT, REDIRECT, "http://127.0.0.1:8081/other")
        await op.load()
        refused = await redeem(op, code)
        assert (refused.status, orjson.loads(refused.body)["error"]) == (400, "invalid_grant")


@pytest.mark.attack("CD-09")
async def test_a_scope_removed_before_redemption_is_not_in_the_token() -> None:
    async with provider() as op:
        browser = Browser(op)
        code = answer(await finish(browser, await browser.visit(authorize())))["code"]
        edit(op, CLIENT, "profile, email,", "profile,")
        await op.load()
        granted = await redeem(op, code)
        assert granted.status == 200
        assert orjson.loads(granted.body)["scope"] == "openid"


@pytest.mark.attack("CF-18")
async def test_a_theme_changed_in_the_middle_shows_at_the_next_page() -> None:
    async with provider() as op:
        browser = Browser(op)
        page = await browser.visit(authorize())
        sheets = re.findall(rb'href="([^"]+\.css)"', page.body)
        edit(op, "profiles/retail.yaml", "theme: sunrise", "theme: contrast")
        await op.load()
        after = await browser.submit(page, username="anna", password="wrong")
        assert re.findall(rb'href="([^"]+\.css)"', after.body) != sheets
        assert (await browser.request("GET", sheets[0].decode())).status in (200, 404)
        done = await finish(browser, after)
        assert "code" in answer(done)


@pytest.mark.attack("CF-18")
async def test_a_user_made_inactive_in_the_middle_gets_no_code() -> None:
    async with provider() as op:
        browser = Browser(op)
        page = await browser.visit(authorize(prompt="consent"))
        consent = await browser.login(page)
        assert b'id="allow"' in consent.body
        edit(op, "sources/customers.yaml", "login: [anna", "active: false\n        login: [anna")
        await op.load()
        answered = await browser.submit(consent, button="allow")
        assert "code" not in answer(answered)
        assert op.report.failures == []


async def test_tokens_of_before_a_reload_are_good_after_it() -> None:
    async with provider() as op:
        browser = Browser(op)
        code = answer(await finish(browser, await browser.visit(authorize())))["code"]
        tokens = orjson.loads((await redeem(op, code)).body)
        edit(op, CLIENT, "client_name: Sample relying party", "client_name: Renamed")
        await op.load()
        headers = {"authorization": (f"Bearer {tokens['access_token']}",)}
        request = Request("GET", "/retail/userinfo", "", headers, b"", "127.0.0.1", op.clock())
        assert (await op.respond(request)).status == 200
        secret = (op.directory / "secrets/sample-rp").read_text().strip()
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await token(op, form, secret)).status == 200
