"""OpenID Connect Session Management 2 and 3: session_state, the OP iframe and its script."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from appliance.profile.sign_on.session_state import SessionState
from appliance.protocol.messages import Response
from tests.support.browser import Browser, answer, header
from tests.support.logging_out import client, leaving, log_in, logout, redeem

SPEC = "OpenID Connect Session Management"
ORIGIN = "https://shop.example.com"
COOKIE = "op_browser_state_main"

_HARNESS = """
var given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
var cookie = given.cookie, events = given.events, listener = null, answers = [];
var document = {}; Object.defineProperty(document, 'cookie', {get: function () { return cookie; }});
var window = {addEventListener: function (name, heard) { listener = heard; }};
eval(given.script);
events.forEach(function (event) {
  var said = null;
  var source = {postMessage: function (text, target) {
    if (!/^https?:/.test(target)) { throw new SyntaxError('target'); }
    said = text;
  }};
  listener({data: event.data, origin: event.origin, source: event.gone ? null : source});
  answers.push(said);
});
console.log(JSON.stringify(answers));
"""


def inline(page: Response) -> str:
    """The script of the iframe."""
    found = re.findall(r"<script>(.*?)</script>", page.body.decode(), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def ask(page: Response, cookie: str, *events: dict[str, Any]) -> list[str | None]:
    """What the iframe's script answers to messages, in a real engine."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no JavaScript engine")
    given = {"script": inline(page), "cookie": cookie, "events": events}
    done = subprocess.run(
        [node, "-e", _HARNESS], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    read: list[str | None] = json.loads(done.stdout)
    return read


def cookies(browser: Browser) -> str:
    """document.cookie of the iframe: what a script may read."""
    return f"other=1; {COOKIE}={browser.cookies[COOKIE]}" if COOKIE in browser.cookies else "other=1"


@pytest.mark.spec(SPEC, "2")
@pytest.mark.spec(SPEC, "3.2")
async def test_says_unchanged_while_the_session_lasts_and_changed_after_logout() -> None:
    async with leaving(client(), client("wiki")) as (_, browser):
        landed = await log_in(browser)
        state = answer(landed)["session_state"]
        assert re.fullmatch(r"[0-9a-f]{64}\.[A-Za-z0-9_-]{22}", state)
        tokens = await redeem(browser, landed)
        page = await browser.request("GET", "/check_session")
        asked = {"data": f"shop {state}", "origin": ORIGIN}
        assert ask(page, cookies(browser), asked) == ["unchanged"]
        # Another client, and a silent answer to the same: neither changes anything.
        other = answer(await log_in(browser, "wiki"))["session_state"]
        again = answer(await log_in(browser, prompt="none"))["session_state"]
        assert len({state, other, again}) == 3
        silent = {"data": f"shop {again}", "origin": ORIGIN}
        wiki = {"data": f"wiki {other}", "origin": "https://wiki.example.com"}
        assert ask(page, cookies(browser), asked, silent, wiki) == ["unchanged"] * 3
        await browser.visit(logout(id_token_hint=tokens["id_token"]))
        assert COOKIE not in browser.cookies
        assert ask(page, cookies(browser), asked, wiki) == ["changed", "changed"]


@pytest.mark.spec(SPEC, "2")
async def test_gives_a_state_with_login_required_that_holds_until_somebody_logs_in() -> None:
    async with leaving() as (_, browser):
        refused = answer(await log_in(browser, prompt="none"))
        assert refused["error"] == "login_required"
        page = await browser.request("GET", "/check_session")
        asked = {"data": f"shop {refused['session_state']}", "origin": ORIGIN}
        assert ask(page, cookies(browser), asked) == ["unchanged"]
        await log_in(browser)
        assert ask(page, cookies(browser), asked) == ["changed"]


@pytest.mark.spec(SPEC, "3.2")
@pytest.mark.attack("LO-12")
async def test_answers_nonsense_with_error_and_strangers_with_changed() -> None:
    async with leaving() as (_, browser):
        state = answer(await log_in(browser))["session_state"]
        page = await browser.request("GET", "/check_session")
        good = f"shop {state}"
        events: list[dict[str, Any]] = [
            {"data": good, "origin": "https://evil.example"},
            {"data": good, "origin": "https://shop.example.com:8443"},
            {"data": f"nobody {state}", "origin": ORIGIN},
            {"data": good[:-1], "origin": ORIGIN},
        ]
        assert ask(page, cookies(browser), *events) == ["changed"] * 4
        nonsense: list[Any] = [
            "",
            "shop",
            f"shop  {state}",
            good + "x" * 9000,
            "shop é",
            {"a": 1},
            None,
            7,
            f"{good}\n",
        ]
        assert ask(page, cookies(browser), *({"data": one, "origin": ORIGIN} for one in nonsense)) == ["error"] * 9
        unanswerable: list[dict[str, Any]] = [
            {"data": good, "origin": "null"},
            {"data": good, "origin": ORIGIN, "gone": True},
        ]
        assert ask(page, cookies(browser), *unanswerable) == [None, None]
        many = ask(page, cookies(browser), *({"data": good, "origin": ORIGIN} for _ in range(1000)))
        assert many == ["unchanged"] * 1000


@pytest.mark.spec(SPEC, "3.2")
async def test_serves_a_constant_page_whose_only_script_is_named_by_its_hash() -> None:
    async with leaving() as (_, browser):
        page = await browser.request("GET", "/check_session")
        digest = base64.b64encode(hashlib.sha256(inline(page).encode()).digest()).decode()
        policy = header(page, "Content-Security-Policy") or ""
        assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}'")
        assert "frame-ancestors" not in policy and header(page, "X-Frame-Options") is None
        assert header(page, "Content-Type") == "text/html; charset=utf-8"
        assert "crypto" not in inline(page) and page.cookies == ()
        login = await browser.visit("/logout")
        assert "frame-ancestors 'none'" in (header(login, "Content-Security-Policy") or "")


def test_lets_the_script_read_its_cookie_in_frames_of_other_sites_only_over_https() -> None:
    state = SessionState(issuer="https://op.example", profile="p", offered=True, entropy=bytes)
    (cookie,) = state.cookies(("sid-1",))
    assert cookie.header().endswith("; Path=/; Secure; SameSite=None")
    assert cookie.name == "__Host-op_browser_state_p" and "sid-1" not in cookie.value
    assert state.cookies(("b", "a")) == state.cookies(("a", "b")) != (cookie,)
    assert state.cookies(())[0].max_age == 0
    plain = SessionState(issuer="http://localhost", profile="p", offered=True, entropy=bytes)
    assert plain.cookies(("x",))[0].header().endswith("; Path=/; SameSite=Lax")


@pytest.mark.parametrize(
    ("redirect_uri", "origin"),
    [
        ("https://RP.example/cb?x", "https://rp.example"),
        ("https://rp.example:443/cb", "https://rp.example"),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1"),
        ("https://rp.example:8443", "https://rp.example:8443"),
    ],
)
def test_computes_with_the_origin_as_browsers_write_it(redirect_uri: str, origin: str) -> None:
    state = SessionState(issuer="https://op.example", profile="p", offered=True, entropy=bytes)
    ((_, value),) = state.parameters("shop", redirect_uri, ())
    salt = value.partition(".")[2]
    assert value.partition(".")[0] == hashlib.sha256(f"shop {origin}  {salt}".encode()).hexdigest()


def test_gives_no_state_to_an_app_without_an_origin() -> None:
    state = SessionState(issuer="https://op.example", profile="p", offered=True, entropy=bytes)
    assert state.parameters("app", "com.example.app:/cb", ()) == ()


async def test_says_nothing_of_sessions_where_it_is_not_offered() -> None:
    async with leaving(logout={}) as (_, browser):
        assert "session_state" not in answer(await log_in(browser))
        assert COOKIE not in browser.cookies
        assert (await browser.request("GET", "/check_session")).status == 404
