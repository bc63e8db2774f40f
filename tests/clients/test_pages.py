"""Relying parties that are pages in Chromium: npm oidc-client-ts and keycloak-js, by redirect, iframe and CORS.

The pages are at `localhost` like the provider, for cookies ignore ports and a site is a scheme and a host: that
makes them the same site, and the provider's SameSite=Lax cookies go along into the silent iframe. At `127.0.0.1`
the same pages are another site.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.clients.conftest import Stage
from tests.clients.pages_server import serving
from tests.support.chromium import PATIENCE, follow
from tests.support.person import PASSWORDS

pytestmark = [pytest.mark.browser, pytest.mark.clients, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def origin(stage: Stage) -> Iterator[str]:
    """Where the pages are."""
    with serving(stage.pages_port, stage.issuer):
        yield f"http://localhost:{stage.pages_port}"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty browser profile."""
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def state(page: Page) -> str:
    """What the page says of itself once it knows."""
    page.wait_for_function("document.getElementById('state')?.textContent !== 'loading'")
    return page.locator("#state").inner_text()


def log_in(page: Page, back: str) -> None:
    """Through the provider's pages, which the browser was sent to."""
    page.wait_for_url("**/retail/login?*")
    page.locator("#login").fill("anna")
    page.locator("#password").fill(PASSWORDS["anna"])
    follow(page, "#submit")
    if "/consent?" in page.url:
        follow(page, "#allow")
    page.wait_for_url(f"{back}**")


def start(page: Page, call: str) -> None:
    """Call what sends the browser away; the call's own promise dies with the page."""
    page.evaluate(f"() => {{ {call} }}")


def sign_in(page: Page, origin: str) -> dict[str, Any]:
    """oidc-client-ts by redirect; the library's user."""
    page.goto(f"{origin}/oidc-client-ts/app")
    assert state(page) == "ready"
    start(page, "rp.signinRedirect()")
    log_in(page, f"{origin}/oidc-client-ts/callback")
    assert state(page) == "signed in"
    user: dict[str, Any] = page.evaluate("rp.getUser()")
    return user


@pytest.mark.spec("OpenID Connect Core", "3.1")
@pytest.mark.attack("HD-04")
def test_oidc_client_ts_signs_in_and_reads_userinfo_across_origins(page: Page, origin: str, stage: Stage) -> None:
    user = sign_in(page, origin)
    assert user["profile"]["iss"] == stage.issuer
    # Only UserInfo has it.
    assert user["profile"]["email"] == "anna@example.com"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
def test_oidc_client_ts_signs_in_and_out_by_popups_of_another_site(page: Page, origin: str) -> None:
    """The popup comes back to its opener, whichever of our pages it was on."""
    elsewhere = origin.replace("localhost", "127.0.0.1")
    page.goto(f"{elsewhere}/oidc-client-ts/app")
    assert state(page) == "ready"
    with page.expect_popup() as opened:
        start(page, "rp.signinPopup({prompt: 'consent'}).then(() => { state.textContent = 'signed in' })")
    popup = opened.value
    popup.set_default_timeout(PATIENCE)
    popup.wait_for_url("**/retail/login?*")
    # Older libraries know no other way back.
    assert popup.evaluate("window.opener !== null")
    popup.locator("#login").fill("anna")
    popup.locator("#password").fill(PASSWORDS["anna"])
    follow(popup, "#submit")
    # The page that it comes back to closes itself.
    popup.locator("#allow").click()
    page.wait_for_function("document.getElementById('state').textContent === 'signed in'")
    assert page.evaluate("rp.getUser()")["profile"]["email"] == "anna@example.com"
    start(page, "rp.signoutPopup().then(() => { state.textContent = 'signed out' })")
    page.wait_for_function("document.getElementById('state').textContent === 'signed out'")


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.spec("RFC 7009", "2")
def test_oidc_client_ts_renews_silently_in_an_iframe(page: Page, origin: str) -> None:
    before = sign_in(page, origin)
    after = page.evaluate("rp.signinSilent()")
    assert after["access_token"] != before["access_token"]
    assert after["profile"]["sub"] == before["profile"]["sub"]
    assert after["profile"]["sid"] == before["profile"]["sid"]
    # And what is given back is void, as the page itself can see.
    page.evaluate("rp.revokeTokens(['access_token'])")
    status = """async token => {
        const metadata = await rp.metadataService.getMetadata()
        const answer = await fetch(metadata.userinfo_endpoint, {headers: {authorization: `Bearer ${token}`}})
        return [answer.status, answer.headers.get('www-authenticate')]
    }"""
    code, challenge = page.evaluate(status, after["access_token"])
    assert code == 401
    assert 'error="invalid_token"' in challenge
    assert page.evaluate(status, before["access_token"])[0] == 200


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
def test_oidc_client_ts_is_told_in_the_iframe_that_nobody_is_logged_in(page: Page, origin: str) -> None:
    page.goto(f"{origin}/oidc-client-ts/app")
    assert state(page) == "ready"
    assert page.evaluate("rp.signinSilent().then(() => '', error => error.error)") == "login_required"


@pytest.mark.attack("AZ-06")
def test_an_iframe_on_another_site_learns_nothing_of_the_session(page: Page, origin: str) -> None:
    sign_in(page, origin)
    elsewhere = origin.replace("localhost", "127.0.0.1")
    page.goto(f"{elsewhere}/oidc-client-ts/app")
    assert state(page) == "ready"
    assert page.evaluate("rp.signinSilent().then(() => '', error => error.error)") == "login_required"


@pytest.mark.spec("RP-Initiated Logout", "2")
def test_oidc_client_ts_logs_out(page: Page, origin: str) -> None:
    sign_in(page, origin)
    start(page, "rp.signoutRedirect()")
    # The hint names this very session: no question is asked.
    page.wait_for_url(f"{origin}/oidc-client-ts/bye**")
    assert state(page) == "signed out"
    assert page.evaluate("rp.signinSilent().then(() => '', error => error.error)") == "login_required"


@pytest.mark.spec("Session Management", "3")
def test_oidc_client_ts_notices_a_logout_in_another_tab(page: Page, origin: str, stage: Stage) -> None:
    assert sign_in(page, origin)["session_state"]
    other = page.context.new_page()
    other.goto(f"{stage.issuer}/logout")
    follow(other, "#logout-yes")
    page.wait_for_function("document.getElementById('state').textContent === 'signed out elsewhere'")


@pytest.mark.spec("RFC 9068", "2")
@pytest.mark.spec("RFC 6750", "2.1")
@pytest.mark.spec("RFC 9110", "11.1")
def test_keycloak_js_signs_in_renews_and_logs_out(page: Page, origin: str, stage: Stage) -> None:
    """As any provider's client: `credentials: include` at the token endpoint, `bearer` in lower case, JWT tokens."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    application = f"{origin}/keycloak-js/app"
    page.goto(application)
    # The silent iframe said that nobody is logged in.
    assert state(page) == "signed out"
    start(page, "keycloak.login()")
    log_in(page, application)
    assert state(page) == "signed in"
    (token,) = [each for each in answers if each.url == f"{stage.issuer}/token" and each.request.method == "POST"]
    assert token.header_value("access-control-allow-origin") == origin
    assert token.header_value("access-control-allow-credentials") == "true"
    parsed = page.evaluate("({access: keycloak.tokenParsed, id: keycloak.idTokenParsed})")
    assert parsed["access"]["iss"] == parsed["id"]["iss"] == stage.issuer
    assert parsed["access"]["sub"] == parsed["id"]["sub"]
    assert parsed["access"]["exp"] > parsed["access"]["iat"]
    assert page.evaluate("keycloak.loadUserInfo()")["email"] == "anna@example.com"
    (userinfo,) = [each for each in answers if each.url.endswith("/userinfo") and each.request.method == "GET"]
    assert userinfo.request.header_value("authorization").startswith("bearer ")
    # A reload forgets the tokens and asks again in the iframe, which now has an answer.
    page.reload()
    assert state(page) == "signed in"
    # It comes back to the address where it is now.
    with page.expect_navigation(url=application):
        start(page, "keycloak.logout()")
    assert state(page) == "signed out"
