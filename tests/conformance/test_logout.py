"""Logout: asked for by clients, told to clients in the front and in the back, and seen by the session iframe."""

import re
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from jwcrypto.jwk import JWK

from appliance.protocol.messages import Response
from tests.conformance.conftest import Site
from tests.conformance.judging import ISSUER, check_error, page_ids, read_jwt, verified
from tests.conformance.suite import POST_LOGOUT, Flow, Rp, Suite, Variant, signed_jwt, unsigned_jwt
from tests.support.browser import Browser, header

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = Variant("code")
VARIANTS = pytest.mark.parametrize("variant", [CODE, Variant("id_token"), Variant("code id_token token")], ids=str)
SILENT = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


@dataclass(frozen=True)
class LoggedIn:
    """A browser that is logged in at a client with a place to go after logout."""

    suite: Suite
    browser: Browser
    rp: Rp
    flow: Flow

    async def log_out(self, **parameters: str) -> Response:
        """Where the request leads; a question is answered with yes."""
        response = await self.browser.visit("/logout" + (f"?{urlencode(parameters)}" if parameters else ""))
        if header(response, "Location") is None and "logout-yes" in page_ids(response):
            response = await self.browser.submit(response, button="logout-yes")
        return response

    async def is_logged_in(self) -> bool:
        """What prompt=none says."""
        asked = self.suite.request_of(self.rp, prompt="none")
        outcome = await self.suite.authorize(self.browser, asked)
        if "error" in outcome.fields:
            check_error(outcome.fields, SILENT, asked["state"])
            return False
        return True


async def logged_in(suite: Suite, variant: Variant = CODE, **metadata: object) -> LoggedIn:
    """Somebody who is."""
    rp = await suite.client(variant, post_logout_redirect_uris=[POST_LOGOUT], **metadata)
    browser = suite.browser()
    who = LoggedIn(suite, browser, rp, await suite.flow(rp, browser=browser))
    assert await who.is_logged_in()
    return who


async def check_redirect(suite: Suite, variant: Variant, more: dict[str, str]) -> None:
    """Logged out, and back at the client with the state, if there was one, and nothing else."""
    who = await logged_in(suite, variant)
    response = await who.log_out(id_token_hint=who.flow.id_token, post_logout_redirect_uri=POST_LOGOUT, **more)
    location = header(response, "Location") or ""
    assert location.partition("?")[0] == POST_LOGOUT
    assert parse_qs(urlsplit(location).query) == {name: [value] for name, value in more.items()}
    assert not urlsplit(location).fragment
    assert not await who.is_logged_in()


@pytest.mark.conformance("rp-initiated-logout")
@VARIANTS
async def test_oidcc_rp_initiated_logout(suite: Suite, variant: Variant) -> None:
    await check_redirect(suite, variant, {"state": "q7Z" * 40})


@pytest.mark.conformance("rp-initiated-logout-no-state")
@VARIANTS
async def test_oidcc_rp_initiated_logout_no_state(suite: Suite, variant: Variant) -> None:
    await check_redirect(suite, variant, {})


async def test_oidcc_rp_initiated_logout_with_the_clients_of_the_files(suite: Suite) -> None:
    rp = suite.static_client("client_secret_basic")
    browser = suite.browser()
    flow = await suite.flow(rp, browser=browser)
    who = LoggedIn(suite, browser, rp, flow)
    target = rp.redirect_uri.removesuffix("callback") + "post_logout_redirect"
    response = await who.log_out(id_token_hint=flow.id_token, post_logout_redirect_uri=target, state="s")
    # This client has a frontchannel_logout_uri: its frame is loaded before the browser goes on.
    assert header(response, "Refresh") == f"1;url={target}?state=s"
    assert frames(response)[0].startswith(rp.redirect_uri.removesuffix("callback") + "frontchannel_logout?")
    assert not await who.is_logged_in()


def check_stays(response: Response, *ids: str) -> None:
    """A page of the provider, one of those, that leads nowhere by itself."""
    assert header(response, "Location") is None
    assert header(response, "Refresh") is None
    assert page_ids(response) & set(ids), page_ids(response)


async def check_bad_address(suite: Suite, uri: str) -> None:
    """An error page that names the parameter, and no way to that address."""
    who = await logged_in(suite)
    response = await who.log_out(id_token_hint=who.flow.id_token, post_logout_redirect_uri=uri, state="s")
    check_stays(response, "error-page")
    assert b"<code>post_logout_redirect_uri</code>" in response.body


@pytest.mark.conformance("rp-initiated-logout-bad-post-logout-redirect-uri")
async def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(suite: Suite) -> None:
    await check_bad_address(suite, f"{POST_LOGOUT}/Yn2xE5")


@pytest.mark.conformance("rp-initiated-logout-query-added-to-post-logout-redirect-uri")
async def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(suite: Suite) -> None:
    await check_bad_address(suite, f"{POST_LOGOUT}?foo=bar")


async def check_bad_hint(who: LoggedIn, hint: str) -> None:
    """An error page that names the parameter; nobody is logged out by it."""
    response = await who.log_out(id_token_hint=hint, post_logout_redirect_uri=POST_LOGOUT, state="s")
    check_stays(response, "error-page")
    assert b"<code>id_token_hint</code>" in response.body
    assert await who.is_logged_in()


@pytest.mark.conformance("rp-initiated-logout-modified-id-token-hint")
async def test_oidcc_rp_initiated_logout_modified_id_token_hint(suite: Suite) -> None:
    who = await logged_in(suite)
    await check_bad_hint(who, unsigned_jwt(read_jwt(who.flow.id_token)[1]))


@pytest.mark.conformance("rp-initiated-logout-bad-id-token-hint")
async def test_oidcc_rp_initiated_logout_bad_id_token_hint(suite: Suite) -> None:
    who = await logged_in(suite)
    head, body, signature = who.flow.id_token.split(".")
    foreign = JWK.generate(kty="RSA", size=2048, kid=read_jwt(who.flow.id_token)[0]["kid"])
    await check_bad_hint(who, ".".join((head, body, ("A" if signature[0] != "A" else "B") + signature[1:])))
    await check_bad_hint(who, signed_jwt(read_jwt(who.flow.id_token)[1], foreign, "RS256"))
    await check_bad_hint(who, "Yn2xE5")


@pytest.mark.conformance("rp-initiated-logout-no-id-token-hint")
async def test_oidcc_rp_initiated_logout_no_id_token_hint(suite: Suite) -> None:
    who = await logged_in(suite)
    question = await who.browser.visit("/logout?" + urlencode({"post_logout_redirect_uri": POST_LOGOUT, "state": "s"}))
    check_stays(question, "logout-yes")
    response = await who.browser.submit(question, button="logout-yes")
    check_stays(response, "logged-out")
    assert not await who.is_logged_in()


@pytest.mark.conformance("rp-initiated-logout-no-params")
async def test_oidcc_rp_initiated_logout_no_params(suite: Suite) -> None:
    who = await logged_in(suite)
    check_stays(await who.log_out(), "logged-out")
    assert not await who.is_logged_in()


@pytest.mark.conformance("rp-initiated-logout-only-state")
async def test_oidcc_rp_initiated_logout_only_state(suite: Suite) -> None:
    who = await logged_in(suite)
    check_stays(await who.log_out(state="s"), "logged-out")
    assert not await who.is_logged_in()


@pytest.mark.conformance("rp-initiated-logout-no-post-logout-redirect-uri")
async def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(suite: Suite) -> None:
    who = await logged_in(suite)
    check_stays(await who.log_out(id_token_hint=who.flow.id_token), "logged-out")
    assert not await who.is_logged_in()


async def test_a_logout_request_may_be_posted(suite: Suite) -> None:
    who = await logged_in(suite)
    form = {"id_token_hint": who.flow.id_token, "post_logout_redirect_uri": POST_LOGOUT}
    foreign = {"origin": "https://rp.example.net", "sec-fetch-site": "cross-site"}
    kept, who.browser.cookies = who.browser.cookies, {}
    first = await who.browser.request("POST", "/logout", form=form, headers=foreign)
    who.browser.cookies = kept
    response = await who.browser.visit((header(first, "Location") or "").removeprefix(ISSUER))
    assert header(response, "Location") == POST_LOGOUT


async def test_an_expired_hint_is_as_good(suite: Suite) -> None:
    who = await logged_in(suite)
    suite.op.clock.forward(1000)
    assert header(
        await who.log_out(id_token_hint=who.flow.id_token, post_logout_redirect_uri=POST_LOGOUT), "Location"
    ) == POST_LOGOUT


def unchanged(session_state: str, rp: Rp, browser: Browser) -> bool:
    """What the OP iframe says to the client's page: its script in Python."""
    said, _, salt = session_state.partition(".")
    origin = "/".join(rp.redirect_uri.split("/")[:3])
    cookie = next((value for name, value in browser.cookies.items() if "state" in name), "")
    return sha256(f"{rp.client_id} {origin} {cookie} {salt}".encode()).hexdigest() == said


@pytest.mark.conformance("session-management-rp-initiated-logout")
@VARIANTS
async def test_oidcc_session_management_rp_initiated_logout(suite: Suite, variant: Variant) -> None:
    who = await logged_in(suite, variant)
    session_state = who.flow.outcome["session_state"]
    assert " " not in session_state
    assert unchanged(session_state, who.rp, who.browser)
    page = await suite.send("GET", urlsplit((await suite.metadata())["check_session_iframe"]).path)
    assert page.status == 200
    assert (header(page, "Content-Type") or "").startswith("text/html")
    assert b"addEventListener('message'" in page.body
    assert b"crypto.subtle" not in page.body
    # It is loaded in a frame of the client's page.
    assert header(page, "X-Frame-Options") is None
    assert "frame-ancestors 'none'" not in (header(page, "Content-Security-Policy") or "")
    await who.log_out(id_token_hint=who.flow.id_token, post_logout_redirect_uri=POST_LOGOUT)
    assert not unchanged(session_state, who.rp, who.browser)
    assert not await who.is_logged_in()


def frames(response: Response) -> list[str]:
    """The addresses of a page's frames."""
    return [unescape(found) for found in re.findall(r'<iframe[^>]* src="([^"]+)"', response.body.decode())]


@pytest.mark.conformance("frontchannel-rp-initiated-logout")
@VARIANTS
async def test_oidcc_frontchannel_rp_initiated_logout(suite: Suite, variant: Variant) -> None:
    address = "https://rp.example.net/test/a/appliance/frontchannel_logout?own=1"
    who = await logged_in(suite, variant, frontchannel_logout_uri=address, frontchannel_logout_session_required=True)
    assert who.rp.registered["frontchannel_logout_uri"] == address
    response = await who.log_out(
        id_token_hint=who.flow.id_token, post_logout_redirect_uri=POST_LOGOUT, state="s"
    )
    # A page, so that the frame is loaded before the browser goes on.
    assert response.status == 200
    loaded = frames(response)
    assert [frame.partition("?")[0] for frame in loaded] == [address.partition("?")[0]]
    assert parse_qs(urlsplit(loaded[0]).query) == {
        "own": ["1"],
        "iss": [ISSUER],
        "sid": [who.flow.claims["sid"]],
    }
    assert re.search(r"frame-src [^;]*https://rp\.example\.net", header(response, "Content-Security-Policy") or "")
    assert header(response, "Refresh") == f"1;url={POST_LOGOUT}?state=s"
    assert not await who.is_logged_in()


@pytest.mark.conformance("backchannel-rp-initiated-logout")
@VARIANTS
async def test_oidcc_backchannel_rp_initiated_logout(suite: Suite, site: Site, variant: Variant) -> None:
    path = "/" + str(variant).replace("+", "-")
    address = site.put(path, "")
    who = await logged_in(suite, variant, backchannel_logout_uri=address, backchannel_logout_session_required=True)
    assert who.rp.registered["backchannel_logout_uri"] == address
    response = await who.log_out(
        id_token_hint=who.flow.id_token, post_logout_redirect_uri=POST_LOGOUT, state="s"
    )
    # Told before the browser goes on.
    forms = site.posted(path)
    assert header(response, "Location") == f"{POST_LOGOUT}?state=s"
    assert [form.keys() for form in forms] == [{"logout_token"}]
    head, claims = verified(forms[0]["logout_token"], await suite.jwks())
    assert head["alg"] == "RS256"
    assert head.get("typ", "logout+jwt") == "logout+jwt"
    assert claims["iss"] == ISSUER
    assert claims["aud"] in (who.rp.client_id, [who.rp.client_id])
    assert abs(claims["iat"] - suite.now) < 300
    assert claims["exp"] > suite.now
    assert claims["jti"]
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert claims["sub"] == who.flow.claims["sub"]
    assert claims["sid"] == who.flow.claims["sid"]
    assert "nonce" not in claims
    assert not await who.is_logged_in()
