"""Attacks on logout: open redirects, forced logout, clients that hang, lie or are not there."""

import asyncio
import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch
from urllib.parse import urlencode

import pytest

from appliance.jose.tokens import decode_strict, sign, unsecured
from appliance.profile import logout as logouts
from appliance.profile.deliveries import FIRST_PAUSE, LONGEST_PAUSE, MAX_ATTEMPTS
from appliance.profile.logout_deliveries import LogoutDeliveries
from appliance.protocol.messages import Request
from appliance.server.dispatch import Current
from appliance.server.maintenance import Maintenance
from tests.support.browser import Browser, header
from tests.support.live import PATIENCE
from tests.support.logging_out import (
    LOGGED_OUT_URI,
    Receiver,
    address,
    claims,
    client,
    deliveries,
    edit,
    eventually,
    hanging,
    is_logged_in,
    leaving,
    log_in,
    logout,
    patient,
    receiving,
    redeem,
    waiting,
)
from tests.support.provider import Provider, provider


def _answering(status: int) -> Receiver:
    return Receiver(status=lambda _: status)


async def leave(browser: Browser) -> None:
    """Log out by the page."""
    await browser.submit(await browser.visit("/logout"), button="logout-yes")


@pytest.mark.attack("LO-01")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.test",
        f"{LOGGED_OUT_URI}/more",
        f"{LOGGED_OUT_URI}?foo=bar",
        "https://shop.example.com@evil.test/bye",
        "https:\\\\shop.example.com\\bye",
        "HTTPS://shop.example.com/bye",
        "//evil.test",
        "javascript:alert(1)",
        "https://shop.example.com/callback",
    ],
)
async def test_redirects_to_nothing_but_what_is_registered_to_the_character(uri: str) -> None:
    async with leaving() as (_, browser):
        tokens = await redeem(browser, await log_in(browser))
        for proof in ({"id_token_hint": tokens["id_token"]}, {"client_id": "shop"}):
            end = await browser.visit(logout(post_logout_redirect_uri=uri, **proof))
            assert end.status == 400 and header(end, "Location") is None and header(end, "Refresh") is None
            assert b'id="error-page"' in end.body and b"evil.test" not in end.body
        assert await is_logged_in(browser)


@pytest.mark.attack("LO-02")
async def test_asks_first_when_nothing_says_whose_address_it_is() -> None:
    async with leaving() as (_, browser):
        await log_in(browser)
        question = await browser.visit(logout(post_logout_redirect_uri=LOGGED_OUT_URI))
        assert b'id="logout-yes"' in question.body and await is_logged_in(browser)
        end = await browser.submit(question, button="logout-yes")
        assert header(end, "Location") is None and b'id="logged-out"' in end.body


@pytest.mark.attack("LO-03")
async def test_refuses_hints_that_are_not_its_own_id_tokens() -> None:
    async with receiving() as rp, leaving(client(backchannel_logout_uri=rp.uri()), client("wiki")) as (op, browser):
        tokens = await redeem(browser, await log_in(browser))
        hint = tokens["id_token"]
        keys = op.snapshot.profiles["main"].keys
        said = claims(hint)
        head, body, signature = hint.split(".")
        forged = [
            unsecured(said, "JWT"),
            f"{head}.{body}.{signature[:-4]}AAAA",
            sign(keys.signing(None), said | {"iss": "http://localhost:8081"}, "JWT"),
            sign(keys.signing(None), said, "logout+jwt"),
            sign(keys.signing(None), said, "at+jwt"),
        ]
        for one in forged:
            end = await browser.visit(logout(id_token_hint=one, post_logout_redirect_uri=LOGGED_OUT_URI))
            assert end.status == 400 and header(end, "Location") is None
        other = await browser.visit(
            logout(id_token_hint=hint, client_id="wiki", post_logout_redirect_uri="https://wiki.example.com/bye")
        )
        assert other.status == 400
        assert await is_logged_in(browser)
        # A logout token of our own is no hint either.
        await leave(browser)
        (sent,) = rp.tokens
        assert decode_strict(sent).header["typ"] == "logout+jwt"
        assert (await browser.visit(logout(id_token_hint=sent))).status == 400


@pytest.mark.attack("LO-04")
async def test_takes_an_expired_hint() -> None:
    async with leaving() as (op, browser):
        tokens = await redeem(browser, await log_in(browser))
        op.clock.forward(1200)
        end = await browser.visit(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT_URI))
        assert header(end, "Location") == LOGGED_OUT_URI and not await is_logged_in(browser)


@pytest.mark.attack("LO-05")
async def test_lets_no_picture_and_no_foreign_form_log_anybody_out() -> None:
    async with leaving() as (_, browser):
        await log_in(browser)
        image = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}
        assert b'id="logout-yes"' in (await browser.request("GET", "/logout", headers=image)).body
        assert await is_logged_in(browser)
        foreign = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}
        sent = await browser.request("POST", "/logout", form={"decision": "allow", "csrf": "x"}, headers=foreign)
        assert sent.status == 403 and await is_logged_in(browser)
        stranger = await log_in(Browser(browser.op), user="ben")
        hint = (await redeem(browser, stranger))["id_token"]
        # A real hint, but of a session that this browser does not have.
        assert b'id="logout-yes"' in (await browser.visit(logout(id_token_hint=hint))).body
        assert await is_logged_in(browser)


@pytest.mark.attack("LO-07")
@pytest.mark.parametrize("state", ['"><script>alert(1)</script>', "a\r\nSet-Cookie: x=1", "ä&b=c#d", "x" * 8000])
async def test_echoes_state_to_the_byte_and_nowhere_else(state: str) -> None:
    shop = client(frontchannel_logout_uri="https://shop.example.com/out")
    for clients in ((client(),), (shop,)):
        async with leaving(*clients) as (_, browser):
            hint = (await redeem(browser, await log_in(browser)))["id_token"]
            end = await browser.visit(logout(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT_URI, state=state))
            target = f"{LOGGED_OUT_URI}?{urlencode({'state': state})}"
            assert target in (header(end, "Location"), (header(end, "Refresh") or "").removeprefix("1;url="))
            assert b"<script>alert" not in end.body
            assert all("\r" not in value and "\n" not in value for _, value in end.headers)
    async with leaving() as (_, browser):
        shown = await browser.visit(logout(state=state))
        assert b"<script>alert" not in shown.body and header(shown, "Location") is None
        assert (await browser.visit(logout(state="x" * 10000))).status == 400


@pytest.mark.attack("LO-10")
async def test_tries_again_with_growing_pauses_what_fails_for_a_while() -> None:
    async with (
        receiving(Receiver(status=lambda number: 500 if number < 3 else 200)) as rp,
        leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser),
    ):
        await log_in(browser)
        await leave(browser)
        assert not await is_logged_in(browser)
        assert await deliveries(op).resume() == 0
        for tries, pause in ((1, FIRST_PAUSE), (2, 2 * FIRST_PAUSE)):
            assert len(rp.bodies) == tries
            op.clock.forward(pause - 1)
            assert await deliveries(op).resume() == 0
            op.clock.forward(1)
            assert await deliveries(op).resume() == 1
            await deliveries(op).wait(PATIENCE)
        assert len(rp.bodies) == 3 and await waiting(op) == ()
        # Each attempt has a token of its own that is fresh when it comes.
        assert len({claims(each)["jti"] for each in rp.tokens}) == 3
        assert claims(rp.tokens[2])["iat"] == int(op.clock()) and op.report.notices == []


@pytest.mark.attack("LO-10")
async def test_hears_how_long_to_wait() -> None:
    async with (
        receiving(Receiver(status=lambda _: 503, headers="Retry-After: 600\r\n")) as rp,
        leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser),
    ):
        await log_in(browser)
        await leave(browser)
        assert (await waiting(op))[0].due_at == op.clock() + 600


@pytest.mark.attack("LO-10")
async def test_gives_up_after_a_while_and_says_so_but_at_once_when_the_client_says_no() -> None:
    for status, tries in ((500, MAX_ATTEMPTS), (400, 1), (302, 1)):
        async with (
            receiving(_answering(status)) as rp,
            leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser),
        ):
            await log_in(browser)
            await leave(browser)
            for _ in range(MAX_ATTEMPTS + 2):
                op.clock.forward(LONGEST_PAUSE)
                await deliveries(op).resume()
                await deliveries(op).wait(PATIENCE)
            assert len(rp.bodies) == tries and await waiting(op) == ()
            ((event, facts),) = op.report.notices
            assert event == "logout_delivery_dropped" and facts["attempts"] == str(tries)
            assert facts["client_id"] == "shop" and facts["reason"] == f"it answered {status}"


@pytest.mark.attack("LO-10")
async def test_tells_all_twenty_after_it_was_killed_in_the_middle() -> None:
    async with receiving(Receiver(hold=True)) as dead, receiving() as alive:
        names = [f"rp-{number}" for number in range(20)]
        clients = [
            client(name, backchannel_logout_uri=(dead if number % 2 else alive).uri(f"/{name}"))
            for number, name in enumerate(names)
        ]
        with hanging(), patient(0.1):
            async with provider("minimal", edit=edit(*clients)) as op:
                browser = Browser(op)
                for name in names:
                    await log_in(browser, name)
                await leave(browser)
                await eventually(lambda: half_told(op, dead))
                assert sorted(alive.paths) == sorted(f"/{name}" for name in names[::2])
                # What a kill leaves behind: no task, only the store. Another process finds it there.
                await deliveries(op).close(0)
                again = Provider(op.directory, op.state, seed=2)
                again.clock.now = op.clock.now + FIRST_PAUSE
                await again.load()
                try:
                    dead.hold = False
                    before = len(dead.paths)
                    current = Current()
                    current.snapshot = again.snapshot
                    await Maintenance(current, again.clock).round(again.snapshot)
                    await deliveries(again).wait(PATIENCE)
                    assert sorted(dead.paths[before:]) == sorted(f"/{name}" for name in names[1::2])
                    assert len(alive.paths) == 10 and await waiting(again) == ()
                finally:
                    await again.close()


async def half_told(op: Provider, dead: Receiver) -> bool:
    """Whether ten were told, and the other ten hang."""
    return len(await waiting(op)) == dead.held == 10


@pytest.mark.attack("LO-10")
async def test_makes_no_attempt_twice_at_once_however_many_processes_look() -> None:
    async with (
        receiving(Receiver(status=lambda number: 500 if number == 1 else 200)) as rp,
        leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser),
    ):
        await log_in(browser)
        await leave(browser)
        other = Provider(op.directory, op.state, seed=2)
        await other.load()
        try:
            op.clock.forward(FIRST_PAUSE)
            other.clock.now = op.clock.now
            await asyncio.gather(deliveries(op).resume(), deliveries(other).resume(), deliveries(op).resume())
            await asyncio.gather(deliveries(op).wait(PATIENCE), deliveries(other).wait(PATIENCE))
            assert len(rp.bodies) == 2
        finally:
            await other.close()


@pytest.mark.attack("SS-10")
async def test_keeps_the_page_for_less_than_a_second_and_tells_the_others_when_one_hangs() -> None:
    patience, clock = logouts.PATIENCE, asyncio.get_running_loop().time
    async with receiving(Receiver(hold=True)) as dead, receiving() as alive:
        clients = [client("dead", backchannel_logout_uri=dead.uri()), client(backchannel_logout_uri=alive.uri())]
        with hanging():
            async with leaving(*clients) as (op, browser):
                await log_in(browser, "dead")
                hint = (await redeem(browser, await log_in(browser)))["id_token"]
                began = clock()
                with patient(patience), waits(deliveries(op)) as seconds:
                    end = await browser.visit(logout(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT_URI))
                assert header(end, "Location") == LOGGED_OUT_URI
                # What it is ready to wait, and that nothing else waits for who hangs for a minute.
                assert 0 < sum(seconds) < 1 and clock() - began < PATIENCE / 2
                await eventually(lambda: one_told(alive, dead, 1))
                # Somebody else's hanging client costs other users nothing of the time that there is.
                second = Browser(op)
                await log_in(second, user="ben")
                began = clock()
                with patient(PATIENCE / 2):
                    await leave(second)
                assert clock() - began < PATIENCE / 2 and len(alive.bodies) == 2
                assert [each.client_id for each in await waiting(op)] == ["dead"]


async def one_told(alive: Receiver, dead: Receiver, number: int) -> bool:
    """Whether so many were told while one hangs."""
    return len(alive.bodies) == number and dead.held == 1


@contextmanager
def waits(told: LogoutDeliveries) -> Iterator[list[float]]:
    """How long was waited at most, each time."""
    seconds: list[float] = []
    wait = told.wait

    async def noted(patience: float, labels: Container[str] | None = None) -> None:
        seconds.append(patience)
        await wait(patience, labels)

    with patch.object(told, "wait", noted):
        yield seconds


@pytest.mark.attack("SS-10")
async def test_follows_no_redirect_and_reads_no_flood() -> None:
    async with receiving() as inside:
        redirecting = Receiver(status=lambda _: 307, headers=f"Location: {inside.uri('/internal')}\r\n")
        flood = Receiver(body=b"x" * 1_000_000)
        async with receiving(redirecting), receiving(flood):
            clients = [
                client("redirecting", backchannel_logout_uri=redirecting.uri()),
                client("flood", backchannel_logout_uri=flood.uri()),
            ]
            async with leaving(*clients) as (op, browser):
                for name in ("redirecting", "flood"):
                    await log_in(browser, name)
                await leave(browser)
                assert inside.paths == [] and len(redirecting.paths) == len(flood.paths) == 1
                assert [each.client_id for each in await waiting(op)] == ["flood"]
                assert op.report.notices[0][1]["reason"] == "it answered 307"


@pytest.mark.attack("SS-11")
async def test_calls_the_registered_address_as_it_stands_whatever_a_request_says() -> None:
    async with receiving() as rp:
        shop = client(backchannel_logout_uri=rp.uri("/out/%7Bclient_session_host%7D?h=$host"))
        async with leaving(shop) as (_, browser):
            await log_in(browser, client_session_host="evil.test", host="evil.test", client_session_state="evil")
            await leave(browser)
            assert rp.paths == ["/out/%7Bclient_session_host%7D?h=$host"]


async def test_tells_a_client_that_came_to_the_session_at_the_very_moment_of_its_end() -> None:
    async with receiving() as rp, leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser):
        await log_in(browser, "shop")
        profile = op.snapshot.profiles["main"]
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        before = await profile.sessions.read(Request("GET", "/", headers={"cookie": (cookie,)}))
        assert before.current is not None
        # As another request left it behind the back of this one.
        stale = replace(before.current, clients=())
        ended = await profile.logout.end((stale,))
        assert [session.clients for session in ended] == [("shop",)]
        await deliveries(op).wait(PATIENCE)
        assert len(rp.bodies) == 1
        assert await profile.sessions.note_client(stale, "shop") is False


async def test_legacy_logout_acts_on_this_session_alone_and_leads_to_registered_addresses_only() -> None:
    async with leaving(compat={"legacy_logout": {"path": "/openId/logout"}}) as (_, browser):
        landed = await log_in(browser)
        sub = claims((await redeem(browser, landed))["id_token"])["sub"]

        def old(**changes: str) -> str:
            asked = {"client_id": "shop", "redirect_uri": LOGGED_OUT_URI, "sub": sub} | changes
            return "/openId/logout?" + urlencode({name: value for name, value in asked.items() if value})

        for wrong in (
            {"redirect_uri": "https://evil.test/"},
            {"redirect_uri": "https://shop.example.com/callback"},
            {"redirect_uri": ""},
            {"client_id": "nobody"},
            {"client_id": ""},
            {"sub": ""},
        ):
            refused = await browser.visit(old(**wrong))
            assert refused.status == 400 and header(refused, "Location") is None, wrong
        question = await browser.visit(old(sub="ben"))
        assert b'id="logout-yes"' in question.body and await is_logged_in(browser)
        stranger = Browser(browser.op)
        await log_in(stranger, user="ben")
        await stranger.visit(old())
        assert await is_logged_in(stranger) and await is_logged_in(browser)
        confirmed = await stranger.submit(await stranger.visit(old()), button="logout-yes")
        assert header(confirmed, "Location") == LOGGED_OUT_URI and not await is_logged_in(stranger)
        end = await browser.visit(old())
        assert header(end, "Location") == LOGGED_OUT_URI and not await is_logged_in(browser)
        assert header(await browser.visit(old()), "Location") == LOGGED_OUT_URI


async def test_answers_at_further_paths_and_names_only_its_own() -> None:
    aliases = {"/openId/authenticate": "authorization_endpoint", "/oauth/authorize": "authorization_endpoint"}
    async with leaving(compat={"path_aliases": aliases}) as (_, browser):
        for path in aliases:
            shown = await browser.visit(path + "?client_id=nobody")
            assert shown.status == 400 and b'id="error-page"' in shown.body
        landed = await log_in(browser)
        query = address(prompt="none").partition("?")[2]
        silent = await browser.visit(f"/openId/authenticate?{query}")
        assert "code=" in (header(silent, "Location") or "") and landed.status == 303
        found = json.loads((await browser.visit("/.well-known/openid-configuration")).body)
        assert found["authorization_endpoint"] == "http://localhost:8080/authorize"
    async with leaving() as (_, browser):
        assert (await browser.request("GET", "/oauth/authorize")).status == 404
        assert (await browser.request("GET", "/openId/logout")).status == 404
