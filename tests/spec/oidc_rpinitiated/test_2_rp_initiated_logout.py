"""OpenID Connect RP-Initiated Logout 2 and 3."""

from dataclasses import replace

import pytest

from appliance.protocol.form import encode
from tests.support.browsing import LOGGED_OUT_URI, OWN, PROFILE, SHOP, Browser, House, house

SPEC = "OpenID Connect RP-Initiated Logout"


def logout(**parameters: str) -> str:
    return "/retail/logout?" + encode(parameters.items())


async def logged_in(op: House, user: str = "alice") -> tuple[Browser, str]:
    """A browser with a session, and the ID Token that its client got."""
    browser = op.browser()
    end = await browser.through(await browser.authorize(), user)
    return browser, (await op.redeem(end["code"]))["id_token"]


async def is_logged_in(browser: Browser) -> bool:
    return "code" in await browser.authorize(prompt="none")


@pytest.mark.spec(SPEC, "2")
async def test_ends_the_session_that_the_hint_names_and_echoes_state() -> None:
    op = await house()
    browser, token = await logged_in(op)
    end = await browser.get(logout(id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT_URI, state="s 1"))
    assert end.location == LOGGED_OUT_URI + "?state=s+1"
    assert not await is_logged_in(browser)


@pytest.mark.spec(SPEC, "2")
@pytest.mark.attack("LO-04")
async def test_accepts_an_expired_hint() -> None:
    op = await house()
    browser, token = await logged_in(op)
    op.forward(1000)
    end = await browser.get(logout(id_token_hint=token))
    assert end.page.template == "logged_out.html" and not await is_logged_in(browser)


@pytest.mark.spec(SPEC, "2")
@pytest.mark.attack("LO-05")
async def test_asks_the_user_when_nothing_proves_who_sends_him() -> None:
    op = await house()
    browser, _ = await logged_in(op)
    question = await browser.get("/retail/logout?state=only")
    assert question.page.template == "logout.html" and question.page.login == "alice"
    assert await is_logged_in(browser)
    end = await browser.submit(question, decision="allow")
    assert end.page.template == "logged_out.html" and not await is_logged_in(browser)


async def test_keeps_the_session_when_the_user_says_no() -> None:
    op = await house()
    browser, _ = await logged_in(op)
    end = await browser.submit(await browser.get(logout(client_id="shop")), decision="deny")
    assert end.location == SHOP.client_uri and await is_logged_in(browser)
    end = await browser.submit(await browser.get(logout()), decision="deny")
    assert end.path == "/retail/consents"


@pytest.mark.spec(SPEC, "2")
async def test_asks_when_the_hint_is_of_another_session() -> None:
    op = await house()
    _, bobs = await logged_in(op, "bob")
    browser, _ = await logged_in(op)
    question = await browser.get(logout(id_token_hint=bobs, post_logout_redirect_uri=LOGGED_OUT_URI))
    assert question.page.template == "logout.html"
    end = await browser.submit(question, decision="allow")
    assert end.location == LOGGED_OUT_URI


@pytest.mark.attack("LO-01")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example",
        LOGGED_OUT_URI + "/x",
        LOGGED_OUT_URI + "?foo=bar",
        "https://rp.example@evil.example/bye",
        "https://rp.example\\@evil.example/bye",
    ],
)
async def test_never_redirects_to_an_unregistered_address(uri: str) -> None:
    op = await house()
    browser, token = await logged_in(op)
    end = await browser.get(logout(id_token_hint=token, post_logout_redirect_uri=uri))
    assert end.page.template == "error.html" and end.page.parameter == "post_logout_redirect_uri"
    assert await is_logged_in(browser)


@pytest.mark.attack("LO-02")
async def test_does_not_redirect_for_a_client_that_is_not_named() -> None:
    op = await house()
    browser, _ = await logged_in(op)
    question = await browser.get(logout(post_logout_redirect_uri=LOGGED_OUT_URI))
    assert question.page.template == "logout.html"
    assert (await browser.submit(question, decision="allow")).page.template == "logged_out.html"


@pytest.mark.attack("LO-03", "MX-06")
async def test_refuses_hints_that_are_not_ours_or_not_this_client_s() -> None:
    op = await house()
    browser, token = await logged_in(op)
    head, body, signature = token.split(".")
    broken = ".".join((head, body, ("A" if signature[0] != "A" else "B") + signature[1:]))
    unsigned = ".".join(("eyJhbGciOiJub25lIn0", body, ""))
    for parameters in (
        {"id_token_hint": broken},
        {"id_token_hint": unsigned},
        {"id_token_hint": "rubbish"},
        {"id_token_hint": token, "client_id": "own"},
    ):
        end = await browser.get(logout(post_logout_redirect_uri=LOGGED_OUT_URI, **parameters))
        assert end.page.template == "error.html" and end.page.parameter == "id_token_hint"
    assert await is_logged_in(browser)


@pytest.mark.attack("LO-07")
@pytest.mark.parametrize("state", ['"><script>', "a\r\nSet-Cookie: x=1", "\U0001f600\u2028", "x" * 8000])
async def test_echoes_state_to_the_byte_or_not_at_all(state: str) -> None:
    op = await house()
    browser, token = await logged_in(op)
    end = await browser.get(logout(id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT_URI, state=state))
    assert end["state"] == state and "\r" not in end.location and "\n" not in end.location
    assert (await browser.get(logout(state=state))).page.template == "logged_out.html"


@pytest.mark.spec(SPEC, "3")
async def test_redirects_though_nobody_is_logged_in() -> None:
    op = await house()
    end = await op.browser().get(logout(client_id="shop", post_logout_redirect_uri=LOGGED_OUT_URI, state="s"))
    assert end.location == LOGGED_OUT_URI + "?state=s"


@pytest.mark.spec(SPEC, "2")
async def test_takes_the_request_by_post_from_the_client_s_site() -> None:
    op = await house()
    browser, token = await logged_in(op)
    body = encode({"id_token_hint": token, "post_logout_redirect_uri": LOGGED_OUT_URI}.items())
    mine = dict(browser.cookies)
    browser.cookies.clear()
    posted = await browser.send("POST", "/retail/logout", body, sec_fetch_site="cross-site")
    browser.cookies.update(mine)
    assert (await browser.follow(posted)).location == LOGGED_OUT_URI
    assert not await is_logged_in(browser)


@pytest.mark.attack("SE-06", "SE-07")
async def test_does_not_believe_an_answer_from_another_site() -> None:
    op = await house()
    browser, _ = await logged_in(op)
    question = await browser.get(logout())
    foreign = await browser.submit(
        question, decision="allow", headers={"origin": "https://evil.example", "sec_fetch_site": "cross-site"}
    )
    stale = await browser.submit(question, csrf="A" * 43, decision="allow")
    assert (foreign.reply.status, stale.reply.status) == (403, 403)
    assert await is_logged_in(browser)


async def test_logs_out_every_account_of_the_browser() -> None:
    op = await house()
    browser, token = await logged_in(op)
    await browser.through(await browser.authorize(OWN, prompt="login"), "bob")
    assert (await browser.get(logout(id_token_hint=token))).page.template == "logged_out.html"
    assert not await is_logged_in(browser) and not any("session" in name for name in browser.cookies)


async def test_is_advertised_only_where_it_is_offered() -> None:
    off = await house(profile=replace(PROFILE, logout=replace(PROFILE.logout, rp_initiated=False)))
    names = {endpoint.name for endpoint in off.endpoints.values()}
    assert "end_session_endpoint" not in names and "authorization_endpoint" in names
    browser, token = await logged_in(off)
    question = await browser.get(logout(id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT_URI))
    assert question.page.template == "logout.html"
    assert (await browser.submit(question, decision="allow")).page.template == "logged_out.html"
