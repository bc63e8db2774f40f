"""Attacks on where pages lead to, what they load and what they repeat."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from appliance.protocol.messages import Response
from tests.support.browser import Browser, answer, forms, header
from tests.support.provider import Provider, provider
from tests.support.two_issuers import configuration, party

pytestmark = pytest.mark.asyncio(loop_scope="module")

ELSEWHERE = (
    "//evil.example",
    "https:evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "%2f%2fevil.example",
    "/a/authorize?redirect_uri=https://evil.example",
)
NAMES = ("return_to", "next", "goto", "redirect", "continue", "url", "redirect_uri", "restart")
SPLIT = "\r\nSet-Cookie: planted=1\r\n\r\n<script>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def op() -> AsyncIterator[Provider]:
    """Two issuers with the same people, in the theme that config.example has."""
    async with provider("minimal", edit=configuration()) as made:
        yield made
        assert made.report.failures == []


@pytest.mark.attack("AU-22")
@pytest.mark.parametrize("target", ELSEWHERE)
async def test_no_parameter_of_a_page_decides_where_it_leads(op: Provider, target: str) -> None:
    rp = party(op, "web", "a")
    await rp.ask()
    extra = "".join(f"&{name}={quote(target, safe='%')}" for name in NAMES)
    page = await rp.browser.visit(rp.browser.path + extra)
    assert page.status == 200 and b"evil" not in page.body
    (form,) = forms(page)[:1]
    fields = {**form.fields, "username": "anna", "password": "anna-demo-password"}
    posted = {**fields, **dict.fromkeys(NAMES, target)}
    sent = await rp.browser.request("POST", form.action + extra, form=posted)
    onward = header(sent, "Location") or ""
    assert sent.status == 303 and onward.startswith("/a/authorize/resume?interaction=") and "evil" not in onward
    landed = await rp.through(await rp.browser.visit(onward + extra), "anna")
    assert (header(landed, "Location") or "").startswith(rp.redirect_uri)
    assert "evil" not in (header(landed, "Location") or "")


async def every_page(op: Provider) -> list[Response]:
    """Login, wrong password, consent, consents, logout, error, form_post."""
    rp = party(op, "web", "a")
    login = await rp.ask(scope="openid profile", prompt="login consent")
    wrong = await rp.browser.login(login, "anna", "wrong")
    consent = await rp.browser.login(wrong, "anna")
    assert b'id="allow"' in consent.body
    posted = await rp.through(await rp.ask(response_mode="form_post"), "anna")
    return [
        *(login, wrong, consent, posted),
        await rp.browser.visit("/a/consents"),
        await rp.browser.visit("/a/logout"),
        await rp.browser.visit("/a/authorize?client_id=nobody"),
        await rp.browser.visit("/a/consent?interaction=unknown"),
    ]


@pytest.mark.attack("CD-11")
@pytest.mark.spec("RFC 9700", "4.2.4")
async def test_no_page_tells_where_it_was_or_loads_anything_from_elsewhere(op: Provider) -> None:
    for page in await every_page(op):
        text = page.body.decode()
        assert header(page, "Referrer-Policy") == "no-referrer"
        loaded = re.findall(r"<(?:img|script|link|source|iframe)\b[^>]*?\b(?:src|href|srcset)=\"([^\"]*)\"", text)
        assert loaded, text[:200]
        assert [each for each in loaded if not each.startswith("/a/")] == []
        policy = header(page, "Content-Security-Policy") or ""
        assert "default-src 'none'" in policy or "default-src 'self'" in policy
        assert "url(http" not in text


@pytest.mark.attack("XS-16")
@pytest.mark.parametrize(
    "path",
    ["/%3Cscript%3E", "/<script>alert(1)</script>", "/a/%3Cscript%3E", "/a/login/<script>", "/a/assets/<script>"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", "<SCRIPT>"])
async def test_an_unknown_address_is_not_repeated(op: Provider, path: str, method: str) -> None:
    response = await Browser(op).request(method, path + "?<script>")
    assert response.status == 404
    assert (header(response, "Content-Type") or "").startswith("text/plain")
    assert header(response, "X-Content-Type-Options") == "nosniff"
    assert b"script" not in response.body.lower()


@pytest.mark.attack("XS-16")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope", "<script>", "interaction"])
async def test_a_refused_request_is_not_repeated_as_markup(op: Provider, name: str) -> None:
    for path in ("authorize", "authorize/resume", "login", "consent", "accounts", "logout", "consents"):
        page = await Browser(op).request("GET", f"/a/{path}?{name}=%3Cscript%3Ealert(1)%3C/script%3E&{name}=<script>")
        assert page.status < 500
        assert b"<script>" not in page.body


@pytest.mark.attack("HT-16")
async def test_no_line_end_reaches_a_header(op: Provider) -> None:
    found: list[Response] = []
    rp = party(op, "web", "a")
    changes = {"state": SPLIT, "ui_locales": f"en{SPLIT}", "nonce": SPLIT, "login_hint": SPLIT, "display": SPLIT}
    found.append(await rp.ask(**changes))
    found.append(await rp.through(found[0], "anna"))
    assert answer(found[-1])["state"] == SPLIT
    found.append(await rp.ask(scope=f"openid {SPLIT}", state=SPLIT))
    found.append(await rp.ask(redirect_uri=rp.redirect_uri + SPLIT))
    found.append(await rp.ask(prompt=SPLIT, state=SPLIT))
    found.append(await rp.ask(response_mode=SPLIT, state=SPLIT))
    logout = f"/a/logout?state={quote(SPLIT)}&post_logout_redirect_uri={quote(SPLIT)}&ui_locales={quote(SPLIT)}"
    found.append(await rp.browser.visit(logout + f"&lang={quote(SPLIT)}"))
    found.append(await rp.browser.visit(f"/a/assets/{quote(SPLIT)}.css"))
    for name in tuple(rp.browser.cookies):
        rp.browser.cookies[name] = f"x{SPLIT}"
    headers = {"accept-language": f"en{SPLIT}", "origin": SPLIT, "x-request-id": SPLIT}
    found.append(await rp.browser.request("GET", "/a/login?interaction=x&lang=en%0d%0ax", headers=headers))
    found.append(await rp.browser.request("OPTIONS", "/a/token", headers=headers))
    found.append(await rp.browser.request("POST", "/a/token", form={"client_id": SPLIT}, headers={"origin": SPLIT}))
    found.append(await rp.browser.request("GET", "/a/userinfo", headers={"authorization": f"Bearer {SPLIT}"}))
    for response in found:
        assert response.status < 500
        lines = [f"{name}: {value}" for name, value in response.headers]
        lines += [cookie.header() for cookie in response.cookies]
        assert [line for line in lines if "\r" in line or "\n" in line or "planted" in line.partition("?")[0]] == []


@pytest.mark.attack("HD-06")
async def test_a_preflight_answers_by_a_fixed_list(op: Provider) -> None:
    for origin in ("https://evil.example", "null", SPLIT):
        asked = {
            "origin": origin,
            "access-control-request-method": "EVIL",
            "access-control-request-headers": "x-evil," * 1500,
        }
        for path in ("/a/token", "/a/userinfo", "/a/jwks", "/a/revoke"):
            response = await Browser(op).request("OPTIONS", path, headers=asked)
            assert response.status == 204 and response.body == b""
            said = str(response.headers).lower()
            assert "evil" not in said and len(said) < 500
            assert header(response, "Access-Control-Allow-Credentials") is None
