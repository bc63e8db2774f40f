"""What the certification asks of RP-initiated logout, module by module, over an assembled provider."""

import pytest

from appliance.protocol.messages import Response
from tests.support.browser import Browser, header
from tests.support.logging_out import (
    LOGGED_OUT_URI,
    client,
    is_logged_in,
    leaving,
    log_in,
    logout,
    redeem,
)

SPEC = "OpenID Connect RP-Initiated Logout"


async def hint_of(browser: Browser) -> str:
    return str((await redeem(browser, await log_in(browser)))["id_token"])


def is_question(page: Response) -> bool:
    return page.status == 200 and b'id="logout-yes"' in page.body and b'id="logout-no"' in page.body


@pytest.mark.spec(SPEC, "3")
@pytest.mark.parametrize(("state", "query"), [("a1", "?state=a1"), (None, "")])
async def test_rp_initiated_logout_with_and_without_state(state: str | None, query: str) -> None:
    async with leaving() as (_, browser):
        more = {} if state is None else {"state": state}
        hint = await hint_of(browser)
        end = await browser.visit(logout(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT_URI, **more))
        assert end.status == 303 and header(end, "Location") == LOGGED_OUT_URI + query
        refused = await log_in(browser, prompt="none")
        assert "error=login_required" in (header(refused, "Location") or "")


@pytest.mark.spec(SPEC, "3")
@pytest.mark.parametrize("how", ["bad", "query", "modified", "foreign", "none"])
async def test_rp_initiated_logout_bad_requests_are_redirected_nowhere(how: str) -> None:
    async with leaving() as (_, browser):
        hint = await hint_of(browser)
        head, body, _ = hint.split(".")
        uri = {"bad": "https://other.example/bye", "query": f"{LOGGED_OUT_URI}?extra=1"}.get(how, LOGGED_OUT_URI)
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": uri, "state": "s"}
        if how == "modified":
            asked["id_token_hint"] = f"eyJhbGciOiJub25lIn0.{body}."
        if how == "foreign":
            asked["id_token_hint"] = f"{head}.{body}.{'A' * 342}"
        if how == "none":
            del asked["id_token_hint"]
        shown = await browser.visit(logout(**asked))
        assert header(shown, "Location") is None and header(shown, "Refresh") is None
        assert b'id="error-page"' in shown.body or is_question(shown)
        assert await is_logged_in(browser)


@pytest.mark.spec(SPEC, "2")
@pytest.mark.parametrize("asked", [{}, {"state": "only"}])
async def test_rp_initiated_logout_without_a_hint_asks_and_then_says_so(asked: dict[str, str]) -> None:
    async with leaving() as (_, browser):
        await log_in(browser)
        question = await browser.visit(logout(**asked))
        assert is_question(question)
        end = await browser.submit(question, button="logout-yes")
        assert b'id="logged-out"' in end.body and not await is_logged_in(browser)


@pytest.mark.spec(SPEC, "2")
async def test_rp_initiated_logout_no_post_logout_redirect_uri_logs_out_and_says_so() -> None:
    async with leaving() as (_, browser):
        end = await browser.visit(logout(id_token_hint=await hint_of(browser)))
        assert b'id="logged-out"' in end.body and not await is_logged_in(browser)


@pytest.mark.spec(SPEC, "2")
async def test_takes_the_same_request_as_a_form_of_the_client() -> None:
    async with leaving(client(frontchannel_logout_uri="https://shop.example.com/out")) as (_, browser):
        form = {"id_token_hint": await hint_of(browser), "post_logout_redirect_uri": LOGGED_OUT_URI, "state": "s"}
        sent = await browser.request("POST", "/logout", form=form, headers={"sec-fetch-site": "cross-site"})
        end = await browser.visit(header(sent, "Location") or "")
        assert header(end, "Refresh") == f"1;url={LOGGED_OUT_URI}?state=s" and b"<iframe" in end.body


@pytest.mark.spec(SPEC, "4")
async def test_goes_on_to_the_client_when_the_session_is_over_already() -> None:
    async with leaving() as (op, browser):
        hint = await hint_of(browser)
        op.clock.forward(86400)
        end = await browser.visit(logout(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT_URI))
        assert header(end, "Location") == LOGGED_OUT_URI
