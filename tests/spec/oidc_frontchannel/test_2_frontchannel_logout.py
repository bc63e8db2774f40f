"""OpenID Connect Front-Channel Logout 2 and 3."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from appliance.protocol.messages import Response
from tests.support.browser import header
from tests.support.logging_out import ISSUER, LOGGED_OUT_URI, claims, client, leaving, log_in, logout, redeem

SPEC = "OpenID Connect Front-Channel Logout"


def frames(response: Response) -> list[str]:
    return [unescape(src) for src in re.findall(r'<iframe[^>]* src="([^"]*)"', response.body.decode())]


def policy(response: Response) -> dict[str, str]:
    pairs = (part.strip().partition(" ") for part in (header(response, "Content-Security-Policy") or "").split(";"))
    return {name: value for name, _, value in pairs}


@pytest.mark.spec(SPEC, "2")
async def test_loads_every_client_with_issuer_and_session_and_then_goes_on() -> None:
    shop = client(frontchannel_logout_uri="https://shop.example.com/out?keep=1&b=%22")
    wiki = client("wiki", frontchannel_logout_uri="https://wiki.example.com/out")
    async with leaving(shop, wiki, client("silent")) as (_, browser):
        tokens = await redeem(browser, await log_in(browser))
        for name in ("wiki", "silent"):
            await log_in(browser, name)
        sid = claims(tokens["id_token"])["sid"]
        end = await browser.visit(
            logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT_URI, state="a b")
        )
        assert end.status == 200 and b'id="logged-out"' in end.body
        loaded = frames(end)
        assert loaded[0].startswith("https://shop.example.com/out?keep=1&b=%22&")
        assert [dict(parse_qsl(urlsplit(each).query)) for each in loaded] == [
            {"keep": "1", "b": '"', "iss": ISSUER, "sid": sid},
            {"iss": ISSUER, "sid": sid},
        ]
        assert policy(end)["frame-src"] == "https://shop.example.com https://wiki.example.com"
        # Without a script: a link for the user, and the browser's own refresh once all is loaded.
        assert header(end, "Refresh") == f"1;url={LOGGED_OUT_URI}?state=a+b"
        assert f'id="continue" href="{LOGGED_OUT_URI}?state=a+b"'.encode() in end.body


@pytest.mark.spec(SPEC, "3")
async def test_shows_frames_on_the_plain_page_too_and_refreshes_nowhere() -> None:
    async with leaving(client(frontchannel_logout_uri="https://shop.example.com/out")) as (_, browser):
        await log_in(browser)
        end = await browser.submit(await browser.visit("/logout"), button="logout-yes")
        assert len(frames(end)) == 1 and header(end, "Refresh") is None and b'id="continue"' not in end.body


async def test_redirects_at_once_when_no_client_needs_a_frame() -> None:
    async with leaving() as (_, browser):
        tokens = await redeem(browser, await log_in(browser))
        end = await browser.visit(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT_URI))
        assert header(end, "Location") == LOGGED_OUT_URI
        again = await browser.visit("/logout")
        assert frames(again) == [] and "frame-src" not in policy(again)


async def test_loads_nothing_where_it_is_not_offered() -> None:
    shop = client(frontchannel_logout_uri="https://shop.example.com/out")
    async with leaving(shop, logout={"backchannel": True}) as (_, browser):
        await log_in(browser)
        end = await browser.submit(await browser.visit("/logout"), button="logout-yes")
        assert frames(end) == [] and b'id="logged-out"' in end.body
