"""What automation needs of our pages: an address for each step, ids that stay, nothing that needs a script."""

import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from appliance.protocol.messages import Response
from tests.conformance.judging import page_ids
from tests.conformance.suite import CALLBACK, POST_LOGOUT, Suite, Variant
from tests.support.browser import Browser, forms, header

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = Variant("code")


async def login_page(suite: Suite, variant: Variant = CODE, **more: str | None) -> tuple[Browser, Response]:
    """The first page of a request."""
    browser = suite.browser()
    rp = await suite.client(variant, client_name="pages")
    asked = suite.request_of(rp, **{"prompt": "consent", **more})
    return browser, await browser.visit("/authorize?" + urlencode(asked))


def policy(response: Response, directive: str) -> list[str]:
    """The sources of a directive."""
    text = header(response, "Content-Security-Policy") or ""
    found = next((part.split() for part in text.split("; ") if part.split()[0] == directive), [])
    return found[1:]


def check_page(response: Response, *ids: str) -> None:
    """A page of ours with these ids, in no frame, with no handler in its text."""
    assert set(ids) <= page_ids(response)
    assert header(response, "X-Frame-Options") == "DENY"
    assert policy(response, "frame-ancestors") == ["'none'"]
    assert not re.search(rb'<[^>]* on[a-z]+="', response.body)
    assert b"javascript:" not in response.body


async def test_login_and_consent_have_their_own_addresses_and_ids(suite: Suite) -> None:
    browser, page = await login_page(suite, scope="openid profile")
    assert browser.path.startswith("/login?")
    check_page(page, "login", "password", "submit")
    # The answer to the form is redirected on to the client: a policy that forbids it would stop the browser.
    assert "https://rp.example.net" in policy(page, "form-action")
    page = await browser.submit(page, button="submit", username="foo", password="bar")
    assert browser.path.startswith("/consent?")
    check_page(page, "allow", "deny")
    assert "https://rp.example.net" in policy(page, "form-action")
    assert (header(await browser.submit(page, button="allow"), "Location") or "").startswith(CALLBACK)


async def test_who_says_no_gets_the_client_an_error(suite: Suite) -> None:
    browser, page = await login_page(suite, scope="openid email")
    page = await browser.submit(page, button="submit", username="foo", password="bar")
    location = header(await browser.submit(page, button="deny"), "Location") or ""
    assert location.startswith(CALLBACK)
    assert "error=access_denied" in location


async def test_a_wrong_password_is_told_and_the_ids_stay(suite: Suite) -> None:
    browser, page = await login_page(suite)
    page = await browser.submit(page, button="submit", username="foo", password="wrong")
    check_page(page, "login", "password", "submit", "error-summary")
    page = await browser.submit(page, button="submit", username="foo", password="bar")
    assert "allow" in page_ids(page)


async def test_logout_pages_have_their_ids(suite: Suite) -> None:
    browser, page = await login_page(suite)
    page = await browser.submit(page, button="submit", username="foo", password="bar")
    page = await browser.visit("/logout")
    check_page(page, "logout-yes")
    check_page(await browser.submit(page, button="logout-yes"), "logged-out")
    check_page(await browser.visit(f"/logout?post_logout_redirect_uri={POST_LOGOUT}&client_id=x"), "error-page")


@pytest.mark.parametrize("response_type", ["code", "id_token", "code id_token token"])
async def test_form_post_submits_itself_and_has_a_button(suite: Suite, response_type: str) -> None:
    browser, page = await login_page(suite, Variant(response_type, "form_post"))
    page = await browser.submit(page, button="submit", username="foo", password="bar")
    page = await browser.submit(page, button="allow")
    assert [form.action for form in forms(page)] == [CALLBACK]
    script = re.findall(r"<script>(.+?)</script>", page.body.decode())
    assert "submit" in script[0]
    assert policy(page, "script-src") == [f"'sha256-{b64encode(sha256(script[0].encode()).digest()).decode()}'"]
    assert "submit" in page_ids(page)
    assert "https://rp.example.net" in policy(page, "form-action")


async def test_an_error_page_names_the_parameter(suite: Suite) -> None:
    rp = await suite.client(CODE)
    page = await suite.browser().visit(f"/authorize?client_id={rp.client_id}&response_type=code&redirect_uri=x")
    check_page(page, "error-page")
    assert b"<code>redirect_uri</code>" in page.body


async def test_the_redirect_to_a_client_is_no_307(suite: Suite) -> None:
    browser, page = await login_page(suite)
    page = await browser.submit(page, button="submit", username="foo", password="bar")
    assert (await browser.submit(page, button="allow")).status == 303
